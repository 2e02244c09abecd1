"""Group commit over real files: order, refusals, and facts that outlive a failing disk."""

import asyncio
import logging
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ledger.errors import LedgerError, LedgerUnavailableError
from ledger.rows import AnswerRow, EntryRow, Row, State
from ledger.writer import BATCH_MAX, Writer, connect
from support.ledger_rows import RequestMaker

DEADLINE_S = 30


@contextmanager
def writing(path: Path, disk_reserve_bytes: int = 0) -> Iterator[Writer]:
    writer = Writer(path, disk_reserve_bytes=disk_reserve_bytes)
    try:
        yield writer
    finally:
        writer.close()


class Told:
    """Remembers what a group was told, and what the file held at that moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._happened = threading.Event()
        self.error: LedgerError | None = None
        self.requests_then: list[object] = []

    def __call__(self, error: LedgerError | None) -> None:
        """Be told; once only."""
        assert not self._happened.is_set(), "told twice"
        self.error = error
        self.requests_then = column(self._path, "SELECT request_id FROM request")
        self._happened.set()

    def wait(self) -> LedgerError | None:
        """Wait to be told, and give what was said."""
        assert self._happened.wait(DEADLINE_S), "nobody was told"
        return self.error


def column(path: Path, query: str) -> list[object]:
    with closing(sqlite3.connect(path)) as reader:
        return [row[0] for row in reader.execute(query)]


def a_request(number: int) -> RequestMaker:
    request = RequestMaker(number)
    request.attempt(state=None)
    return request


def ended(request: RequestMaker, state: State = State.SETTLED, cost: int = 10) -> tuple[EntryRow, AnswerRow]:
    """The facts with which a request of one attempt ends."""
    other = RequestMaker(request.number)
    other.answer(other.attempt(state=state, cost=cost))
    _, _, entry, answer = other.rows
    assert isinstance(entry, EntryRow)
    assert isinstance(answer, AnswerRow)
    return entry, answer


def admitted(writer: Writer, path: Path, *numbers: int) -> list[Told]:
    """Admit one request each, and wait until all are told."""
    waiting = [Told(path) for _ in numbers]
    for number, told in zip(numbers, waiting, strict=True):
        writer.admit(a_request(number).rows, told)
    for told in waiting:
        told.wait()
    return waiting


def written(writer: Writer, path: Path, rows: Sequence[Row]) -> LedgerError | None:
    """Record facts and wait until they are on disk."""
    told = Told(path)
    writer.record(rows, told)
    return told.wait()


def on_the_thread(writer: Writer, path: Path, pragma: str) -> None:
    """Run a PRAGMA on the writer's own connection while the writer waits for work."""
    written(writer, path, ())
    writer._connection.execute(pragma)


def fill_the_disk(writer: Writer, path: Path) -> None:
    """Let the file grow no further: SQLite answers as on a full disk."""
    ((pages,),) = writer._connection.execute("PRAGMA page_count").fetchall()
    on_the_thread(writer, path, f"PRAGMA max_page_count = {pages}")


def make_room(writer: Writer) -> None:
    writer._connection.execute("PRAGMA max_page_count = 1000000")


def test_rows_are_on_disk_before_their_owner_is_told_and_in_the_order_of_admission(path: Path) -> None:
    with writing(path) as writer:
        waiting = admitted(writer, path, *range(BATCH_MAX + 90))
    ids = [a_request(number).request_id for number in range(BATCH_MAX + 90)]
    assert column(path, "SELECT request_id FROM request ORDER BY seq") == ids
    for own, told in zip(ids, waiting, strict=True):
        assert told.error is None
        assert own in told.requests_then


def test_many_threads_that_wait_for_their_rows_all_get_them(path: Path) -> None:
    def ask(first: int) -> None:
        for number in range(first, first + 40):
            assert admitted(writer, path, number)[0].error is None
            writer.record(ended(a_request(number)))

    with writing(path) as writer:
        threads = [threading.Thread(target=ask, args=(1_000 * place,)) for place in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)
    assert column(path, "SELECT count(*) FROM answer") == [240]
    assert column(path, "SELECT count(*) FROM entry WHERE state = 'SETTLED'") == [240]


def test_what_was_acknowledged_needs_no_further_sync(path: Path) -> None:
    with writing(path) as writer:
        (mode,) = writer._connection.execute("PRAGMA journal_mode").fetchone()
        (synchronous,) = writer._connection.execute("PRAGMA synchronous").fetchone()
    assert (mode, synchronous) == ("wal", 2)


def test_a_fact_that_nobody_waits_for_is_written_without_another_to_push_it(path: Path) -> None:
    with writing(path) as writer:
        admitted(writer, path, 1)
        writer.record(ended(a_request(1)))
        until(lambda: column(path, "SELECT status FROM answer") == ["answered"])


