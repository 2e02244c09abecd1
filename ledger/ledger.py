"""The ledger: one file, one writer, budgets in memory, prices by their rows.

Opening takes the file for this process alone, brings it to the newest schema, posts what a crash
left open, and loads what was spent in the current day and month.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import IO
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine

from ledger.budgets import Budgets, Limit, Scope, ScopeKind, Window, project_id, window_bounds
from ledger.changes import Actor, insert_changes, new_change
from ledger.clock import Clock, system_clock
from ledger.errors import LedgerBusyError, LedgerUnavailableError
from ledger.ids import new_id
from ledger.prices import Price, PriceBook
from ledger.recovery import recover
from ledger.rows import EntryRow, OutcomeRow, Row
from ledger.schema import ensure_schema, sqlite_failure
from ledger.usage import UNIT_CLASSES, Rates
from ledger.writer import INSERTS, Done, Notify, Writer, WriterStatus, connect

_PRICE_FIELDS = tuple(field.name for field in fields(Price) if field.name != "rates")
_SPENT = """
    SELECT team, key_id, SUM(cost_nano_usd) FROM entry
    WHERE window_at_us >= ? AND window_at_us < ? AND cost_nano_usd IS NOT NULL GROUP BY team, key_id
"""
_SPENT_OF_PROJECTS = """
    SELECT request.team, request.project, SUM(entry.cost_nano_usd) FROM request
    JOIN entry ON entry.request_id = request.request_id
    WHERE request.at_us >= ? AND request.at_us < ? AND request.project IS NOT NULL
    AND entry.cost_nano_usd IS NOT NULL GROUP BY request.team, request.project
"""
_LIMITS = """
    SELECT scope_kind, scope_id, "window", amount_nano_usd, limit_id FROM limit_set
    WHERE seq IN (SELECT MAX(seq) FROM limit_set GROUP BY scope_kind, scope_id, "window")
