"""Decision -> Plan: routes in order, each with its output limit and its worst case in money.

Pure. The bound of an attempt is every input token at the dearest class that it can trigger, plus
`n` x the output limit at the dearest output class, plus a local engine's threads for the whole
deadline. A plan's hold is the sum: the first route may cost its worst and fail, and so may the next.
A price that changes with the hour counts at its dearest from now to the attempt's last deadline.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ledger.errors import PriceError
from ledger.money import NanoUSD, bound_of
from ledger.prices import PriceBook
from ledger.usage import Rates
from policies.decision import Allow
from router.catalog import Catalog, Route
from router.errors import ContextLengthError, InvalidRequestError, UnavailableError
from router.image_tokens import image_tokens_max
from router.request import ChatRequest

SCHEMA_PROMPT_TOKENS_MAX = 640
"""What asking for a schema adds, the schema's own bytes aside: our prompt, or what a provider says where
a tool stands for the answer (Anthropic's explanation of tools has up to 530 tokens)."""
QUESTION_TOKENS_MIN, QUESTION_TOKENS_MAX = 5_000, 24_000
"""Of a question to an auditor or a grader, a byte counted as a token; it is made to fit."""
VERDICT_TOKENS_MAX = 4_096
"""Of what a judge may answer."""
BEFORE_DISPATCH_S = 60.0
"""How long a request may take from its planning to its first dispatch: a count of its prompt, a wait for
held money, the disk."""


@dataclass(frozen=True, slots=True)
class PlannedAttempt:
    """One route with its limits. Money in nano-USD."""

    route: Route
    max_tokens: int
    bound_nano_usd: NanoUSD
    fixed_nano_usd: NanoUSD
    """The part of the bound that does not depend on the output limit."""
    output_rate: int
    """Nano-USD per million output tokens, dearest class."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Routes in order, why, and with which bound."""

    name: str
    attempts: tuple[PlannedAttempt, ...]
    allow: Allow
    prompt_tokens_bound: int
    audit: tuple[PlannedAttempt, ...] = ()
    """The auditor's routes; none where no audit can follow."""
    escalation: tuple[PlannedAttempt, ...] = ()
    """Routes that answer the request anew if an audit does not settle it."""
    grade: tuple[PlannedAttempt, ...] = ()
    """The grader's routes, where this request's answer was sampled; two questions may be asked."""
    too_long: tuple[str, ...] = ()
    """Sentences: the routes left out because the request does not fit their window."""
    unpriced: tuple[str, ...] = ()
    """Sentences: the routes left out because no price is in force for them."""
    uncounted: tuple[Route, ...] = ()
    """Routes left out only because the byte bound exceeds their window: an exact count may help."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """Sentences: which routes of the policy are not in the plan, and why."""
        return self.too_long + self.unpriced

    @property
    def hold_nano_usd(self) -> NanoUSD:
        """The whole plan's worst case."""
        return NanoUSD(sum(attempt.bound_nano_usd for attempt in self.every))

    @property
    def every(self) -> tuple[PlannedAttempt, ...]:
        """All that may be attempted, the grader's routes once for each of its two questions."""
        return (*self.attempts, *self.audit, *self.escalation, *self.grade, *self.grade)

    @property
    def simulated(self) -> bool:
        """Whether a scripted model may be asked."""
        return any(attempt.route.simulated for attempt in self.every)


@dataclass(slots=True)
class _Left:
    """What was left out, and why, as the routes are gone through."""

    permitted: Collection[str]
    """The only routes that may be planned."""
    too_long: list[str] = field(default_factory=list)
    unpriced: list[str] = field(default_factory=list)
    uncounted: list[Route] = field(default_factory=list)
    dearest: int = 0
    """The largest bound of the prompt, in tokens."""
    ends_s: float = BEFORE_DISPATCH_S
    """When the last of the attempts so far can end, in seconds from now."""


class Planner:
    """Plans over a catalog and its prices."""

    def __init__(self, catalog: Catalog, prices: PriceBook) -> None:
        self._catalog = catalog
        self._prices = prices

    def plan(
        self,
        request: ChatRequest,
        allow: Allow,
        models: Sequence[str],
        at_us: int,
        counted: Mapping[str, int],
    ) -> Plan:
        """Plan `models` in order, and what may follow: an audit, an escalation, a grade. `counted` holds
        exact prompt tokens by route name, where known.

        Only routes that `allow` permits are planned. Those whose window the request does not fit, and those
        that no price is in force for, are left out; a plan may so be empty. One that must be able to escalate is empty if it cannot.
        """
        left = _Left(allow.permitted)
        attempts = self._answering(request, models, at_us, counted, left)
        escalation: tuple[PlannedAttempt, ...] = ()
        audit: tuple[PlannedAttempt, ...] = ()
        if allow.audits is not None and attempts:
            audit = self._judging(allow.audits.auditors, at_us, left)
            escalation = self._answering(request, allow.escalation_routes, at_us, counted, left)
            if allow.audits.escalates and not escalation:
                attempts = ()
        grade = self._judging(allow.grading.graders, at_us, left) if allow.grading is not None else ()
        return Plan(
            name=allow.plan,
            attempts=attempts,
            allow=allow,
            prompt_tokens_bound=left.dearest,
            audit=audit,
            escalation=escalation,
            grade=grade,
            too_long=tuple(left.too_long),
            unpriced=tuple(left.unpriced),
            uncounted=tuple(left.uncounted),
        )

    def _answering(
        self,
        request: ChatRequest,
        models: Sequence[str],
        at_us: int,
        counted: Mapping[str, int],
        left: _Left,
    ) -> tuple[PlannedAttempt, ...]:
        """The routes that can answer `request`."""
        found: list[PlannedAttempt] = []
        for route in self._routes(models, left):
            bound = prompt_bound(request, route)
            left.dearest = max(left.dearest, bound)
            prompt = min(counted.get(route.name, bound), bound)
            if prompt >= route.context_window:
                if route.name not in counted:
                    left.uncounted.append(route)
                left.too_long.append(
                    f"route '{route.name}' holds {route.context_window} tokens and the request has {prompt}"
                    f"{'' if route.name in counted else ' at most'}"
                )
                continue
            rates = self._rates(route, prompt, at_us, left)
            if rates is not None:
                found.append(_attempt(request, route, prompt, rates))
        return tuple(found)

    def _judging(self, models: Sequence[str], at_us: int, left: _Left) -> tuple[PlannedAttempt, ...]:
        """The routes that can be asked a judge's question, whose size is bounded before it is known."""
        found: list[PlannedAttempt] = []
        for route in self._routes(models, left):
            question = _question_room(route)
            if question < QUESTION_TOKENS_MIN:
                continue
            rates = self._rates(route, question, at_us, left)
            if rates is not None:
                found.append(_judgement(route, rates))
        return tuple(found)

    def _routes(self, models: Sequence[str], left: _Left) -> Iterator[Route]:
        return (
            route
            for model in models
            for route in self._catalog.serving(model)
            if route.name in left.permitted
        )

    def _rates(self, route: Route, prompt: int, at_us: int, left: _Left) -> Rates | None:
        """The dearest that the route's next attempt can cost; None if no price is in force."""
        until_us = at_us + int((left.ends_s + route.deadline_s) * 1_000_000)
        try:
            rates = self._prices.ceiling(route.price_sku, at_us, until_us, prompt)
        except PriceError as error:
            left.unpriced.append(f"route '{route.name}' of model '{route.model}' cannot be paid for: {error}")
            return None
        left.ends_s += route.deadline_s
        return rates


def _attempt(request: ChatRequest, route: Route, prompt: int, rates: Rates) -> PlannedAttempt:
    room = route.context_window - prompt
    limit = min(request.max_tokens or route.max_output_tokens, route.max_output_tokens, room)
    images = min(image_bound(request, route), prompt)
    fixed = bound_of(
        (
            (prompt - images, dearest_input(rates)),
            (images, max(rates.input_image, dearest_input(rates))),
            (int(route.deadline_s * 1_000_000) * route.compute_threads, max(rates.cpu_us, rates.gpu_us)),
        )
    )
    output_rate = max(rates.output_text, rates.output_reasoning, rates.output_audio)
    return PlannedAttempt(
        route=route,
        max_tokens=limit,
        bound_nano_usd=NanoUSD(fixed + bound_of(((request.choices * limit, output_rate),))),
        fixed_nano_usd=fixed,
        output_rate=output_rate,
    )


def _judgement(route: Route, rates: Rates) -> PlannedAttempt:
    """An attempt at a judge's question."""
    limit = min(VERDICT_TOKENS_MAX, route.max_output_tokens)
    compute_us = int(route.deadline_s * 1_000_000) * route.compute_threads
    fixed = bound_of(
        ((_question_room(route), dearest_input(rates)), (compute_us, max(rates.cpu_us, rates.gpu_us)))
    )
    output_rate = max(rates.output_text, rates.output_reasoning)
    bound = NanoUSD(fixed + bound_of(((limit, output_rate),)))
    return PlannedAttempt(route, limit, bound, fixed, output_rate)


def question_room(attempts: Sequence[PlannedAttempt]) -> int:
    """How many tokens a question may have that any of `attempts` can be asked."""
    return min((_question_room(attempt.route) for attempt in attempts), default=0)


def _question_room(route: Route) -> int:
    limit = min(VERDICT_TOKENS_MAX, route.max_output_tokens)
    return min(QUESTION_TOKENS_MAX, route.context_window - limit)


def prompt_bound(request: ChatRequest, route: Route) -> int:
    """The most tokens that the prompt can have on `route`, without a tokenizer."""
    return text_bound(request) + image_bound(request, route)


def text_bound(request: ChatRequest) -> int:
    """The most tokens that the prompt's text can have, on any route."""
    return request.bound.text_tokens + (SCHEMA_PROMPT_TOKENS_MAX if request.schema is not None else 0)


def image_bound(request: ChatRequest, route: Route) -> int:
    """The most tokens that the prompt's images can have on `route`."""
    return request.bound.images * image_tokens_max(route.upstream_model) if request.bound.images else 0


def clamped(plan: Plan, request: ChatRequest, available_nano_usd: int) -> Plan | None:
    """Lower the plan's output limits so that it fits; None if the policy's floor does not allow it.

    One limit for all routes of the plan: the largest with which the sum of their bounds fits.
    """
    answering = (*plan.attempts, *plan.escalation)
    judging = (*plan.audit, *plan.grade, *plan.grade)
    fixed = sum(attempt.fixed_nano_usd + 1 for attempt in answering)
    fixed += sum(attempt.bound_nano_usd for attempt in judging)
    rate = sum(attempt.output_rate for attempt in answering) * request.choices
    if rate == 0 or available_nano_usd <= fixed:
        return None
    limit = (available_nano_usd - fixed) * 1_000_000 // rate
    if limit < plan.allow.min_output_tokens:
        return None
    return replace(
        plan,
        attempts=tuple(_with_limit(attempt, request.choices, limit) for attempt in plan.attempts),
        escalation=tuple(_with_limit(attempt, request.choices, limit) for attempt in plan.escalation),
    )


def without_cost(plan: Plan) -> Plan:
    """Those attempts of a plan that cost nothing, and no audits; there may be none."""
    free = tuple(each for each in plan.attempts if each.bound_nano_usd == 0)
    return replace(plan, attempts=free, audit=(), escalation=(), grade=())


def _with_limit(attempt: PlannedAttempt, choices: int, limit: int) -> PlannedAttempt:
    lowered = min(attempt.max_tokens, limit)
    bound = NanoUSD(attempt.fixed_nano_usd + bound_of(((choices * lowered, attempt.output_rate),)))
    return PlannedAttempt(attempt.route, lowered, bound, attempt.fixed_nano_usd, attempt.output_rate)


def dearest_input(rates: Rates) -> int:
    """The dearest class that a text input token can fall into."""
    return max(rates.input_uncached, rates.cache_read, rates.cache_write_5m, rates.cache_write_1h)


def refuse_empty(plan: Plan, request: ChatRequest) -> None:
    """Raise what the caller should know if no route is left."""
    if plan.attempts:
        return
    if plan.too_long:
        raise ContextLengthError(
            f"the request is too long: {'; '.join(plan.left_out)}. Shorten the messages or name a model with a larger window",
            param="messages",
        )
    if plan.unpriced:
        raise UnavailableError(
            f"'{request.model}' cannot be answered now: {'; '.join(plan.unpriced)}", code="no_price"
        )
    raise InvalidRequestError(f"no route serves '{request.model}'", param="model")
