"""`steelyard show`: the path of one request, every attempt, its money and reasons.

Exit codes: 0 shown, 1 no such request or no ledger, 2 wrong usage, 3 the ledger cannot be read.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.history import request_history
from router.commands.config_option import ledger_path_of
from router.commands.exit_codes import errors_as_sentences
from router.commands.ledger_file import reading, refusal
from router.commands.path_tree import path_tree
from router.commands.tables import plain, stdout_console

EPILOG = "Example: steelyard show req_01KB0W6Z9G3V5T8XQ2M4N7R1CE --format json"


class Format(StrEnum):
    """How a path is printed."""

    TABLE = "table"
    JSON = "json"


def show(
    request_id: Annotated[str, typer.Argument(help="From the header x-steelyard-request-id: req_...")],
    *,
    output: Annotated[
        Format, typer.Option("--format", help="json is what the HTTP path answers.")
    ] = Format.TABLE,
    ledger: Annotated[Path | None, typer.Option(help="The ledger's file.", metavar="PATH")] = None,
    config: Annotated[
        Path | None, typer.Option(help="The configuration whose ledger is read.", metavar="FILE")
    ] = None,
) -> None:
    """Show the path of one request: what was decided, every attempt, its money, the checks and why.

    Exit codes: 0 shown, 1 there is no such request, 2 wrong usage, 3 the ledger cannot be read.
    """
    with errors_as_sentences():
        path = ledger_path_of(config, ledger)
        with reading(path) as engine:
            history = request_history(engine, request_id)
        if history is None:
            hint = "" if request_id.startswith("req_") else "; a request's id begins with req_"
            raise refusal(f"the ledger {path} holds no request '{plain(request_id)}'{hint}")
        if output is Format.JSON:
            typer.echo(json.dumps(history.to_json(), indent=2, ensure_ascii=False))
        else:
            stdout_console().print(path_tree(history))
