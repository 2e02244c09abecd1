"""Bring the state file to its newest schema, without Alembic when it is there already."""

from pathlib import Path

from ledger.schema import History, bring_to_head

STATE_HISTORY = History("0003", Path(__file__).parent / "migrations")


def ensure_schema(path: Path) -> None:
    """Migrate the state file at `path`, making it if it is not there: see `bring_to_head`."""
    bring_to_head(path, STATE_HISTORY)
