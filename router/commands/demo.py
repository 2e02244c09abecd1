"""`steelyard demo`: the whole spine on our own documents, with a ledger that is thrown away afterwards."""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ledger.ledger import read_only_engine
from ledger.report_values import PLAN_DIMENSIONS, Dimension
from ledger.reports import spend_report
from router.commands.client import GatewayClient, ending_in_order, own_gateway
from router.commands.demo_audited import INTRODUCTION as AUDITED_INTRODUCTION
from router.commands.demo_audited import (
    LIMIT_USD,
    SCRIPTED,
    SCRIPTED_ROUTE,
    SIMULATED_SAID,
    TEAM,
    Premium,
    audited_policy,
    chosen,
    print_audited,
    print_gain,
    script_of,
)
from router.commands.demo_documents import Sample, documents_folder, read_index
from router.commands.demo_story import INTRODUCTION, Judged, print_conclusion, print_next_steps, print_path
from router.commands.documents import NotTextError, read_document_text
from router.commands.exit_codes import NOTHING, errors_as_sentences
from router.commands.extraction import Extracted, extract, task_name
from router.commands.gold import grade_and_record
from router.commands.keys import open_keys
from router.commands.plan_cost_tables import print_plan_costs
from router.commands.report_tables import print_report
from router.commands.tables import count, stdout_console, words
from router.json_types import JsonObject
from router.providers.pool import Pool
from router.settings import PREMIUM_KEY, load_settings, premium_key
from router.simulated.process import running_scripted

EPILOG = "Example: steelyard demo --limit 5"
PARALLEL = 2
CONFIG = """\
server: {log_requests: false}
providers:
  premium: {base_url: "https://api.openai.com/v1", dialect: openai}
  scripted: {base_url: "http://127.0.0.1:1/v1"}
routes:
  local/smollm2:
    engine: gguf
    weights: smollm2
    context_window: 4096
    max_output_tokens: 400
    slots: 2
    threads: 2
    price: {cpu_usd_per_hour: "0.02"}
  gpt-5.5:                        # called only where its key is there and you say so: else its price is compared with
    provider: premium
    premium: true
    price: gpt-5.5
    context_window: 272000
    max_output_tokens: 128000
"""
REAL = "gpt-5.5"
CONFIG_WITH_KEY = CONFIG.replace("dialect: openai}", f"dialect: openai, key_env: {PREMIUM_KEY}}}")
POLICY = """\
team: demo
models: [local/smollm2]
plans: {cheap: [local/smollm2]}
auto: {extraction: cheap, generation: cheap}
baseline: gpt-5.5
limits: {request_usd: "0.50", day_usd: "5"}
"""


def demo(
    documents: Annotated[
        Path | None, typer.Option(help="The folder with the example documents; else the checkout's.")
    ] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep the ledger in this folder.")] = None,
    limit: Annotated[
        int | None, typer.Option(help="Only so many of the documents that a model answers.", min=0)
    ] = None,
) -> None:
    """Watch the gateway work on real documents, then read its report. No key, no network.

    Exit codes: 0 every document came out as expected (answered or refused, right or wrong), 1 one
    did not, 2 wrong usage, 3 the gateway or the model did not start.
    """
    console = stdout_console()
    with errors_as_sentences(), ending_in_order():
        folder = documents_folder(documents)
        samples = read_index(folder, limit)
        premium = _premium(console)
        with tempfile.TemporaryDirectory(prefix="steelyard-demo-") as scratch:
            home = keep if keep is not None else Path(scratch)
            home.mkdir(parents=True, exist_ok=True)
            judged = _run(console, home, folder, samples, premium)
        if keep is not None:
            console.print(words(f"The ledger is kept: steelyard report --config {keep}/steelyard.yaml"))
        print_next_steps(console, folder.parent.parent)
    if not all(each.as_expected for each in judged):
        raise typer.Exit(NOTHING)


def _run(
    console: Console, home: Path, documents: Path, samples: Sequence[Sample], premium: Premium
) -> list[Judged]:
    if not premium.simulated:
        return _run_with(console, home, documents, samples, premium, CONFIG_WITH_KEY)
    with running_scripted(script_of(documents, home, samples)) as address:
        config = CONFIG.replace("http://127.0.0.1:1", address) + SCRIPTED_ROUTE
        return _run_with(console, home, documents, samples, premium, config)


