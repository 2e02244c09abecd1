"""`steelyard extract`: fields out of documents, one JSON line a document, in the order of the files."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ledger.money import format_usd
from router.commands.client import GatewayClient, gateway_client
from router.commands.documents import NotTextError, read_document_text
from router.commands.exit_codes import NOTHING, errors_as_sentences
from router.commands.extraction import Extracted, extract, task_name
from router.commands.tables import plain
from router.errors import InvalidRequestError
from router.json_types import JsonObject
from router.providers.pool import Pool
from router.settings import CONFIG_NAME

PARALLEL = 4
EPILOG = (
    "Example: steelyard extract --schema invoice.schema.json --team finance invoices/*.txt > fields.jsonl"
)


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

    The gateway of the configuration is asked; if none runs, one is started for this command. A
    gateway by address takes its key from STEELYARD_API_KEY.

    Exit codes: 0 every document was answered, 1 at least one was not, 2 wrong usage, 3 no gateway.
    """
    with errors_as_sentences():
        wanted = _read_schema(schema)
        with gateway_client(config, team, url) as client, _bar(len(files)) as advance:
            results = asyncio.run(_all(client, files, wanted, task_name(schema), model, advance))
        _summary(files, results)
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
    """Ask for several documents at a time, and write each line as soon as those before it are out."""
    slots = asyncio.Semaphore(PARALLEL)
    async with contextlib.aclosing(Pool()) as pool:

        async def one(path: Path) -> Extracted:
            async with slots:
                try:
                    text = await asyncio.to_thread(read_document_text, path)
                except NotTextError as error:
                    result = Extracted.refused("not_text", str(error))
                except OSError as error:
                    result = Extracted.refused(
                        "unreadable", f"{path.name} cannot be read: {error.strerror or type(error).__name__}"
                    )
                else:
                    result = await extract(client, pool, text, schema, name, model)
            advance()
            return result

        asked = [asyncio.create_task(one(path)) for path in files]
        try:
            return [_write(path, await task) for path, task in zip(files, asked, strict=True)]
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)


def _write(path: Path, result: Extracted) -> Extracted:
    line: JsonObject = {
        "file": os.fsencode(path).decode(errors="replace"),
        "request_id": result.request_id,
        "answer": result.answer,
        "audit": result.audit,
        "passed": result.passed,
        "flagged": list(result.flagged),
        "cost_nano_usd": result.cost_nano_usd,
        "error": result.error,
        "error_code": result.error_code,
    }
    sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()
    return result


@contextlib.contextmanager
def _bar(total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr where that is a terminal; give what moves it by one document."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("extracting", total=total)
        yield lambda: bar.advance(task)


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


def _summary(files: list[Path], results: list[Extracted]) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
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
    for path, result in zip(files, results, strict=True):
        if result.error:
            console.print(
                f"not answered: {plain(str(path))}: {plain(result.error)}", style="yellow", markup=False
            )
