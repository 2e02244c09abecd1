"""`steelyard quote`: one request on every route: what it may cost, what it likely costs, what refuses it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ledger.clock import system_clock
from ledger.money import bound_of
from ledger.prices import PriceBook
from policies.decision import Allow, AtLimit, Settle
from router.caller import Caller
from router.catalog import Catalog, Origin, Route
from router.commands.exit_codes import errors_as_sentences
from router.commands.explained import Explained, explained, rulebook_of
from router.commands.tables import count, print_whole, stdout_console, usd, words
from router.counting import PromptCounter
from router.errors import GatewayError, InvalidRequestError
from router.planning import Plan, PlannedAttempt, Planner, image_bound
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
    team: Annotated[
        str | None,
        typer.Option(help="Also say what this team's whole plan holds, and what its policy refuses."),
    ] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path(
        CONFIG_NAME
    ),
) -> None:
    """Price one request on every route, cheapest first, without sending it anywhere.

    "at most" is what a hold would set aside for that route's answer; the likely cost counts the prompt exactly
    where the route's tokenizer is known (else four bytes a token) and assumes 300 tokens of output. With --team,
    what the gateway would hold for the whole plan: its answers, their audit, the escalation.

    Exit codes: 0 priced, 2 a request, team or configuration that cannot be read, 3 no data folder.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        try:
            asked = read_chat_request(request.read_bytes(), {})
        except OSError as error:
            raise InvalidRequestError(f"{request} cannot be read: {error.strerror}") from error
        told = _under_policy(settings, asked, team) if team is not None else None
        lines = asyncio.run(_quotes(settings, asked, told))
        console = stdout_console()
        print_whole(console, _table(lines))
        if told is not None:
            console.print()
            _print_plan(console, told)


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


async def _quotes(
    settings: Settings, request: ChatRequest, told: Explained | GatewayError | None
) -> list[Quote]:
    """Price `request` on every route of `settings`."""
    prices = PriceBook(missing_prices(settings, PriceBook(), system_clock()))
    helper = TokenCounter(settings.data_dir / "tokenizers")
    counter = PromptCounter(helper, {})
    try:
        return [await _quote(settings, prices, counter, request, route, told) for route in settings.routes]
    finally:
        await helper.close()


async def _quote(
    settings: Settings,
    prices: PriceBook,
    counter: PromptCounter,
    request: ChatRequest,
    route: Route,
    told: Explained | GatewayError | None,
) -> Quote:
    now_us = system_clock()
    exact = None if route.origin is Origin.LOCAL else await counter.prompt_tokens(request, route)
    guessed = max(1, request.bound.text_tokens // BYTES_PER_TOKEN) + image_bound(request, route)
    prompt = exact if exact is not None else guessed
    planner = Planner(Catalog([route]), prices)

    def plan_with(counted: Mapping[str, int]) -> Plan:
        return planner.plan(request, _open_allow(route), (route.model,), now_us, counted)

    plan = plan_with({})
    if not plan.attempts and exact is not None:
        plan = plan_with({route.name: exact})
    if not plan.attempts:
        perhaps = "perhaps: " if exact is None and prompt < route.context_window else ""
        refusal = perhaps + "; ".join(plan.left_out)
        return Quote(route, prompt, exact is not None, None, None, refusal)
    attempt, refusal = plan.attempts[0], ""
    if told is not None:
        attempt, refusal = _of_the_plan(settings, attempt, told)
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


def _under_policy(settings: Settings, request: ChatRequest, team: str) -> Explained | GatewayError:
    """What would be decided for `team`, up to the money that the whole plan holds. Raises InvalidRequestError."""
    rulebook = rulebook_of(settings, team)
    try:
        return explained(settings, request, Caller("", team, rulebook, ()))
    except GatewayError as error:
        return error


def _of_the_plan(
    settings: Settings, attempt: PlannedAttempt, told: Explained | GatewayError
) -> tuple[PlannedAttempt, str]:
    """The route's attempt as the team's plan has it, and why it would not answer, "" if it may."""
    if isinstance(told, GatewayError):
        return attempt, str(told)
    if told.plan is None or told.allow is None:
        return attempt, str(told.refusal)
    plan, route = told.plan, attempt.route
    planned = {each.route.name: each for each in plan.attempts}.get(route.name)
    if planned is not None:
        return planned, _beyond_limit(told, plan) if told.refusal is not None else ""
    fallen = settings.policies.rulebooks[told.caller.team].fallen(told.explanation.facts)
    if route.name in fallen:
        return attempt, fallen[route.name]
    asked = [said for said, each in _parts(plan) if route.name in {other.route.name for other in each}]
    if asked:
        return attempt, f"it does not answer: {', '.join(asked)}"
    return attempt, f"the team's plan '{told.allow.plan}' does not hold it"


def _beyond_limit(told: Explained, plan: Plan) -> str:
    limit = told.allow.per_request_nano_usd if told.allow is not None else None
    if limit is None:
        return str(told.refusal)
    whole = f", and the whole plan holds {usd(plan.hold_nano_usd)}" if len(plan.every) > 1 else ""
    return f"the team's policy allows {usd(limit)} a request{whole}"


def _parts(plan: Plan) -> tuple[tuple[str, tuple[PlannedAttempt, ...]], ...]:
    """What is held for besides an answer, by what is said of it."""
    return ("audits", plan.audit), ("escalates", plan.escalation), ("grades", (*plan.grade, *plan.grade))


def _print_plan(console: Console, told: Explained | GatewayError) -> None:
    """Say what would be held for the request, as the gateway holds it before a byte leaves."""
    if isinstance(told, Explained) and told.plan is not None and told.plan.attempts:
        plan = told.plan
        parts = (("answers", plan.attempts), *_parts(plan))
        held = "; ".join(
            f"{said} {', '.join(f'{each.route.name} {usd(each.bound_nano_usd)}' for each in attempts)}"
            for said, attempts in parts
            if attempts
        )
        console.print(
            words(f"plan {plan.name} holds at most {usd(plan.hold_nano_usd)}: {held}"), soft_wrap=True
        )
    for note in told.notes if isinstance(told, Explained) else ():
        console.print(words(note), soft_wrap=True)
    refusal = told.refusal if isinstance(told, Explained) else told
    if refusal is not None:
        console.print(words(f"refused: {refusal}"), soft_wrap=True)


def _open_allow(route: Route) -> Allow:
    return Allow(
        plan="quote", routes=(route.model,), permitted=frozenset({route.name}), cheap_routes=(), baseline_route=None, per_request_nano_usd=None,
        at_limit=AtLimit.DENY, min_output_tokens=1, settle=Settle.AFTER, policy_hash="", rule_ids=(),
    )  # fmt: skip
