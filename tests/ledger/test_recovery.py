"""After kill -9: what was dispatched and never settled is posted at its bound, once."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ledger.budgets import ScopeKind
from ledger.ledger import Ledger
from ledger.rows import EntryRow, OutcomeRow, State
from ledger.writer import INSERTS
from support.ledger_rows import NOON_US, RequestMaker

ROOT = Path(__file__).parents[2]
BOUND = 9_000_000
"""What `RequestMaker` gives every attempt as its bound."""

WRITING = """
import sys, threading
from pathlib import Path
from ledger.ledger import Ledger
from support.ledger_rows import NOON_US, RequestMaker

def acknowledged(sign, number):
    def done(error):
        assert error is None, error
        print(sign, number, flush=True)
    return done

ledger = Ledger.open(Path(sys.argv[1]), clock=lambda: NOON_US)
number = 0
while True:  # until we are killed
    number += 1
    request = RequestMaker(number)
    request.answer(request.attempt(cost=1_000))
    on_disk = threading.Event()
    def dispatched(error, number=number, on_disk=on_disk):
        acknowledged("dispatched", number)(error)
        on_disk.set()
    ledger.admit(request.rows[:2], dispatched)
    on_disk.wait()
    if number % 3:
        ledger.record(request.rows[2:], acknowledged("settled", number))
