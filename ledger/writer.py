"""Group commit: one thread owns the file and writes all that has gathered in one transaction.

Two ways in. `admit` is new work: it may be refused, and is told when its rows are on disk.
`record` is a fact (a settlement, an answer): it is never refused; if the disk is full it waits in
memory and is tried again until it is written, and nothing new is admitted meanwhile. A fact that
nobody waits for joins the next commit, or makes one of its own after 20 ms.

A commit costs about as much as writing thirty rows. So under load the writer lingers a moment
before it takes what has gathered; alone, a request waits for nobody.

SQLite in WAL mode with synchronous=FULL: what was acknowledged survives a power cut. Plain
sqlite3 statements, since every microsecond here is paid by every request.
"""

import logging
import os
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import LedgerError, LedgerUnavailableError
from ledger.rows import AnswerRow, EntryRow, OutcomeRow, RequestRow, Row

BATCH_MAX = 512
QUEUE_MAX = 20_000
SPACE_CHECK_S = 0.2
RETRY_S = 0.25
FACTS_WAIT_S = 0.02
LINGER_S = 0.001
LINGER_FROM = 3
"""Groups in the last commit from which on lingering pays."""
CHECKPOINT_PAGES = 8_000

Done = Callable[[LedgerError | None], None]
Notify = Callable[[Sequence[Callable[[], None]]], None]

_TABLES: dict[type[Row], str] = {
    RequestRow: "request",
    EntryRow: "entry",
    AnswerRow: "answer",
    OutcomeRow: "outcome",
}
INSERTS: dict[type[Row], str] = {
    row: f'INSERT INTO "{table}" ({", ".join(row._fields)}) '  # noqa: S608  (our own names)
    f"VALUES ({', '.join('?' for _ in row._fields)})"
    for row, table in _TABLES.items()
}

_CHUNKS = (64, 16, 4, 1)


def _multi(kind: type[Row], rows: int) -> str:
    head, _, values = INSERTS[kind].partition("VALUES ")
    return f"{head}VALUES {', '.join([values] * rows)}"


_MULTI_INSERTS = {(kind, rows): _multi(kind, rows) for kind in _TABLES for rows in _CHUNKS}
"""Several rows a statement: sqlite3 gives the interpreter's lock away and waits for it again once a
statement, up to 5 ms each time that the event loop is busy."""

_log = logging.getLogger("steelyard.ledger")


@dataclass(frozen=True, slots=True)
class WriterStatus:
    """How the writer is. `detail` says in words why it does not accept."""

    accepting: bool
    detail: str
    queued: int
    facts_unwritten: int


@dataclass(slots=True)
class _Group:
    """Rows that are written together or not at all."""

    rows: Sequence[Row]
    done: Done | None
    is_fact: bool


_NOTHING = _Group((), None, is_fact=True)
"""Wakes the writer without anything to write."""