"""


class Ledger:
    """An open ledger. Made by `Ledger.open`."""

    def __init__(
        self,
        path: Path,
        lock: IO[str],
        writer: Writer,
        budgets: Budgets,
        prices: PriceBook,
        recovered: Sequence[EntryRow],
    ) -> None:
        self.path = path
        self._lock = lock
        self._writer = writer
        self.budgets = budgets
        self.prices = prices
        self.recovered = tuple(recovered)

    @staticmethod
    def open(
        path: Path, *, clock: Clock = system_clock, disk_reserve_bytes: int = 0, notify: Notify | None = None
    ) -> "Ledger":
        """Open the ledger at `path`, making it if it is not there.

        Raises LedgerBusyError if another process has it, LedgerCorruptError if it is no ledger,
        LedgerUnavailableError if its folder or its disk takes nothing.
        `notify` gets each batch's callbacks, in the writer's thread.
        """
        lock = _take(path)
        try:
            ensure_schema(path)
            at_us = clock()
            with closing(connect(path)) as connection:
                recovered = recover(connection, at_us)
                budgets = Budgets()
                _load_spent(connection, budgets, at_us)
                budgets.set_ledger_limits(_read_limits(connection))
                prices = PriceBook(_read_prices(connection))
            writer = Writer(path, disk_reserve_bytes=disk_reserve_bytes, notify=notify)
        except sqlite3.DatabaseError as error:
            lock.close()
            raise sqlite_failure(path, error) from error
        except BaseException:
            lock.close()
            raise
        return Ledger(path, lock, writer, budgets, prices, recovered)

    def admit(self, rows: Sequence[Row], done: Done) -> None:
        """Write new work: see `Writer.admit`."""
        self._writer.admit(rows, done)

    def record(self, rows: Sequence[Row], done: Done | None = None) -> None:
        """Write facts: see `Writer.record`."""
        self._writer.record(rows, done)

    def refresh(self) -> None:
        """Read again the limits, which another process may have changed."""
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=5.0)
        try:
            self.budgets.set_ledger_limits(_read_limits(connection))
        finally:
            connection.close()

    def ensure_prices(self, prices: Iterable[Price]) -> None:
        """Write the price lists that say something else than what is in force, and use them from now on.

        All rows of a sku are one list, recorded at one time. A sku that had a price before gets the new
        list from its `recorded_at_us` on, not backwards.
        """
        by_sku: dict[str, list[Price]] = {}
        for price in prices:
            by_sku.setdefault(price.sku, []).append(price)
        new: list[Price] = []
        for sku, rows in by_sku.items():
            current = self.prices.current(sku, rows[0].recorded_at_us) if self.prices.knows(sku) else []
            if {row.terms for row in rows} != {row.terms for row in current}:
                new.extend(
                    replace(row, effective_from_us=row.recorded_at_us) if current else row for row in rows
                )
        if new:
            connection = connect(self.path)
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(_price_insert(), [_price_values(price) for price in new])
                connection.execute("COMMIT")
            finally:
                connection.close()
            self.prices.add(new)

    def status(self) -> WriterStatus:
        """Say how the writer is."""
        return self._writer.status()

    def close(self) -> None:
        """Write what is queued, and give the file free."""
        self._writer.close()
        self._lock.close()


def set_limit(
    path: Path,
    scope: Scope,
    window: Window,
    amount_nano_usd: int | None,
    *,
    at_us: int,
    by: Actor,
    reason: str,
    team: str | None = None,
) -> str:
    """Append a limit row and the change that it is, beside a running gateway or without one; return its id.

    None lifts the limit. `team` is whose limit it is, for those who read the changes of one team.
    """
    ensure_schema(path)
    limit_id = new_id("lim", at_us)
    object_id = f"{scope.kind}:{scope.id}:{window}"
    with closing(connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        before = next((limit for limit in _read_limits(connection) if _same(limit, scope, window)), None)
        connection.execute(
            'INSERT INTO limit_set (limit_id, scope_kind, scope_id, "window", amount_nano_usd, recorded_at_us, '
            "recorded_by, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (limit_id, scope.kind.value, scope.id, window.value, amount_nano_usd, at_us, str(by), reason),
        )
        change = new_change(
            by,
            "set" if amount_nano_usd is not None else "lifted",
            "limit",
            object_id,
            at_us=at_us,
            team=team,
            before={"nano_usd": before.amount_nano_usd} if before is not None else None,
            after={"nano_usd": amount_nano_usd} if amount_nano_usd is not None else None,
            reason=reason,
        )
        insert_changes(connection, [change])
        connection.execute("COMMIT")
    return limit_id


def read_limits(path: Path) -> list[Limit]:
    """The limits in force that rows of the ledger at `path` state; none if there is no ledger yet."""
    ensure_schema(path)
    with closing(sqlite3.connect(path, isolation_level=None, timeout=5.0)) as connection:
        return _read_limits(connection)


def read_budgets(path: Path, at_us: int) -> Budgets:
    """What is spent and limited as the rows of the ledger at `path` say, beside whoever writes it."""
    ensure_schema(path)
    budgets = Budgets()
    with closing(sqlite3.connect(path, isolation_level=None, timeout=5.0)) as connection:
        _load_spent(connection, budgets, at_us)
        budgets.set_ledger_limits(_read_limits(connection))
    return budgets


def _same(limit: Limit, scope: Scope, window: Window) -> bool:
    return limit.scope == scope and limit.window is window


def add_outcomes(path: Path, outcomes: Sequence[OutcomeRow]) -> None:
    """Append what somebody knows about answers, beside a running gateway or without one."""
    connection = connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERTS[OutcomeRow], outcomes)
        connection.execute("COMMIT")
    finally:
        connection.close()


def read_only_engine(path: Path) -> Engine:
    """An engine that reads the ledger at `path`, beside whoever writes it."""
    url = URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true"})
    return create_engine(url, connect_args={"timeout": 5.0})


def _take(path: Path) -> IO[str]:
    """Lock the ledger for this process; the lock goes with the process, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(path.name + ".lock").open("a+")
    except OSError as error:
        raise LedgerUnavailableError(
            f"the ledger {path} cannot be opened ({error}); name another folder"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise LedgerBusyError(
            f"the ledger {path} is in use by process {holder}; stop that gateway or name another data folder"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _load_spent(connection: sqlite3.Connection, budgets: Budgets, at_us: int) -> None:
    for window in (Window.DAY, Window.MONTH):
        for team, key_id, spent in connection.execute(_SPENT, window_bounds(window, at_us)):
            budgets.add_spent(Scope(ScopeKind.TEAM, team), window, at_us, spent)
            budgets.add_spent(Scope(ScopeKind.KEY, key_id), window, at_us, spent)
        for team, project, spent in connection.execute(_SPENT_OF_PROJECTS, window_bounds(window, at_us)):
            budgets.add_spent(Scope(ScopeKind.PROJECT, project_id(team, project)), window, at_us, spent)


def _read_limits(connection: sqlite3.Connection) -> list[Limit]:
    return [
        Limit(Scope(ScopeKind(kind), scope_id), Window(window), amount, limit_id)
        for kind, scope_id, window, amount, limit_id in connection.execute(_LIMITS)
        if amount is not None
    ]


def _read_prices(connection: sqlite3.Connection) -> list[Price]:
    columns = (*_PRICE_FIELDS, *UNIT_CLASSES)
    found = connection.execute(f"SELECT {', '.join(columns)} FROM price ORDER BY seq")  # noqa: S608  (our own names)
    return [_price(dict(zip(columns, row, strict=True))) for row in found]


def _price(row: "dict[str, object]") -> Price:
    rates = Rates(**{name: row.pop(name) for name in UNIT_CLASSES})  # type: ignore[arg-type]  # integer columns
    return Price(rates=rates, **row)  # type: ignore[arg-type]  # a row of the table, whose columns are the fields


def _price_insert() -> str:
    columns = (*_PRICE_FIELDS, *UNIT_CLASSES)
    return f"INSERT INTO price ({', '.join(columns)}) VALUES ({', '.join('?' for _ in columns)})"  # noqa: S608  (our own names)


def _price_values(price: Price) -> tuple[object, ...]:
    return (*(getattr(price, name) for name in _PRICE_FIELDS), *price.rates.values())
