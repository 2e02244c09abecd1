"""A conversation keeps the model that it began with: another one's habits, tools and cache are not its own.

Kept for a day in memory, bounded; the least recently used goes first.
"""

from collections import OrderedDict
from dataclasses import replace

from ledger.clock import Clock
from router.planning import Plan
from router.request import ChatRequest

KEPT_US = 24 * 3_600 * 1_000_000
KEPT_MAX = 100_000


class Conversations:
    """Which route answered which conversation last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._routes: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def led(self, plan: Plan, request: ChatRequest, conversation: str) -> Plan:
        """`plan` with the conversation's own route first, where it goes on and the plan still holds it."""
        if not _goes_on(request):
            return plan
        name, at_us = self._routes.get(conversation, ("", 0))
        if self._clock() - at_us > KEPT_US:
            return plan
        own = [attempt for attempt in plan.attempts if attempt.route.name == name]
        others = [attempt for attempt in plan.attempts if attempt.route.name != name]
        return replace(plan, attempts=(*own, *others)) if own and others else plan

    def keep(self, request: ChatRequest, conversation: str, route: str) -> None:
        """Remember who answered; a lone question with nothing to keep is not remembered."""
        if not _may_go_on(request):
            return
        self._routes[conversation] = (route, self._clock())
        self._routes.move_to_end(conversation)
        if len(self._routes) > KEPT_MAX:
            self._routes.popitem(last=False)


def _goes_on(request: ChatRequest) -> bool:
    """Whether somebody has answered in it before, or uses tools."""
    return request.has_tools or any(message.role in ("assistant", "tool") for message in request.messages)


def _may_go_on(request: ChatRequest) -> bool:
    """An extraction is asked once; everything else may be followed by another turn."""
    return request.schema is None or _goes_on(request)