class Writer:
    """The one thread that writes a ledger file."""

    def __init__(self, path: Path, *, disk_reserve_bytes: int, notify: Notify | None = None) -> None:
        self._path = path
        self._reserve = disk_reserve_bytes
        self._notify = notify if notify is not None else _call_here
        self._queue: queue.SimpleQueue[_Group | None] = queue.SimpleQueue()
        self._facts: deque[_Group] = deque()
        self._asleep = False
        self._last_batch = 0
        self._unwritten: list[_Group] = []
        self._refusal: str | None = None
        self._space_checked_at = 0.0
        self._closed = False
        self._ended = False
        self._connection = connect(path)
        self._check_space()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def admit(self, rows: Sequence[Row], done: Done) -> None:
        """Write new work; `done` is called with None once it is on disk, or with why it is not.

        Raises LedgerUnavailableError at once if nothing new is taken.
        """
        if self._closed:
            raise LedgerUnavailableError("the gateway is shutting down")
        if self._refusal is not None:
            raise LedgerUnavailableError(self._refusal)
        if self._queue.qsize() > QUEUE_MAX:
            raise LedgerUnavailableError(f"{QUEUE_MAX} writes are waiting")
        self._queue.put(_Group(rows, done, is_fact=False))

    def record(self, rows: Sequence[Row], done: Done | None = None) -> None:
        """Write facts with the next commit; `done` makes it soon, and is called once they are on disk."""
        group = _Group(rows, done, is_fact=True)
        if self._ended:
            self._lose([group])
        elif done is not None:
            self._queue.put(group)
        else:
            self._facts.append(group)
            if self._asleep:
                self._asleep = False
                self._queue.put(_NOTHING)

    def status(self) -> WriterStatus:
        """Say how the writer is."""
        detail = "shut down" if self._closed else self._refusal or "ok"
        return WriterStatus(detail == "ok", detail, self._queue.qsize(), len(self._unwritten))

    def close(self) -> None:
        """Write all that is queued, then stop. Facts that cannot be written are logged by id."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()
            self._ended = True
            self._write([*self._unwritten_so_far(), *self._left_over()])
            self._lose(self._unwritten_so_far())
            self._connection.close()

    def _run(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._gather()
            self._check_space()
            self._write([*self._unwritten_so_far(), *batch])

    def _unwritten_so_far(self) -> list[_Group]:
        facts, self._unwritten = self._unwritten, []
        return facts

    def _left_over(self) -> list[_Group]:
        """What came in while the thread ended."""
        groups = list(self._facts)
        while not self._queue.empty():
            group = self._queue.get()
            if group is not None and group is not _NOTHING:
                groups.append(group)
        return groups

    def _lose(self, groups: Sequence[_Group]) -> None:
        """Say in the log and to whoever waits that the ledger was shut down before it could write these."""
        for group in groups:
            _log.error("not written at shutdown: %s", _ids(group.rows))
        self._tell([(group, LedgerUnavailableError("the ledger is shut down")) for group in groups])

    def _gather(self) -> tuple[list[_Group], bool]:
        """Wait for the next groups (or for the time to write or retry facts); True at the end."""
        self._asleep = True
        wait_s = FACTS_WAIT_S if self._facts else RETRY_S if self._unwritten or self._refusal else None
        try:
            group = self._queue.get(timeout=wait_s)
            if group is _NOTHING:
                group = self._queue.get(timeout=FACTS_WAIT_S)
        except queue.Empty:
            group = _NOTHING
        self._asleep = False
        if self._last_batch >= LINGER_FROM:
            time.sleep(LINGER_S)
        batch: list[_Group] = []
        while group is not None and len(batch) < BATCH_MAX:
            batch.append(group)
            try:
                group = self._queue.get_nowait()
            except queue.Empty:
                group = _NOTHING
                break
        if group is not None and group is not _NOTHING:
            batch.append(group)
        while self._facts:
            batch.append(self._facts.popleft())
        self._last_batch = len(batch)
        return [item for item in batch if item is not _NOTHING], group is None

    def _write(self, groups: list[_Group]) -> None:
        if not groups:
            return
        if self._refusal is not None:
            refused = [group for group in groups if not group.is_fact]
            groups = [group for group in groups if group.is_fact]
            self._tell([(group, LedgerUnavailableError(self._refusal)) for group in refused])
        error = self._commit(groups) if groups else None
        if error is None:
            self._tell([(group, None) for group in groups])
        elif _is_of_a_row(error) and len(groups) > 1:
            for group in groups:  # one bad group must not take its neighbours with it
                self._write([group])
        else:
            self._failed(groups, error)

    def _failed(self, groups: list[_Group], error: Exception) -> None:
        if _is_of_a_row(error):
            _log.error("no row of the ledger (%s): %s", error, _ids(groups[0].rows))
            self._tell([(groups[0], LedgerError(f"a row breaks a constraint: {error}"))])
            return
        _log.error("commit failed: %s", error)
        self._refusal = f"the last commit failed ({error})"
        self._unwritten.extend(group for group in groups if group.is_fact)
        refusal = LedgerUnavailableError(self._refusal)
        self._tell([(group, refusal) for group in groups if not group.is_fact])

    def _commit(self, groups: list[_Group]) -> Exception | None:
        by_type: dict[type[Row], list[Row]] = {}
        for group in groups:
            for row in group.rows:
                by_type.setdefault(type(row), []).append(row)
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            for kind, rows in by_type.items():
                _insert(connection, kind, rows)
            connection.execute("COMMIT")
        except (sqlite3.Error, OverflowError, ValueError) as error:
            if connection.in_transaction:
                with suppress(sqlite3.Error):  # the next commit finds it open, fails and rolls it back
                    connection.execute("ROLLBACK")
            return error
        return None

    def _tell(self, results: list[tuple[_Group, LedgerError | None]]) -> None:
        callbacks = [_callback(group.done, error) for group, error in results if group.done is not None]
        if callbacks:
            try:
                self._notify(callbacks)
            except RuntimeError:  # the event loop is closed
                _log.exception(
                    "%d groups are written or refused, and nobody is there to be told", len(callbacks)
                )

    def _check_space(self) -> None:
        """Refuse new work below the reserve, and take it again once there is room."""
        now = time.monotonic()
        if now - self._space_checked_at < SPACE_CHECK_S:
            return
        self._space_checked_at = now
        try:
            stat = os.statvfs(self._path.parent)
        except OSError as error:
            self._refusal = f"the folder where the ledger lies cannot be read ({error})"
            return
        free = stat.f_bavail * stat.f_frsize
        if free < self._reserve:
            self._refusal = f"{free >> 20} MiB are free where the ledger lies, below the reserve of {self._reserve >> 20} MiB"
        elif not self._unwritten:
            self._refusal = None


def connect(path: Path) -> sqlite3.Connection:
    """Open a ledger file for writing, durable to the last commit."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    return connection


def _insert(connection: sqlite3.Connection, kind: type[Row], rows: list[Row]) -> None:
    at = 0
    for size in _CHUNKS:
        while len(rows) - at >= size:
            connection.execute(
                _MULTI_INSERTS[kind, size], [value for row in rows[at : at + size] for value in row]
            )
            at += size


def _is_of_a_row(error: Exception) -> bool:
    """Whether a row is at fault (a constraint, a number beyond 64 bits, text that is no Unicode), and not
    the file or its disk: trying again would not help."""
    return not isinstance(error, sqlite3.OperationalError) and type(error) is not sqlite3.DatabaseError


def _callback(done: Done, error: LedgerError | None) -> Callable[[], None]:
    def call() -> None:
        try:
            done(error)
        except Exception:  # noqa: BLE001  (a caller's failure must not end the thread)
            _log.exception("whoever waited for a group failed when told")

    return call


def _call_here(callbacks: Sequence[Callable[[], None]]) -> None:
    for callback in callbacks:
        callback()


def _ids(rows: Sequence[Row]) -> str:
    return ", ".join(f"{_TABLES[type(row)]} of {row.request_id}" for row in rows)