"""


def kill_a_writer(path: Path, after: int) -> dict[str, set[int]]:
    """Let a process write, kill it after so many dispatches, and return what it had acknowledged."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    with subprocess.Popen(
        [sys.executable, "-c", WRITING, str(path)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if sum(line.startswith("dispatched") for line in lines) >= after:
                process.send_signal(signal.SIGKILL)
                break
        lines += process.stdout.read().splitlines()
        assert process.wait() == -signal.SIGKILL
    told: dict[str, set[int]] = {"dispatched": set(), "settled": set()}
    for line in lines:
        sign, _, number = line.strip().partition(" ")
        if number:
            told[sign].add(int(number))
    return told


def number_of(request_id: str) -> int:
    return int(request_id.removeprefix("req_"))


def query(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as reader:
        return reader.execute(statement).fetchall()


@pytest.mark.parametrize("after", [1, 2, 9, 60, 250])
def test_after_kill_9_every_open_attempt_is_posted_at_its_bound_and_every_request_has_an_end(
    path: Path, after: int
) -> None:
    told = kill_a_writer(path, after)
    ledger = Ledger.open(path, clock=lambda: NOON_US + 60_000_000)
    recovered = {number_of(row.request_id) for row in ledger.recovered}
    ledger.close()

    dispatched = {
        number_of(str(row[0]))
        for row in query(path, "SELECT request_id FROM entry WHERE state = 'DISPATCHED'")
    }
    settled = {
        number_of(str(row[0])) for row in query(path, "SELECT request_id FROM entry WHERE state = 'SETTLED'")
    }
    assert told["dispatched"] <= dispatched, "what was acknowledged is there"
    assert told["settled"] <= settled
    assert recovered == dispatched - settled
    assert query(
        path, "SELECT DISTINCT cost_nano_usd, error, at_us FROM entry WHERE state = 'POSTED_WORST'"
    ) == [(BOUND, "crash", NOON_US + 60_000_000)]
    answers = query(path, "SELECT request_id, status, error, latency_us FROM answer")
    assert {number_of(str(row[0])) for row in answers} == dispatched
    assert {row[1:] for row in answers if number_of(str(row[0])) in recovered} == {
        ("failed", "crash", 60_000_000)
    }
    assert query(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_second_and_a_third_start_post_nothing_more(path: Path) -> None:
    kill_a_writer(path, 20)
    before: list[list[tuple[object, ...]]] = []
    for _ in range(3):
        ledger = Ledger.open(path)
        ledger.close()
        before.append(query(path, "SELECT * FROM entry") + query(path, "SELECT * FROM answer"))
    assert ledger.recovered == ()
    assert before[0] == before[1] == before[2]
    posted = query(path, "SELECT attempts_posted FROM opening ORDER BY seq")
    assert [row[0] for row in posted[2:]] == [0, 0]
    assert int(str(posted[1][0])) > 0


def test_the_killed_processes_of_a_bad_day_lose_nothing_together(path: Path) -> None:
    kill_a_writer(path, 15)
    Ledger.open(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        request = RequestMaker(99_999)
        request.attempt(state=None)
        for row in request.rows:
            writer.execute(INSERTS[type(row)], row)
    ledger = Ledger.open(path)
    ledger.close()
    assert [row.request_id for row in ledger.recovered] == [request.request_id]


def insert(path: Path, *requests: RequestMaker) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        for request in requests:
            for row in request.rows:
                writer.execute(INSERTS[type(row)], row)


def test_what_is_posted_keeps_everything_that_its_dispatch_said(path: Path) -> None:
    request = RequestMaker(1, simulated=True)
    request.attempt("premium/big", "premium", state=None, role="escalation")
    dispatched = request.rows[-1]
    assert isinstance(dispatched, EntryRow)
    insert(path, request)
    ledger = Ledger.open(path, clock=lambda: NOON_US + 5)
    ledger.close()
    (posted,) = ledger.recovered
    assert posted == dispatched._replace(
        entry_id=posted.entry_id,
        state=State.POSTED_WORST.value,
        at_us=NOON_US + 5,
        cost_nano_usd=BOUND,
        error="crash",
    )
    assert [type(value) for value in posted] == [
        type(value) for value in posted._replace(simulated=True, overage=False)
    ]


@pytest.mark.parametrize("state", [State.SETTLED, State.SETTLED_ESTIMATED, State.VOID, State.POSTED_WORST])
def test_an_attempt_that_ended_is_left_alone_though_its_request_has_no_answer(
    path: Path, state: State
) -> None:
    request = RequestMaker(1)
    request.attempt(state=state, cost=7)
    request.adjust(request.attempt_id(1), -2)
    insert(path, request)
    ledger = Ledger.open(path)
    ledger.close()
    assert ledger.recovered == ()
    assert query(path, "SELECT status, error FROM answer") == [("failed", "crash")]


def test_of_a_plan_with_several_attempts_only_the_open_one_is_posted(path: Path) -> None:
    request = RequestMaker(1)
    request.attempt(cost=1_200)
    request.attempt("premium/big", "premium", state=None, role="escalation")
    insert(path, request)
    ledger = Ledger.open(path)
    ledger.close()
    assert [row.attempt_no for row in ledger.recovered] == [2]


def test_what_a_crash_left_counts_in_the_budget_of_the_window_in_which_it_was_held(path: Path) -> None:
    request = RequestMaker(1, at_us=NOON_US)
    request.attempt(state=None)
    insert(path, request)
    ledger = Ledger.open(path, clock=lambda: NOON_US + 86_400_000_000)  # a day later, in the same month
    ledger.close()
    cells = {(scope.kind, window): cell.spent for (scope, window, _), cell in ledger.budgets._cells.items()}
    assert cells == {(ScopeKind.TEAM, "month"): BOUND, (ScopeKind.KEY, "month"): BOUND}


def test_what_was_chosen_to_be_judged_and_was_not_is_written_down_as_lost_once(path: Path) -> None:
    """Number 1 was judged, number 2 is lost already, number 3 waits in the memory of a process that died."""
    told = {
        1: [("sample", "sample.audit.chosen"), ("audit", "audit.right")],
        2: [("sample", "sample.grade.chosen"), ("sample", "sample.grade.lost")],
        3: [("sample", "sample.grade.chosen"), ("support", "support.exact")],
        4: [("sample", "sample.grade.chosen"), ("grade.after", "grade.right")],
    }
    Ledger.open(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        for number, outcomes in told.items():
            request = RequestMaker(number)
            request.answer(request.attempt())
            for check, code in outcomes:
                request.outcome("shadow", "abstained")
                last = request.rows[-1]
                assert isinstance(last, OutcomeRow)
                request.rows[-1] = last._replace(check_name=check, code=code, propensity=0.02)
            for row in request.rows:
                writer.execute(INSERTS[type(row)], row)
    for _ in range(2):
        Ledger.open(path).close()
    lost = query(
        path, "SELECT request_id, code, propensity FROM outcome WHERE code LIKE '%.lost' ORDER BY seq"
    )
    assert [(number_of(str(row[0])), *row[1:]) for row in lost] == [
        (2, "sample.grade.lost", 0.02),
        (3, "sample.grade.lost", 0.02),
    ]