def _run_with(
    console: Console,
    home: Path,
    documents: Path,
    samples: Sequence[Sample],
    premium: Premium,
    text: str,
) -> list[Judged]:
    config = home / "steelyard.yaml"
    config.write_text(text)
    (home / "policies").mkdir(exist_ok=True)
    (home / "policies" / "demo.yaml").write_text(POLICY)
    (home / "policies" / "audited.yaml").write_text(audited_policy(premium))
    settings = load_settings(config)
    with contextlib.closing(open_keys(settings)) as keys:
        _, key = keys.create("demo", "demo")
        _, audited_key = keys.create(TEAM, "demo")
    for line in INTRODUCTION.splitlines():
        console.print(words(line), soft_wrap=True)
    console.print()
    console.print(words("Starting the gateway and the model ..."))
    with own_gateway(config) as url:
        console.print(words(f"The gateway answers at {url}; {count(len(samples), 'document')} follow."))
        client = GatewayClient(url, key)
        judged = asyncio.run(_ask_all(console, client, documents, samples, settings.ledger_path, print_path))
        _audited(console, GatewayClient(url, audited_key), documents, judged, premium, settings.ledger_path)
    console.print()
    engine = read_only_engine(settings.ledger_path)
    print_report(console, spend_report(engine, by=(Dimension.TEAM, Dimension.MODEL)))
    print_plan_costs(console, spend_report(engine, by=PLAN_DIMENSIONS))
    engine.dispose()
    console.print()
    print_conclusion(console, judged)
    console.print()
    return judged


async def _ask_all(
    console: Console,
    client: GatewayClient,
    documents: Path,
    samples: Sequence[Sample],
    ledger: Path,
    tell: Callable[[Console, int, int, Judged], None],
) -> list[Judged]:
    """Ask for two documents at a time; tell of each one in the index's order."""
    slots = asyncio.Semaphore(PARALLEL)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    async with contextlib.aclosing(Pool()) as pool:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:

            async def one(sample: Sample) -> Judged:
                async with slots:
                    task = bar.add_task(f"{sample.file}: the model is reading")
                    begun = time.monotonic()
                    result = await _ask(client, pool, documents, sample)
                    took_us = round((time.monotonic() - begun) * 1_000_000)
                    bar.remove_task(task)
                return Judged(sample, result, _grade(ledger, result, sample), took_us)

            asked = [asyncio.create_task(one(sample)) for sample in samples]
            judged: list[Judged] = []
            try:
                for number, task in enumerate(asked, 1):
                    judged.append(await task)
                    tell(console, number, len(samples), judged[-1])
            finally:
                for task in asked:
                    task.cancel()
                await asyncio.gather(*asked, return_exceptions=True)
    return judged


def _audited(
    console: Console,
    client: GatewayClient,
    documents: Path,
    judged: Sequence[Judged],
    premium: Premium,
    ledger: Path,
) -> None:
    """The second screen: some of the documents again, with an auditor."""
    before = chosen(judged)
    if not before:
        return
    console.print()
    for line in (AUDITED_INTRODUCTION + (SIMULATED_SAID if premium.simulated else "")).splitlines():
        console.print(words(line), soft_wrap=True)

    def tell(console: Console, number: int, of: int, after: Judged) -> None:
        print_audited(console, number, of, before[number - 1], after)

    samples = [each.sample for each in before]
    after = asyncio.run(_ask_all(console, client, documents, samples, ledger, tell))
    print_gain(console, before, after, premium)


def _premium(console: Console) -> Premium:
    """The real premium model where its key is there and the person at the terminal says so, else the script."""
    if premium_key() is None:
        return Premium(SCRIPTED, simulated=True)
    said = (
        f"{PREMIUM_KEY} is set: the audited path can ask {REAL} at your cost, at most ${LIMIT_USD} "
        "(the team's limit a day)."
    )
    console.print(words(said))
    if sys.stdin.isatty() and typer.confirm("Ask it?", default=False):
        return Premium(REAL, simulated=False)
    console.print(words("It is not asked; a script answers in its place."))
    return Premium(SCRIPTED, simulated=True)


def _grade(ledger: Path, result: Extracted, sample: Sample) -> dict[str, bool]:
    if result.request_id is None or sample.gold is None:
        return {}
    return grade_and_record(ledger, result.request_id, result.answer, sample.gold)


async def _ask(client: GatewayClient, pool: Pool, documents: Path, sample: Sample) -> Extracted:
    schema: JsonObject = orjson.loads((documents.parent / "schemas" / sample.schema).read_bytes())
    try:
        text = await asyncio.to_thread(read_document_text, documents / sample.file)
    except NotTextError as error:
        return Extracted.refused("not_text", str(error))
    return await extract(client, pool, text, schema, task_name(Path(sample.schema)), "auto")
