"""The state file as those see it who change something in it.

Every change is also a row of the ledger, which is another file. So the row is written here first,
in the change's own transaction, and delivered after it; what a crash leaves undelivered goes with
the next change, or at the gateway's next start.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ledger.changes import Actor, Change, Facts, new_change, record_changes
from ledger.clock import Clock
from ledger.errors import LedgerError
from ledger.schema import sqlite_failure
from router.state.schema import ensure_schema


class StateFile:
    """An open state file, for one thread. `by` is who changes something."""

    def __init__(self, path: Path, ledger_path: Path, clock: Clock, by: Actor) -> None:
        ensure_schema(path)
        self._path = path
        self._ledger_path = ledger_path
        self.clock = clock
        self.by = by
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        self.connection.execute("PRAGMA foreign_keys=ON")

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One transaction, and the delivery of what it noted.

        Raises LedgerError if the file is locked, out of reach or damaged.
        """
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise sqlite_failure(self._path, error) from error
        with suppress(LedgerError):  # it waits here, and is delivered with the next one
            self.deliver()

    def note(
        self,
        action: str,
        object_kind: str,
        object_id: str,
        *,
        team: str | None = None,
        before: Facts | None = None,
        after: Facts | None = None,
        reason: str = "",
    ) -> None:
        """Note, within `changing`, what is changed."""
        change = new_change(
            self.by,
            action,
            object_kind,
            object_id,
            at_us=self.clock(),
            team=team,
            before=before,
            after=after,
            reason=reason,
        )
        self.connection.execute(
            "INSERT INTO pending_change (change_id, fields) VALUES (?, ?)",
            (change.change_id, json.dumps(change)),
        )

    def deliver(self) -> None:
        """Bring what was noted into the ledger. Raises LedgerError if that takes nothing now."""
        found = self.connection.execute("SELECT fields FROM pending_change ORDER BY change_id").fetchall()
        changes = [Change(*json.loads(fields)) for (fields,) in found]
        record_changes(self._ledger_path, changes)
        self.connection.executemany(
            "DELETE FROM pending_change WHERE change_id = ?", [(change.change_id,) for change in changes]
        )

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
