"""Open a ledger for a command that only reads it, or say in a sentence why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from ledger.errors import LedgerError
from ledger.ledger import read_only_engine
from ledger.schema import HEAD, revision_of
from router.commands.exit_codes import NOTHING, UNREACHABLE


@contextmanager
def reading(path: Path) -> Iterator[Engine]:
    """Read the ledger at `path`, beside a running gateway or without one.

    Ends the command with a sentence on stderr: exit code 1 if there is no ledger, 3 if it cannot be read.
    """
    try:
        found = revision_of(path)
    except LedgerError as error:
        raise refusal(str(error), UNREACHABLE) from error
    if found is None:
        raise refusal(
            f"there is no ledger at {path}; start the gateway once, or name another file with --ledger"
        )
    if found != HEAD:
        advice = "start the gateway once, which brings it up to date" if found < HEAD else "upgrade Steelyard"
        raise refusal(f"{path} has schema {found} and this Steelyard reads {HEAD}; {advice}", UNREACHABLE)
    engine = read_only_engine(path)
    try:
        yield engine
    except DBAPIError as error:
        raise refusal(f"{path} cannot be read ({error.orig}); restore a backup", UNREACHABLE) from error
    finally:
        engine.dispose()


def refusal(sentence: str, code: int = NOTHING) -> typer.Exit:
    """Say `sentence` on stderr; what is returned ends the command with `code` once it is raised."""
    typer.echo(f"steelyard: {sentence}", err=True)
    return typer.Exit(code)
