"""Alembic's environment of the state's history; there is no ini file."""

from ledger.migrate import run_steps
from router.state.tables import STATE_METADATA

run_steps(STATE_METADATA)
