"""`steelyard demo`: the whole spine on 24 documents, with a ledger that is thrown away afterwards."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import aiohttp
import orjson
import typer
from rich.console import Console

from ledger.ledger import read_only_engine
from ledger.money import format_usd
from ledger.report_values import Dimension
from ledger.reports import spend_report
from router.commands.client import GatewayClient, own_gateway
from router.commands.documents import NotTextError, read_document_text
from router.commands.exit_codes import errors_as_sentences
from router.commands.extraction import Extracted, extract
from router.commands.gold import grade_and_record
from router.commands.keys import open_keys
from router.commands.report_tables import print_report
from router.errors import InvalidRequestError
from router.json_types import JsonObject
from router.settings import load_settings

CONFIG = """\
server: {log_requests: false}
providers:
  premium: {base_url: "https://api.openai.com/v1", dialect: openai}
routes:
  local/smollm2:
    engine: gguf
    weights: smollm2
    context_window: 4096
    max_output_tokens: 400
    slots: 2
    threads: 2
    price: {cpu_usd_per_hour: "0.02"}
  gpt-5.5:                        # never called here: its price is what the report compares with
    provider: premium
    premium: true
    price: gpt-5.5
    context_window: 272000
    max_output_tokens: 128000
"""
POLICY = """\
team: demo
models: [local/smollm2]
plans: {cheap: [local/smollm2]}
auto: {extraction: cheap, generation: cheap}
baseline: gpt-5.5
limits: {request_usd: "0.50", day_usd: "5"}
"""
INTRODUCTION = """\
A request comes in over HTTP, the team's policy picks a route, a model on this machine answers,
checks judge each field, and every token goes into a SQL ledger. The model is [bold]SmolLM2-135M[/bold], a
stand-in of 98 MB that is often wrong: what you see is how the gateway notices it.
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of the examples' index."""

    file: str
    schema: str
    gold: JsonObject | None
    about: str


def demo(
    documents: Annotated[Path, typer.Option(help="The folder with the example documents.")] = Path(
        "examples/documents"
    ),
    keep: Annotated[Path | None, typer.Option(help="Keep the ledger in this folder.")] = None,
) -> None:
    """Watch the gateway work on real documents, then read its report. No key, no network."""
    console = Console()
    with errors_as_sentences():
        samples = _samples(documents)
        with tempfile.TemporaryDirectory(prefix="steelyard-demo-") as scratch:
            folder = keep if keep is not None else Path(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            _run(console, folder, documents, samples)
            if keep is not None:
                console.print(f"The ledger is in {folder}: steelyard report --config {folder}/steelyard.yaml")


def _run(console: Console, folder: Path, documents: Path, samples: Sequence[Sample]) -> None:
    config = folder / "steelyard.yaml"
    config.write_text(CONFIG)
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies" / "demo.yaml").write_text(POLICY)
    settings = load_settings(config)
    keys = open_keys(settings)
    _, key = keys.create("demo", "demo")
    keys.close()
    console.print(INTRODUCTION)
    console.print("Starting the gateway and the model ...")
    with own_gateway(config, folder / "gateway.log") as url:
        console.print(f"The gateway answers at {url}; {len(samples)} documents follow.\n")
        results = asyncio.run(
            _ask_all(console, GatewayClient(url, key), documents, samples, settings.ledger_path)
        )
    engine = read_only_engine(settings.ledger_path)
    console.print()
    print_report(console, spend_report(engine, by=(Dimension.TEAM, Dimension.MODEL)))
    engine.dispose()
    _conclude(console, results)


async def _ask_all(
    console: Console, client: GatewayClient, documents: Path, samples: Sequence[Sample], ledger: Path
) -> list[Extracted]:
    results: list[Extracted] = []
    async with aiohttp.ClientSession() as session:
        slots = asyncio.Semaphore(2)

        async def one(sample: Sample) -> None:
            async with slots:
                result = await _ask(client, session, documents, sample)
            graded = (
                grade_and_record(ledger, result.request_id, result.answer, sample.gold)
                if result.request_id is not None and sample.gold is not None
                else {}
            )
            _show(console, sample, result, graded)
            results.append(result)

        await asyncio.gather(*(one(sample) for sample in samples))
    return results


async def _ask(
    client: GatewayClient, session: aiohttp.ClientSession, documents: Path, sample: Sample
) -> Extracted:
    schema: JsonObject = orjson.loads((documents.parent / "schemas" / sample.schema).read_bytes())
    try:
        text = read_document_text(documents / sample.file)
    except NotTextError as error:
        return Extracted(None, None, str(error), "not_text", None, 0, 0, {})
    return await extract(client, session, text, schema, sample.schema.split(".")[0], "auto")


def _show(console: Console, sample: Sample, result: Extracted, graded: dict[str, bool]) -> None:
    if result.error is not None:
        console.print(f"[yellow]refused[/] {sample.file}: {result.error_code}", highlight=False)
        console.print(f"          {result.error[:160]}", style="dim", markup=False, highlight=False)
        return
    details = result.details
    right = sum(graded.values())
    mark = (
        "[green]right[/]  " if graded and right == len(graded) else "[red]wrong[/]  " if graded else "answer "
    )
    console.print(
        f"{mark} {sample.file}: plan {details.get('plan')}, route {details.get('route')}, "
        f"{result.completion_tokens} tokens, {format_usd(result.cost_nano_usd)} USD",
        highlight=False,
    )
    doubtful = result.flagged
    checks = f"checks doubt {', '.join(doubtful)}" if doubtful else "checks doubt nothing"
    console.print(
        f"          {right} of {len(graded)} fields right; {checks}",
        style="dim",
        markup=False,
        highlight=False,
    )


def _conclude(console: Console, results: Sequence[Extracted]) -> None:
    answered = [result for result in results if result.error is None]
    asked = sum(bool(result.flagged) or not result.passed for result in answered)
    console.print(
        f"\nA premium auditor would have been asked about [bold]{asked} of {len(answered)}[/bold] answers, "
        f"{sum(len(result.flagged) for result in answered)} fields in all, and seen only the evidence for those.\n"
    )
    console.print("What to do next", style="bold")
    console.print(
        "  cp -r examples/steelyard.yaml examples/policies .   a configuration and a team's rules to adapt\n"
        "  .venv/bin/steelyard keys create --team demo         a key for your application\n"
        "  .venv/bin/steelyard serve                           then point an OpenAI client at http://127.0.0.1:8400/v1",
        markup=False,
        highlight=False,
    )


def _samples(documents: Path) -> list[Sample]:
    index = documents / "index.jsonl"
    if not index.is_file():
        raise InvalidRequestError(
            f"there are no example documents at {documents}; run this in a checkout of the repository, or name the folder with --documents"
        )
    lines = [orjson.loads(line) for line in index.read_bytes().splitlines() if line.strip()]
    return [Sample(line["file"], line["schema"], line["gold"], line["about"]) for line in lines]
