"""Bring a ledger file to its newest schema, and refuse what is no ledger.

The version is read with plain SQL; Alembic runs, in a process of its own, only if it is behind.
"""

import sqlite3
import subprocess
import sys
from pathlib import Path

from ledger.errors import LedgerCorruptError

HEAD = "0001"


def ensure_schema(path: Path) -> None:
    """Migrate the ledger at `path`, making it if it is not there.

    Raises LedgerCorruptError for a file that is no ledger or comes from a newer Steelyard.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    found = revision_of(path)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise LedgerCorruptError(
            f"{path} was written by a newer Steelyard (schema {found}, this one knows {HEAD}); upgrade Steelyard"
        )
    run_migration("ledger.migrate", path)


def run_migration(module: str, path: Path) -> None:
    """Run `module` as a program on `path`. Raises LedgerCorruptError with its last line if it fails."""
    done = subprocess.run(  # noqa: S603  (our own module, our own path)
        [sys.executable, "-m", module, str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise LedgerCorruptError(f"{path} could not be brought to schema {HEAD}: {last}")


def revision_of(path: Path) -> str | None:
    """The schema's revision in the file at `path`; None if there is no file or it is empty."""
    if not path.exists():
        return None
    connection = sqlite3.connect(path)
    try:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return None
        if "alembic_version" not in tables:
            raise LedgerCorruptError(f"{path} is a SQLite file but not one of Steelyard's; name another path")
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise LedgerCorruptError(
            f"{path} is not a readable SQLite file ({error}); move it away, or restore a backup"
        ) from error
    finally:
        connection.close()
    return str(row[0]) if row else None
