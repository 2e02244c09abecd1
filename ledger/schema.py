"""Bring a file to its newest schema, and refuse what is none of ours.

The version is read with plain SQL. A new file is made from `head.sql`, the newest schema as the
steps of its history leave it (a test holds the two together); Alembic runs, in a process of its
own, only on a file that is behind.
"""

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import LedgerBusyError, LedgerCorruptError, LedgerError, LedgerUnavailableError

HEAD = "0005"


@dataclass(frozen=True, slots=True)
class History:
    """A file's schema through time: the newest revision, and the folder of the steps to it."""

    head: str
    migrations: Path


LEDGER_HISTORY = History(HEAD, Path(__file__).parent / "migrations")


def ensure_schema(path: Path) -> None:
    """Migrate the ledger at `path`, making it if it is not there: see `bring_to_head`."""
    bring_to_head(path, LEDGER_HISTORY)


def bring_to_head(path: Path, history: History) -> None:
    """Bring the file at `path` to the newest schema of `history`, making it if it is not there.

    Raises LedgerCorruptError for a file that is none of ours or comes from a newer Steelyard.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    found = revision_of(path)
    if found is None:
        _make(path, history)
    elif found > history.head:
        raise LedgerCorruptError(
            f"{path} was written by a newer Steelyard (schema {found}, this one knows {history.head}); upgrade Steelyard"
        )
    elif found != history.head:
        _migrate(path, history)


def _make(path: Path, history: History) -> None:
    """Make a new file, wholly or not at all; of two that make it at once the second finds it done."""
    statements = (history.migrations / "head.sql").read_text()
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
            connection.executescript(f"BEGIN IMMEDIATE;\n{statements}COMMIT;")
    except sqlite3.DatabaseError as error:
        if revision_of(path) != history.head:
            raise sqlite_failure(path, error) from error


def _migrate(path: Path, history: History) -> None:
    """Run the steps that are due. Raises LedgerCorruptError with Alembic's last line if one fails."""
    done = subprocess.run(  # noqa: S603  (our own module, our own path)
        [sys.executable, "-m", "ledger.migrate", str(history.migrations), str(path.absolute())],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent,
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.strip().splitlines() if not line.startswith("(Background on")]
        raise LedgerCorruptError(
            f"{path} could not be brought to schema {history.head}: {lines[-1] if lines else 'no message'}"
        )


def revision_of(path: Path) -> str | None:
    """The schema's revision in the file at `path`; None if there is no file or it is empty."""
    if not path.exists():
        return None
    try:
        connection = sqlite3.connect(path)
        try:
            tables = {
                row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
            if not tables:
                return None
            if "alembic_version" not in tables:
                raise LedgerCorruptError(
                    f"{path} is a SQLite file but not one of Steelyard's; name another path"
                )
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise sqlite_failure(path, error) from error
    return str(row[0]) if row else None


def sqlite_failure(path: Path, error: sqlite3.DatabaseError) -> LedgerError:
    """Say what SQLite's `error` means for the file at `path`: in use, out of reach, or damaged."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LedgerBusyError(
            f"{path} is being written by another program ({error}); try again when it is done"
        )
    if isinstance(error, sqlite3.OperationalError) and code != sqlite3.SQLITE_ERROR:
        return LedgerUnavailableError(
            f"{path} cannot be used ({error}); look at its folder, its rights and the space on its disk"
        )
    return LedgerCorruptError(
        f"{path} is not a readable SQLite file ({error}); move it away and keep it, or restore a backup"
    )
