"""`steelyard outcome`: a person says whether an answer, or a field of it, was right."""

from pathlib import Path
from typing import Annotated

import typer

from ledger.clock import system_clock
from ledger.history import request_history
from ledger.ledger import add_outcomes
from ledger.rows import OutcomeSource
from router.commands.config_option import ledger_path_of
from router.commands.exit_codes import errors_as_sentences
from router.commands.ledger_file import reading, refusal
from router.commands.tables import plain
from router.errors import InvalidRequestError
from router.told_outcomes import Told, told_rows

EPILOG = "Example: steelyard outcome req_01KB0W6Z9G3V5T8XQ2M4N7R1CE --wrong total --right company"


def outcome(
    request_id: Annotated[str, typer.Argument(help="From the header x-steelyard-request-id: req_...")],
    *,
    right: Annotated[
        list[str] | None, typer.Option(help='A field that is right; "" is the whole answer.', metavar="FIELD")
    ] = None,
    wrong: Annotated[
        list[str] | None, typer.Option(help='A field that is wrong; "" is the whole answer.', metavar="FIELD")
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="The ledger's file.", metavar="PATH")] = None,
    config: Annotated[
        Path | None, typer.Option(help="The configuration whose ledger is written.", metavar="FILE")
    ] = None,
) -> None:
    """Say whether an answer was right, as a whole or by field; the ledger keeps it with its source.

    Exit codes: 0 written, 1 there is no such request, 2 wrong usage, 3 the ledger cannot be written.
    """
    told = [Told(field, right=True) for field in right or ()]
    told += [Told(field, right=False) for field in wrong or ()]
    with errors_as_sentences():
        if not told:
            raise InvalidRequestError("say what is right or wrong: --right FIELD or --wrong FIELD")
        path = ledger_path_of(config, ledger)
        with reading(path) as engine:
            history = request_history(engine, request_id)
        if history is None:
            raise refusal(f"the ledger {path} holds no request '{plain(request_id)}'")
        add_outcomes(path, told_rows(history, told, OutcomeSource.PERSON, system_clock()))
        typer.echo(f"{len(told)} written about {request_id}")
