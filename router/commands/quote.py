"""`steelyard quote`: one request on every route: what it may cost, what it likely costs, what refuses it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ledger.clock import system_clock
from ledger.money import bound_of, format_usd
from ledger.prices import PriceBook
from policies.decision import Allow, AtLimit, Deny, Settle
from policies.engine import decide
from router.catalog import Catalog, Origin, Route
from router.classification import classify, facts_of
from router.commands.exit_codes import errors_as_sentences
from router.counting import PromptCounter
from router.errors import InvalidRequestError
from router.planning import Planner
from router.pricing import missing_prices
from router.processes.counters import TokenCounter
from router.request import ChatRequest
from router.settings import CONFIG_NAME, Settings, load_settings
from router.wire.chat_request import read_chat_request

LIKELY_OUTPUT_TOKENS = 300
BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Quote:
    """One route's line. Money in nano-USD; None where it refuses."""

    route: Route
    prompt_tokens: int
    counted: bool
    bound_nano_usd: int | None
    likely_nano_usd: int | None
    refusal: str


def quote(
    request: Annotated[Path, typer.Argument(help="A chat request as JSON.", metavar="REQUEST.json")],
    team: Annotated[str | None, typer.Option(help="Also say what this team's policy refuses.")] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path(
        CONFIG_NAME
    ),
) -> None:
    """Price one request on every route, without sending it anywhere.

    The bound is what a hold would set aside; the likely cost counts the prompt exactly where the
    route's tokenizer is known (else four bytes a token) and assumes 300 tokens of output.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        try:
            asked = read_chat_request(request.read_bytes(), {})
        except OSError as error:
            raise InvalidRequestError(f"{request} cannot be read: {error.strerror}") from error
        lines = asyncio.run(quotes(settings, asked, team))
    table = Table(
        "route", "prompt tokens", "at most USD", "likely USD", "window", "refused because", box=None
    )
    for line in sorted(lines, key=lambda each: (each.likely_nano_usd is None, each.likely_nano_usd or 0)):
        table.add_row(
            line.route.name,
            f"{line.prompt_tokens}{'' if line.counted else ' (estimated)'}",
            format_usd(line.bound_nano_usd) if line.bound_nano_usd is not None else "-",
            format_usd(line.likely_nano_usd) if line.likely_nano_usd is not None else "-",
            str(line.route.context_window),
            line.refusal,
        )
    Console(soft_wrap=True).print(table)


async def quotes(settings: Settings, request: ChatRequest, team: str | None) -> list[Quote]:
    """Price `request` on every route of `settings`."""
    if team is not None and team not in settings.policies.teams:
        raise InvalidRequestError(
            f"there is no policy for team '{team}'; teams are {', '.join(settings.policies.teams)}"
        )
    prices = PriceBook(missing_prices(settings, PriceBook(), system_clock()))
    helper = TokenCounter(settings.data_dir / "tokenizers")
    counter = PromptCounter(helper, {})
    try:
        return [await _quote(settings, prices, counter, request, route, team) for route in settings.routes]
    finally:
        await helper.close()


async def _quote(
    settings: Settings,
    prices: PriceBook,
    counter: PromptCounter,
    request: ChatRequest,
    route: Route,
    team: str | None,
) -> Quote:
    now_us = system_clock()
    exact = None if route.origin is Origin.LOCAL else await counter.prompt_tokens(request, route)
    prompt = exact if exact is not None else max(1, request.bound.text_tokens // BYTES_PER_TOKEN)
    planner = Planner(Catalog([route]), prices)
    allow = _open_allow(route)
    counted = {route.name: prompt} if exact is not None else {}
    plan = planner.plan(request, allow, (route.model,), now_us, counted)
    refusal = "; ".join(plan.left_out) or _policy_refusal(settings, request, route, team)
    if not plan.attempts:
        return Quote(route, prompt, exact is not None, None, None, refusal)
    attempt = plan.attempts[0]
    price = prices.select(route.price_sku, now_us, prompt)
    output = min(attempt.max_tokens, LIKELY_OUTPUT_TOKENS) * request.choices
    cpu_us = (prompt // 200 + output // 40) * 1_000_000 * route.compute_threads  # a small model on two cores
    likely = bound_of(
        (
            (prompt, price.rates.input_uncached),
            (output, price.rates.output_text),
            (cpu_us, price.rates.cpu_us),
        )
    )
    return Quote(
        route, prompt, exact is not None, attempt.bound_nano_usd, min(likely, attempt.bound_nano_usd), refusal
    )


def _policy_refusal(settings: Settings, request: ChatRequest, route: Route, team: str | None) -> str:
    if team is None:
        return ""
    policy = settings.policies.teams[team]
    facts = facts_of(request, classify(request, team, b"quote"), team)
    decision = decide(policy, facts)
    if isinstance(decision, Deny):
        return decision.reason
    return "" if route.model in decision.routes else f"the team's plan '{decision.plan}' does not hold it"


def _open_allow(route: Route) -> Allow:
    return Allow(
        plan="quote", routes=(route.model,), cheap_routes=(), baseline_route=None, per_request_nano_usd=None,
        at_limit=AtLimit.DENY, min_output_tokens=1, settle=Settle.AFTER, policy_hash="", rule_ids=(),
    )  # fmt: skip
