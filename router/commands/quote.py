"""`steelyard quote`: one request on every route: what it may cost, what it likely costs, what refuses it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ledger.clock import system_clock
from ledger.money import bound_of
from ledger.prices import PriceBook
from policies.decision import Allow, AtLimit, Deny, Settle
from router.caller import Caller
from router.catalog import Catalog, Origin, Route
from router.classification import classify, facts_of
from router.commands.exit_codes import errors_as_sentences
from router.commands.tables import count, print_whole, stdout_console, usd, words
from router.counting import PromptCounter
from router.errors import InvalidRequestError
from router.planning import Plan, Planner, clamped, image_bound
from router.pricing import missing_prices
from router.processes.counters import TokenCounter
from router.request import ChatRequest
from router.settings import CONFIG_NAME, Settings, load_settings
from router.wire.chat_request import read_chat_request

EPILOG = "Example: steelyard quote request.json --team finance"
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
    """Price one request on every route, cheapest first, without sending it anywhere.

    "at most" is what a hold would set aside; the likely cost counts the prompt exactly where the
    route's tokenizer is known (else four bytes a token) and assumes 300 tokens of output.

    Exit codes: 0 priced, 2 a request, team or configuration that cannot be read, 3 no data folder.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        try:
            asked = read_chat_request(request.read_bytes(), {})
        except OSError as error:
            raise InvalidRequestError(f"{request} cannot be read: {error.strerror}") from error
        lines = asyncio.run(quotes(settings, asked, team))
        print_whole(stdout_console(), _table(lines))


def _table(lines: Sequence[Quote]) -> Table:
    table = Table("route", "prompt tokens", "at most", "likely", "window", "refused because", box=None)
    for line in sorted(lines, key=lambda each: (each.likely_nano_usd is None, each.likely_nano_usd or 0)):
        table.add_row(
            words(line.route.name),
            f"{count(line.prompt_tokens)}{'' if line.counted else ' (estimated)'}",
            usd(line.bound_nano_usd) if line.bound_nano_usd is not None else "-",
            usd(line.likely_nano_usd) if line.likely_nano_usd is not None else "-",
            count(line.route.context_window),
            words(line.refusal),
        )
    return table


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
    guessed = max(1, request.bound.text_tokens // BYTES_PER_TOKEN) + image_bound(request, route)
    prompt = exact if exact is not None else guessed
    planner = Planner(Catalog([route]), prices)

    def plan_with(counted: Mapping[str, int]) -> Plan:
        return planner.plan(request, _open_allow(route), (route.model,), now_us, counted)

    counted = {route.name: exact} if exact is not None else {}
    plan = plan_with({})
    if not plan.attempts:
        plan = plan_with(counted)
    if not plan.attempts:
        perhaps = "perhaps: " if exact is None and prompt < route.context_window else ""
        refusal = perhaps + "; ".join(plan.left_out)
        return Quote(route, prompt, exact is not None, None, None, refusal)
    plan, refusal = _under_policy(settings, request, plan, plan_with(counted), team)
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
    bound = attempt.bound_nano_usd
    return Quote(route, prompt, exact is not None, bound, min(likely, bound), refusal)


def _under_policy(
    settings: Settings, request: ChatRequest, plan: Plan, counted: Plan, team: str | None
) -> tuple[Plan, str]:
    """The plan as `team`'s policy leaves it, and why it refuses the route, "" if it does not.

    As at admission: where the limit a request is short, the exact count comes first, then `at_limit`.
    """
    if team is None:
        return plan, ""
    rulebook = settings.policies.rulebooks[team]
    nobody = Caller("", team, rulebook, ())
    facts = facts_of(request, classify(request, team, b"quote"), nobody)
    decision = rulebook.decide(facts)
    if isinstance(decision, Deny):
        return plan, decision.reason
    route = plan.attempts[0].route
    fallen = rulebook.fallen(facts)
    if route.name in fallen:
        return plan, fallen[route.name]
    if route.model not in decision.routes:
        return plan, f"the team's plan '{decision.plan}' does not hold it"
    limit = decision.per_request_nano_usd
    if limit is None or plan.hold_nano_usd <= limit:
        return plan, ""
    if counted.hold_nano_usd <= limit:
        return counted, ""
    clamps = decision.at_limit is AtLimit.CLAMP
    lowered = clamped(replace(counted, allow=decision), request, limit) if clamps else None
    if lowered is None:
        return counted, f"the team's policy allows {usd(limit)} a request"
    return lowered, ""


def _open_allow(route: Route) -> Allow:
    return Allow(
        plan="quote", routes=(route.model,), permitted=frozenset({route.name}), cheap_routes=(), baseline_route=None, per_request_nano_usd=None,
        at_limit=AtLimit.DENY, min_output_tokens=1, settle=Settle.AFTER, policy_hash="", rule_ids=(),
    )  # fmt: skip
