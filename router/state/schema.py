"""Bring the state file to its newest schema, without Alembic when it is there already."""

from pathlib import Path

from ledger.errors import LedgerCorruptError
from ledger.schema import revision_of, run_migration

HEAD = "0001"


def ensure_schema(path: Path) -> None:
    """Migrate the state file at `path`, making it if it is not there.

    Raises LedgerCorruptError for a file that is no state file or comes from a newer Steelyard.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    found = revision_of(path)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise LedgerCorruptError(
            f"{path} was written by a newer Steelyard (schema {found}, this one knows {HEAD}); upgrade Steelyard"
        )
    run_migration("router.state.migrate", path)
