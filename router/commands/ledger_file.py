"""Open a ledger for a command that only reads it, or say in a sentence why not."""

from pathlib import Path

import typer
from sqlalchemy.engine import Engine

from ledger.errors import LedgerError
from ledger.ledger import read_only_engine
from ledger.schema import HEAD, revision_of

NOTHING_FOUND = 1


def open_for_reading(path: Path) -> Engine:
    """An engine on the ledger at `path`, beside a running gateway or without one.

    Ends the command with exit code 1 and a sentence on stderr if there is no ledger to read.
    """
    try:
        found = revision_of(path)
    except LedgerError as error:
        raise refusal(str(error)) from error
    if found is None:
        raise refusal(f"there is no ledger at {path}; start the gateway once, or name another file with --ledger")
    if found != HEAD:
        raise refusal(
            f"{path} has schema {found} and this Steelyard reads {HEAD}; "
            f"{'start the gateway once, which brings it up to date' if found < HEAD else 'upgrade Steelyard'}"
        )
    return read_only_engine(path)


def refusal(sentence: str) -> typer.Exit:
    """Say `sentence` on stderr; the caller raises what this returns, which is exit code 1."""
    typer.echo(f"steelyard: {sentence}", err=True)
    return typer.Exit(NOTHING_FOUND)
