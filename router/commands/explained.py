"""What the gateway would decide about a request, found with the gateway's own parts, and nothing sent."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from ledger.budgets import Shortfall
from ledger.clock import system_clock
from ledger.prices import PriceBook
from policies.decision import Allow, AtLimit
from policies.explanation import Explanation, explain
from policies.facts import Facts
from policies.rulebook import Rulebook
from router.admission import refusal
from router.caller import Caller
from router.catalog import Catalog, Origin, Route
from router.checking import Checker
from router.commands.tables import usd
from router.counting import PromptCounter
from router.deciding import allowed, decide
from router.errors import GatewayError, InvalidRequestError
from router.planning import Plan, Planner, clamped, refuse_empty, without_cost
from router.pricing import missing_prices
from router.processes.counters import TokenCounter
from router.request import ChatRequest
from router.sampling import Sampling
from router.settings import Settings
from router.wire.chat_request import read_chat_request
from verifiers.gate import Gate

_NO_PEPPER = b"explained"
"""Hashes of a request that is not kept are compared with no other."""
_WITHOUT_CHANCE = Sampling(lambda: 1 - 1e-12)
"""Chooses what is certain alone."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One request, from its file to what would be held for it."""

    request: ChatRequest
    caller: Caller
    explanation: Explanation
    refusal: GatewayError | None
    """What the client would get."""
    allow: Allow | None
    plan: Plan | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Purse:
    """What would be held, and what the limit a request makes of it."""

    plan: Plan
    refusal: GatewayError | None
    notes: tuple[str, ...] = ()


def read_request(path: Path, *, model: str | None, label: str | None, purpose: str | None) -> ChatRequest:
    """Read a chat request from a file, with what is given said in the client's place. Raises InvalidRequestError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidRequestError(f"{path} cannot be read: {error.strerror}") from error
    said = {key: value for key, value in (("label", label), ("purpose", purpose)) if value is not None}
    if model is not None or said:
        data = _changed(data, model, said)
    try:
        return read_chat_request(data, {})
    except InvalidRequestError as error:
        raise InvalidRequestError(f"{path} is no chat request: {error}") from error


def _changed(data: bytes, model: str | None, said: Mapping[str, str]) -> bytes:
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        return data  # whoever reads it says what is wrong
    if not isinstance(body, dict):
        return data
    if model is not None:
        body["model"] = model
    declared = body.get("steelyard", {})
    if said and isinstance(declared, dict):
        body["steelyard"] = {**declared, **said}
    return orjson.dumps(body)


def rulebook_of(settings: Settings, team: str | None) -> Rulebook:
    """The rules of a team, or of the only one. Raises InvalidRequestError."""
    rulebooks = settings.policies.rulebooks
    if team is None and len(rulebooks) == 1:
        return next(iter(rulebooks.values()))
    if team is None:
        raise InvalidRequestError(f"say whose request it is, with --team; teams are {', '.join(rulebooks)}")
    if team not in rulebooks:
        raise InvalidRequestError(f"there is no policy for team '{team}'; teams are {', '.join(rulebooks)}")
    return rulebooks[team]


def facts_explained(settings: Settings, facts: Facts) -> Explanation:
    """Decide about facts as they stand, and say why."""
    policies = settings.policies
    return explain(policies.rulebooks[facts.team], facts, settings.route_facts, policies.organisation)


def explained(settings: Settings, request: ChatRequest, caller: Caller) -> Explained:
    """Go the way of the pipeline up to the money. Raises NotFoundError for a model that nobody serves."""
    catalog = Catalog(settings.routes)
    if not catalog.known(request.model):
        raise catalog.unknown(request.model)
    Checker(Gate()).schema_of(request)
    decided = decide(request, caller, _NO_PEPPER)
    explanation = facts_explained(settings, decided.facts)
    try:
        allow = allowed(request, decided.decision, caller)
    except GatewayError as error:
        return Explained(request, caller, explanation, error, None, None, ())
    purse = asyncio.run(_planned(settings, catalog, request, allow, caller))
    notes = purse.notes
    if caller.models is not None:
        notes = (f"the key may use {', '.join(sorted(caller.models))}, and no other model answers it", *notes)
    return Explained(request, caller, explanation, purse.refusal, allow, purse.plan, notes)


async def _planned(
    settings: Settings, catalog: Catalog, request: ChatRequest, allow: Allow, caller: Caller
) -> _Purse:
    """The plan and its worst case, and what would stop it, whatever is spent already. As at admission: an exact
    count of those routes whose window the bound does not fit; of all where the limit does not; then `at_limit`."""
    now_us = system_clock()
    planner = Planner(catalog, PriceBook(missing_prices(settings, PriceBook(), now_us)))
    judged, allow = allow, _WITHOUT_CHANCE.chosen(allow, request.kind)
    plan = planner.plan(request, allow, allow.routes, now_us, {})
    limit = allow.per_request_nano_usd
    counted: dict[str, int] = {}
    if plan.uncounted:
        counted = await _count(settings, request, plan.uncounted)
        plan = planner.plan(request, allow, allow.routes, now_us, counted)
    try:
        refuse_empty(plan, request)
    except GatewayError as error:
        return _Purse(plan, error)
    if limit is not None and plan.hold_nano_usd > limit:
        counted |= await _count(
            settings, request, [each.route for each in (*plan.attempts, *plan.escalation)]
        )
        plan = planner.plan(request, allow, allow.routes, now_us, counted)
    more = planner.plan(request, judged, judged.routes, now_us, counted).hold_nano_usd
    notes: tuple[str, ...] = ()
    if more > plan.hold_nano_usd:
        notes = (f"where chance chooses it to be audited or graded, {usd(more)} would be held",)
    if limit is None or plan.hold_nano_usd <= limit:
        return _Purse(plan, None, notes)
    short = f"its worst case, {usd(plan.hold_nano_usd)}, is more than the {usd(limit)} that it may cost"
    lowered = clamped(plan, request, limit) if allow.at_limit is AtLimit.CLAMP else None
    if lowered is not None:
        limited = lowered.attempts[0].max_tokens
        note = f"{short}: its output limit is lowered to {limited:,} tokens (at_limit: clamp)"
        return _Purse(lowered, None, (note,))
    if allow.at_limit is AtLimit.CHEAP_ONLY:
        bare = replace(allow, audits=None, escalation_routes=(), grading=None)
        cheap = planner.plan(request, bare, allow.cheap_routes, now_us, counted)
        for lower in (cheap, without_cost(cheap)):
            if lower.attempts and lower.hold_nano_usd <= limit:
                return _Purse(lower, None, (f"{short}: the plan cheap answers alone (at_limit: cheap_only)",))
    shortfall = Shortfall.of_request(plan.hold_nano_usd, limit, caller.team, now_us)
    return _Purse(plan, refusal(shortfall))


async def _count(settings: Settings, request: ChatRequest, routes: Sequence[Route]) -> dict[str, int]:
    helper = TokenCounter(settings.data_dir / "tokenizers")
    counter = PromptCounter(helper, {})
    try:
        found = {
            route.name: await counter.prompt_tokens(request, route)
            for route in routes
            if route.origin is not Origin.LOCAL
        }
    finally:
        await helper.close()
    return {name: tokens for name, tokens in found.items() if tokens is not None}
