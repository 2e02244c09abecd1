"""`steelyard extract`: fields out of documents, one JSON line a document."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import aiohttp
import orjson
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ledger.money import format_usd
from router.commands.client import GatewayClient, gateway_client
from router.commands.documents import NotTextError, read_document_text
from router.commands.exit_codes import NOTHING, errors_as_sentences
from router.commands.extraction import Extracted, extract
from router.errors import InvalidRequestError
from router.json_types import JsonObject
from router.settings import CONFIG_NAME

PARALLEL = 4


def extract_files(
    files: Annotated[
        list[Path], typer.Argument(help="Text files, or PDFs with a text layer.", metavar="FILE...")
    ],
    schema: Annotated[Path, typer.Option(help="The JSON schema of the fields.")],
    team: Annotated[str | None, typer.Option(help="The team that asks and pays.")] = None,
    model: Annotated[str, typer.Option(help="A plan or a model.")] = "auto",
    url: Annotated[
        str | None, typer.Option(help="A gateway's address; else STEELYARD_URL, else the configuration's.")
    ] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path(
        CONFIG_NAME
    ),
) -> None:
    """Extract fields from documents: JSON lines on stdout, progress and a summary on stderr.

    Exit codes: 0 every document was answered, 1 at least one was not, 2 wrong usage, 3 no gateway.
    """
    console = Console(stderr=True)
    with errors_as_sentences():
        wanted = _read_schema(schema)
        with gateway_client(config, team, url, None) as client, _bar(console, len(files)) as advance:
            name = schema.name.split(".")[0]
            results = asyncio.run(_all(client, files, wanted, name, model, advance))
    _summary(console, results)
    if any(result.error for result in results):
        raise typer.Exit(NOTHING)


async def _all(
    client: GatewayClient,
    files: list[Path],
    schema: JsonObject,
    name: str,
    model: str,
    advance: Callable[[], None],
) -> list[Extracted]:
    slots = asyncio.Semaphore(PARALLEL)
    async with aiohttp.ClientSession() as session:

        async def one(path: Path) -> Extracted:
            async with slots:
                try:
                    result = await extract(client, session, read_document_text(path), schema, name, model)
                except (NotTextError, OSError) as error:
                    result = Extracted(None, None, str(error), "not_text", None, 0, 0, {})
            _write(path, result)
            advance()
            return result

        return list(await asyncio.gather(*(one(path) for path in files)))


def _write(path: Path, result: Extracted) -> None:
    line: JsonObject = {
        "file": str(path),
        "request_id": result.request_id,
        "answer": result.answer,
        "passed": result.passed,
        "flagged": list(result.flagged),
        "cost_nano_usd": result.cost_nano_usd,
        "error": result.error,
    }
    sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


class Advance:
    """Moves the progress bar by one document."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("extracting", total=total)

    def __call__(self) -> None:
        """One more is done."""
        self._bar.advance(self._task)


@contextlib.contextmanager
def _bar(console: Console, total: int) -> Iterator[Callable[[], None]]:
    with Progress(console=console, transient=True) as bar:
        yield Advance(bar, total)


def _read_schema(path: Path) -> JsonObject:
    try:
        schema = orjson.loads(path.read_bytes())
    except OSError as error:
        raise InvalidRequestError(f"the schema {path} cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"the schema {path} is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise InvalidRequestError(f"the schema {path} must be a JSON object")
    return schema


def _summary(console: Console, results: list[Extracted]) -> None:
    answered = [result for result in results if result.error is None]
    table = Table(box=None, show_header=False)
    fields = sum(len(result.fields) for result in answered)
    table.add_row(
        "documents",
        f"{len(results)}, answered {len(answered)}, passed all checks {sum(r.passed for r in answered)}",
    )
    table.add_row("fields", f"{fields}, doubtful {sum(len(result.flagged) for result in answered)}")
    table.add_row(
        "tokens",
        f"{sum(r.prompt_tokens for r in answered)} in, {sum(r.completion_tokens for r in answered)} out",
    )
    table.add_row("cost", f"{format_usd(sum(result.cost_nano_usd for result in answered))} USD")
    console.print(table)
    for result in results:
        if result.error:
            console.print(f"not answered: {result.error}", style="yellow", markup=False)
