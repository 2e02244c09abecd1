"""Alembic's environment of the ledger's history; there is no ini file."""

from ledger.migrate import run_steps
from ledger.tables import LEDGER_METADATA

run_steps(LEDGER_METADATA)
