"""Admission: a plan and the money held for it, or the refusal.

Where the headroom is short, in this order: an exact count of the prompt (the byte bound is about
four times too high), the policy's `at_limit`, a moment's wait for money that is only held. What
is left is 402 (spent) or 429 (held by others).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from ledger.budgets import Reservation, Shortfall
from ledger.clock import to_datetime
from ledger.money import format_usd
from policies.decision import Allow, AtLimit
from router.accounts import Accounts
from router.caller import Caller
from router.catalog import Route
from router.counting import PromptCounter
from router.errors import BudgetExceededError, BudgetHeldError
from router.planning import Plan, Planner, clamped, refuse_empty, without_cost
from router.request import ChatRequest

HELD_WAIT_S = 1.0
"""However often something is released meanwhile."""


class Admission:
    """Plans a request and reserves its worst case."""

    def __init__(self, planner: Planner, accounts: Accounts, counter: PromptCounter) -> None:
        self._planner = planner
        self._accounts = accounts
        self._counter = counter

    async def admit(
        self, request: ChatRequest, allow: Allow, caller: Caller, at_us: int
    ) -> tuple[Plan, Reservation]:
        """Return the plan and its reservation. Raises ContextLengthError, BudgetExceededError or
        BudgetHeldError, with the numbers."""
        counted: dict[str, int] = {}
        plan = self._planner.plan(request, allow, allow.routes, at_us, counted)
        if plan.uncounted:
            counted = await self._count(request, plan.uncounted, counted)
            plan = self._planner.plan(request, allow, allow.routes, at_us, counted)
        refuse_empty(plan, request)
        fitted = self._fit(plan, caller, at_us)
        if isinstance(fitted, Shortfall):
            counted = await self._count(
                request, [attempt.route for attempt in (*plan.attempts, *plan.escalation)], counted
            )
            plan = self._planner.plan(request, allow, allow.routes, at_us, counted)
            return await self._under_pressure(request, plan, caller, at_us, counted)
        return plan, fitted

    async def _under_pressure(
        self, request: ChatRequest, plan: Plan, caller: Caller, at_us: int, counted: dict[str, int]
    ) -> tuple[Plan, Reservation]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + HELD_WAIT_S
        while True:
            fitted = self._fit(plan, caller, at_us)
            if not isinstance(fitted, Shortfall):
                return plan, fitted
            for lowered in self._lowered(request, plan, caller, at_us, counted):
                fitted_lower = self._fit(lowered, caller, at_us)
                if not isinstance(fitted_lower, Shortfall):
                    return lowered, fitted_lower
            left_s = deadline - loop.time()
            if not fitted.only_held or left_s <= 0:
                raise refusal(fitted)
            await self._accounts.wait_for_release(left_s)

    def _fit(self, plan: Plan, caller: Caller, at_us: int) -> Reservation | Shortfall:
        per_request = plan.allow.per_request_nano_usd
        if per_request is not None and plan.hold_nano_usd > per_request:
            return Shortfall.of_request(plan.hold_nano_usd, per_request, caller.policy.team, at_us)
        return self._accounts.ledger.budgets.reserve(caller.scopes, plan.hold_nano_usd, at_us)

    def _lowered(
        self, request: ChatRequest, plan: Plan, caller: Caller, at_us: int, counted: dict[str, int]
    ) -> Sequence[Plan]:
        """The plans that the policy's `at_limit` puts in place of one that does not fit, first choice first."""
        match plan.allow.at_limit:
            case AtLimit.DENY:
                return ()
            case AtLimit.CHEAP_ONLY:
                allow = replace(plan.allow, audits=None, escalation_routes=(), grading=None)
                cheap = self._planner.plan(request, allow, allow.cheap_routes, at_us, counted)
                return [lower for lower in (cheap, without_cost(cheap)) if lower.attempts]
            case AtLimit.CLAMP:
                headroom = self._accounts.ledger.budgets.headroom(caller.scopes, at_us)
                limits = [
                    limit
                    for limit in (
                        headroom.available_nano_usd if headroom is not None else None,
                        plan.allow.per_request_nano_usd,
                    )
                    if limit is not None
                ]
                lowered = clamped(plan, request, min(limits)) if limits else None
                return () if lowered is None else (lowered,)

    async def _count(
        self, request: ChatRequest, routes: Sequence[Route], counted: dict[str, int]
    ) -> dict[str, int]:
        """Count the prompt exactly for the routes that have a counter."""
        found = dict(counted)
        for route in routes:
            if route.name not in found:
                exact = await self._counter.prompt_tokens(request, route)
                if exact is not None:
                    found[route.name] = exact
        return found


def refusal(shortfall: Shortfall) -> BudgetExceededError | BudgetHeldError:
    """Say to the caller what is spent, held and asked, and when it is back."""
    limit = shortfall.limit
    numbers = (
        f"limit {format_usd(limit.amount_nano_usd)} USD a {limit.window} for {limit.scope.kind} '{limit.scope.id}', "
        f"spent {format_usd(shortfall.spent_nano_usd)}, held {format_usd(shortfall.held_nano_usd)}, "
        f"this request needs up to {format_usd(shortfall.asked_nano_usd)}"
    )
    if shortfall.only_held:
        return BudgetHeldError(f"the budget is held by requests in flight ({numbers}); try again in a moment")
    back = to_datetime(shortfall.resets_at_us).strftime("%Y-%m-%d %H:%M UTC")
    return BudgetExceededError(
        f"the budget does not hold this request ({numbers}); it resets at {back}. "
        "Ask for fewer output tokens, a cheaper model, or a higher limit"
    )
