"""An open ledger: one process, its limits, its prices, and what it knows at the start."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.budgets import Limit, Reservation, Scope, ScopeKind, Shortfall, Window
from ledger.changes import Actor, ActorKind
from ledger.errors import LedgerBusyError, LedgerUnavailableError
from ledger.ledger import Ledger, add_outcomes, read_only_engine, set_limit
from ledger.price_seeds import deepseek_prices, stated_price
from ledger.rows import OutcomeRow, RequestRow
from ledger.usage import Rates
from ledger.writer import INSERTS
from support.ledger_rows import DAY_US, NOON_US, RequestMaker

ANNA, BEN = Actor(ActorKind.MACHINE, "anna"), Actor(ActorKind.MACHINE, "ben")
ROOT = Path(__file__).parents[2]
TEAM, KEY = Scope(ScopeKind.TEAM, "finance"), Scope(ScopeKind.KEY, "key_1")


@contextmanager
def opened(path: Path, at_us: int = NOON_US) -> Iterator[Ledger]:
    ledger = Ledger.open(path, clock=lambda: at_us)
    try:
        yield ledger
    finally:
        ledger.close()


def query(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as reader:
        return reader.execute(statement).fetchall()


def insert(path: Path, *requests: RequestMaker) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        for request in requests:
            for row in request.rows:
                writer.execute(INSERTS[type(row)], row)


HOLDING = """
import sys
from pathlib import Path
from ledger.ledger import Ledger
ledger = Ledger.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def test_a_ledger_that_another_process_has_is_refused_by_that_processes_number(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(LedgerBusyError, match=rf"ledger\.sqlite is in use by process {other.pid}; "):
            Ledger.open(path)
        other.send_signal(signal.SIGKILL)
        other.wait()
    Ledger.open(path).close()  # the lock went with the process, however it ended


def test_a_refused_second_opening_leaves_the_first_at_work(path: Path) -> None:
    with opened(path) as ledger:
        with pytest.raises(LedgerBusyError, match=f"process {os.getpid()}"):
            Ledger.open(path)
        told = threading.Event()
        ledger.record((), lambda _error: told.set())
        assert told.wait(30)
    with opened(path):
        assert query(path, "SELECT count(*) FROM opening") == [(2,)]


def test_a_ledger_that_could_not_be_opened_is_free_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.mkdir()
    with pytest.raises(LedgerUnavailableError):
        Ledger.open(path)
    path.rmdir()
    Ledger.open(path).close()


def test_a_closed_ledger_takes_nothing_and_says_so(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.status().accepting
    assert (ledger.status().accepting, ledger.status().detail) == (False, "shut down")
    with pytest.raises(LedgerUnavailableError):
        ledger.admit(RequestMaker(1).rows, lambda _error: None)


def test_what_was_spent_today_and_this_month_counts_from_the_start(path: Path) -> None:
    requests = []
    for number, (days, cost, team) in enumerate(
        [
            (0, 10, "finance"),
            (0, 5, "finance"),
            (1, 100, "finance"),
            (-1, 1_000, "finance"),
            (0, 7, "legal"),
            (-31, 10_000, "finance"),
        ]
    ):
        request = RequestMaker(number, team=team, at_us=NOON_US + DAY_US + days * DAY_US)  # noon of the 2nd
        request.attempt(cost=cost)
        requests.append(request)
    requests[0].adjust(requests[0].attempt_id(1), -4)
    insert(path, *requests)
    now_us = NOON_US + DAY_US
    set_limit(path, TEAM, Window.DAY, 10**9, at_us=0, by=ANNA, reason="")
    set_limit(path, KEY, Window.MONTH, 10**9, at_us=0, by=ANNA, reason="")
    with opened(path, now_us) as ledger:
        today = ledger.budgets.headroom((TEAM,), now_us)
        month = ledger.budgets.headroom((KEY,), now_us)
    assert today is not None
    assert month is not None
    assert 10**9 - today.spendable_nano_usd == 10 + 5 - 4
    assert 10**9 - month.spendable_nano_usd == 10 + 5 - 4 + 100 + 1_000 + 7, "the key's, of both teams"


def test_what_a_project_spent_is_known_at_the_next_start(path: Path) -> None:
    project, other = Scope(ScopeKind.PROJECT, "finance/march"), Scope(ScopeKind.PROJECT, "legal/march")
    requests = []
    for number, name in enumerate(("march", None, "march")):
        request = RequestMaker(number, at_us=NOON_US)
        first = request.rows[0]
        assert isinstance(first, RequestRow)
        request.rows[0] = first._replace(project=name)
        request.attempt(cost=10**number)
        requests.append(request)
    insert(path, *requests)
    for scope in (project, other):
        set_limit(path, scope, Window.MONTH, 1_000, at_us=1, by=ANNA, reason="")
    with opened(path) as ledger:
        room, other_room = (ledger.budgets.headroom((scope,), NOON_US) for scope in (project, other))
    assert room is not None
    assert room.spendable_nano_usd == 1_000 - 101
    assert other_room is not None
    assert other_room.spendable_nano_usd == 1_000


def test_a_limit_is_a_change_with_who_when_and_what_stood_there(path: Path) -> None:
    set_limit(path, KEY, Window.DAY, 100, at_us=1, by=ANNA, reason="pilot", team="finance")
    set_limit(path, KEY, Window.DAY, None, at_us=2, by=BEN, reason="over", team="finance")
    assert query(
        path, "SELECT by_kind, by_id, action, object_kind, object_id, team, before, after, reason FROM change"
    ) == [
        ("machine", "anna", "set", "limit", "key:key_1:day", "finance", None, '{"nano_usd":100}', "pilot"),
        ("machine", "ben", "lifted", "limit", "key:key_1:day", "finance", '{"nano_usd":100}', None, "over"),
    ]


def limit_rows(path: Path) -> list[tuple[object, ...]]:
    return query(
        path,
        'SELECT scope_kind, scope_id, "window", amount_nano_usd, recorded_by, reason FROM limit_set ORDER BY seq',
    )


def test_a_limit_is_a_row_and_the_newest_of_its_scope_and_window_holds(path: Path) -> None:
    set_limit(path, KEY, Window.DAY, 100, at_us=1, by=ANNA, reason="pilot")
    second = set_limit(path, KEY, Window.DAY, 50, at_us=2, by=BEN, reason="too much")
    set_limit(path, TEAM, Window.MONTH, 70, at_us=3, by=ANNA, reason="")
    assert limit_rows(path) == [
        ("key", "key_1", "day", 100, "machine anna", "pilot"),
        ("key", "key_1", "day", 50, "machine ben", "too much"),
        ("team", "finance", "month", 70, "machine anna", ""),
    ]
    with opened(path) as ledger:
        shortfall = ledger.budgets.reserve((TEAM, KEY), 51, NOON_US)
        assert isinstance(shortfall, Shortfall)
        assert shortfall.limit == Limit(KEY, Window.DAY, 50, second)


def test_a_limit_that_is_lifted_holds_no_more_and_its_rows_stay(path: Path) -> None:
    set_limit(path, KEY, Window.DAY, 0, at_us=1, by=ANNA, reason="")
    set_limit(path, KEY, Window.DAY, None, at_us=2, by=ANNA, reason="lifted")
    with opened(path) as ledger:
        assert ledger.budgets.headroom((KEY,), NOON_US) is None
    assert len(limit_rows(path)) == 2


def test_a_limit_set_beside_a_running_gateway_holds_from_its_next_look(path: Path) -> None:
    with opened(path) as ledger:
        held = ledger.budgets.reserve((TEAM, KEY), 80, NOON_US)
        assert isinstance(held, Reservation)
        set_limit(path, TEAM, Window.DAY, 100, at_us=1, by=ANNA, reason="")
        assert isinstance(ledger.budgets.reserve((TEAM, KEY), 21, NOON_US), Reservation)
        ledger.refresh()
        shortfall = ledger.budgets.reserve((TEAM, KEY), 1, NOON_US)
        assert isinstance(shortfall, Shortfall)
        assert shortfall.held_nano_usd == 101


def test_prices_are_written_once_and_found_again_at_the_next_start(path: Path) -> None:
    sku = "deepseek/deepseek-flash"
    with opened(path) as ledger:
        ledger.ensure_prices(deepseek_prices(sku, 1))
        ledger.ensure_prices(deepseek_prices(sku, 2))
        known = ledger.prices.current(sku, NOON_US)
    with opened(path) as again:
        again.ensure_prices(deepseek_prices(sku, 3))
        assert again.prices.current(sku, NOON_US) == known
    assert query(path, "SELECT count(*), min(recorded_at_us), max(recorded_at_us) FROM price") == [(3, 1, 1)]


def test_a_new_price_holds_from_now_on_and_not_for_what_was_dispatched_before(path: Path) -> None:
    with opened(path) as ledger:
        ledger.ensure_prices([stated_price("model", Rates(output_text=5), 100)])
        ledger.ensure_prices([stated_price("model", Rates(output_text=9), 200)])
        assert ledger.prices.select("model", 199, 0).rates.output_text == 5
        assert ledger.prices.select("model", 200, 0).rates.output_text == 9
        assert ledger.prices.ceiling("model", 150, 250, 0).output_text == 9
    with opened(path) as again:
        assert again.prices.select("model", 0, 0).rates.output_text == 5
        assert again.prices.select("model", 10**15, 0).rates.output_text == 9


def test_a_list_that_lost_a_row_is_written_anew_without_it(tmp_path: Path) -> None:
    """A provider that gives up its peak hours, or its price for long prompts."""
    sku = "deepseek/deepseek-v4-pro"
    monday_0230_us = 1_794_796_200_000_000
    with opened(tmp_path / "ledger.sqlite") as ledger:
        ledger.ensure_prices(deepseek_prices(sku, 1))
        peak = ledger.prices.select(sku, monday_0230_us, 0)
        flat = [replace(row, price_id=f"{row.price_id}x") for row in deepseek_prices(sku, 2) if row.always]
        ledger.ensure_prices(flat)
        assert ledger.prices.select(sku, monday_0230_us, 0).price_id == flat[0].price_id
        assert peak.rates.output_text == 2 * flat[0].rates.output_text


def an_outcome() -> OutcomeRow:
    request = RequestMaker(1)
    request.outcome("gold", "right")
    (_, outcome) = request.rows
    assert isinstance(outcome, OutcomeRow)
    return outcome


def test_outcomes_are_added_beside_a_running_gateway(path: Path) -> None:
    with opened(path):
        add_outcomes(path, [an_outcome()])
        with pytest.raises(sqlite3.IntegrityError):
            add_outcomes(path, [an_outcome()._replace(outcome_id="out_2"), an_outcome()])
    assert query(path, "SELECT outcome_id FROM outcome") == [(an_outcome().outcome_id,)]


def test_whoever_reads_can_write_nothing(path: Path, tmp_path: Path) -> None:
    with opened(path):
        engine = read_only_engine(path)
        with engine.connect() as connection, pytest.raises(Exception, match="readonly"):
            connection.exec_driver_sql("DELETE FROM alembic_version")
        engine.dispose()
    missing = read_only_engine(tmp_path / "none.sqlite")
    with pytest.raises(Exception, match="unable to open"):
        missing.connect()
    assert not (tmp_path / "none.sqlite").exists()