def test_a_settlement_never_comes_after_what_was_admitted_later(path: Path) -> None:
    with writing(path) as writer:
        for number in range(60):
            admitted(writer, path, number)
            writer.record(ended(a_request(number)))
            told = Told(path)
            writer.admit(a_request(number + 1_000).rows, told)
            told.wait()
            settled = column(path, "SELECT request_id FROM answer")
            assert a_request(number).request_id in settled


UNWRITABLE = {
    "a request that is there already": ("request_id", f"req_{0:026d}"),
    "a number beyond 64 bits": ("hold_nano_usd", 2**63),
    "half a character": ("model_requested", "\ud800"),
    "nothing where something must be": ("team", None),
}


@pytest.mark.parametrize(("field", "value"), UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_a_row_that_cannot_be_written_takes_no_neighbour_with_it(
    path: Path, caplog: pytest.LogCaptureFixture, field: str, value: object
) -> None:
    with writing(path) as writer:
        admitted(writer, path, 0)
        bad = a_request(7)
        bad.rows[0] = bad.rows[0]._replace(**{field: value})  # type: ignore[arg-type]  # that is what is refused
        other = connect(path)
        other.execute("BEGIN IMMEDIATE")  # so that all of them gather in one commit
        waiting = [Told(path) for _ in range(5)]
        for number, told in enumerate(waiting, 5):
            writer.admit(bad.rows if number == 7 else a_request(number).rows, told)
        other.execute("ROLLBACK")
        other.close()
        errors = [told.wait() for told in waiting]
        assert [error is None for error in errors] == [True, True, False, True, True]
        assert not isinstance(errors[2], LedgerUnavailableError), "trying again would not help"
        assert writer.status().accepting
        assert admitted(writer, path, 20)[0].error is None
    kept = [a_request(number).request_id for number in (0, 5, 6, 8, 9, 20)]
    assert column(path, "SELECT request_id FROM request ORDER BY seq") == kept
    assert column(path, "SELECT DISTINCT request_id FROM entry ORDER BY seq") == kept, (
        "with its own rows it goes whole"
    )
    assert "no row of the ledger" in caplog.text


def test_a_second_end_of_an_attempt_is_refused_and_the_first_stays(path: Path) -> None:
    with writing(path) as writer:
        admitted(writer, path, 1)
        assert written(writer, path, ended(a_request(1))[:1]) is None
        error = written(writer, path, ended(a_request(1), State.VOID, 0)[:1])
        assert isinstance(error, LedgerError)
        assert "constraint" in str(error)
    assert column(path, "SELECT state FROM entry ORDER BY seq") == ["DISPATCHED", "SETTLED"]


def test_below_the_disk_reserve_work_is_refused_and_facts_are_written(path: Path) -> None:
    with writing(path) as writer:
        admitted(writer, path, 1)
    with writing(path, disk_reserve_bytes=2**62) as writer:
        status = writer.status()
        assert not status.accepting
        assert "below the reserve" in status.detail
        with pytest.raises(LedgerUnavailableError, match="MiB are free"):
            writer.admit(a_request(2).rows, Told(path))
        assert written(writer, path, ended(a_request(1))) is None
    assert column(path, "SELECT status FROM answer") == ["answered"]
    assert len(column(path, "SELECT request_id FROM request")) == 1


def test_on_a_full_disk_work_is_refused_and_facts_wait_until_there_is_room(path: Path) -> None:
    facts = 400
    with writing(path) as writer:
        admitted(writer, path, *range(facts))
        fill_the_disk(writer, path)
        waiting = []
        for number in range(facts):
            waiting.append(Told(path))
            writer.record(ended(a_request(number)), waiting[-1])
        until(lambda: writer.status().facts_unwritten > 0)
        assert "full" in writer.status().detail
        with pytest.raises(LedgerUnavailableError, match="the last commit failed"):
            writer.admit(a_request(9_999).rows, Told(path))
        make_room(writer)
        assert [told.wait() for told in waiting] == [None] * facts
        until(lambda: writer.status().accepting)
        assert admitted(writer, path, 9_998)[0].error is None
    assert column(path, "SELECT count(*) FROM answer") == [facts]
    assert column(path, "SELECT count(*) FROM entry WHERE state = 'SETTLED'") == [facts]
    assert column(path, "PRAGMA integrity_check") == ["ok"]


def test_work_that_met_a_full_disk_is_told_so_and_leaves_nothing(path: Path) -> None:
    with writing(path) as writer:
        fill_the_disk(writer, path)
        answers: list[LedgerError | None] = []
        while not any(answers):
            try:
                answers.extend(told.error for told in admitted(writer, path, len(answers)))
            except LedgerUnavailableError as error:
                answers.append(error)
        assert isinstance(answers[-1], LedgerUnavailableError)
        make_room(writer)
        until(lambda: writer.status().accepting)
        admitted(writer, path, 9_999)
    assert len(column(path, "SELECT request_id FROM request")) == len(answers) - 1 + 1


def test_a_lock_that_another_program_holds_delays_facts_and_loses_none(path: Path) -> None:
    with writing(path) as writer:
        admitted(writer, path, 1)
        on_the_thread(writer, path, "PRAGMA busy_timeout = 20")
        with closing(connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            told, refused = Told(path), Told(path)
            writer.record(ended(a_request(1)), told)
            until(lambda: not writer.status().accepting)
            assert "locked" in writer.status().detail
            with pytest.raises(LedgerUnavailableError):
                writer.admit(a_request(2).rows, refused)
            other.execute("ROLLBACK")
        assert told.wait() is None
        until(lambda: writer.status().accepting)
    assert column(path, "SELECT status FROM answer") == ["answered"]


def test_closing_writes_everything_and_a_second_close_does_nothing(path: Path) -> None:
    writer = Writer(path, disk_reserve_bytes=0)
    waiting = [Told(path) for _ in range(300)]
    for number, told in enumerate(waiting):
        writer.admit(a_request(number).rows, told)
        writer.record(ended(a_request(number)))
    writer.close()
    writer.close()
    assert [told.wait() for told in waiting] == [None] * 300
    assert column(path, "SELECT count(*) FROM answer") == [300]
    assert not writer.status().accepting
    assert writer.status().detail == "shut down"


def test_after_the_close_work_is_refused_and_a_fact_is_named_in_the_log(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer(path, disk_reserve_bytes=0)
    admitted(writer, path, 1)
    writer.close()
    with pytest.raises(LedgerUnavailableError, match="shutting down"):
        writer.admit(a_request(2).rows, Told(path))
    assert isinstance(written(writer, path, ended(a_request(1))), LedgerUnavailableError)
    writer.record(ended(a_request(1)))
    assert caplog.text.count(f"not written at shutdown: entry of {a_request(1).request_id}") == 2


def test_facts_that_a_full_disk_keeps_out_at_the_end_are_named_in_the_log(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "steelyard.ledger"), writing(path) as writer:
        admitted(writer, path, *range(400))
        fill_the_disk(writer, path)
        for number in range(400):
            writer.record(ended(a_request(number)))
    missing = 400 - len(column(path, "SELECT seq FROM answer"))
    assert missing > 0
    assert caplog.text.count("not written at shutdown: ") == missing


def test_a_callback_that_fails_takes_neither_its_neighbours_nor_the_writer_with_it(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_error: LedgerError | None) -> None:
        raise LookupError("of the caller's own making")

    with writing(path) as writer:
        writer.admit(a_request(1).rows, fail)
        assert admitted(writer, path, 2)[0].error is None
        assert admitted(writer, path, 3)[0].error is None
    assert "whoever waited for a group failed when told" in caplog.text


def test_the_writer_outlives_the_event_loop_of_whoever_waits(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.new_event_loop()

    def notify(callbacks: Sequence[Callable[[], None]]) -> None:
        for callback in callbacks:
            loop.call_soon_threadsafe(callback)

    writer = Writer(path, disk_reserve_bytes=0, notify=notify)
    loop.close()
    writer.admit(a_request(1).rows, Told(path))
    writer.record(ended(a_request(1)))
    writer.close()
    assert column(path, "SELECT status FROM answer") == ["answered"]
    assert "nobody is there to be told" in caplog.text


def test_a_folder_that_disappears_stops_work_and_not_the_writer(
    empty_ledger: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    path = Path(shutil.copy(empty_ledger, folder / "ledger.sqlite"))
    last = threading.Event()

    def stopped() -> bool:
        writer.record((), lambda _error: None)
        return not writer.status().accepting

    with writing(path) as writer:
        admitted(writer, path, 1)
        folder.rename(tmp_path / "elsewhere")
        until(stopped)
        (tmp_path / "elsewhere").rename(folder)
        writer.record(ended(a_request(1)), lambda _error: last.set())
    assert last.is_set() or "entry" in caplog.text, "the writer lived on, and wrote the fact or named it"
    assert column(path, "SELECT request_id FROM request") == [a_request(1).request_id]


def until(happened: Callable[[], bool]) -> None:
    """Wait until something is so, and fail if it is not within the deadline."""
    tick = threading.Event()
    for _ in range(DEADLINE_S * 100):
        if happened():
            return
        tick.wait(0.01)
    pytest.fail("it did not happen")
