"""A conversation keeps the model that it began with, as long as the plan holds it, for a day."""

from dataclasses import replace

import pytest

from ledger.prices import PriceBook
from router import conversations as module
from router.catalog import Catalog
from router.conversations import KEPT_US, Conversations
from router.planning import Plan, Planner
from router.request import ChatRequest
from support.routes import CHEAP, DEAR, allow, chat, flat_price

HISTORY = [
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hi"},
    {"role": "user", "content": "And now?"},
]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def plan_of(request: ChatRequest) -> Plan:
    prices = PriceBook([flat_price(CHEAP.price_sku, 1, 2), flat_price(DEAR.price_sku, 10, 50)])
    return Planner(Catalog((CHEAP, DEAR)), prices).plan(
        request, allow(CHEAP.name, DEAR.name), (CHEAP.name, DEAR.name), 0, {}
    )


def names(plan: Plan) -> list[str]:
    return [attempt.route.name for attempt in plan.attempts]


class Clock:
    """Stands still until it is told."""

    now_us = 10**15

    def __call__(self) -> int:
        """The time."""
        return self.now_us


@pytest.mark.parametrize("fields", [{"messages": HISTORY}, {"tools": [TOOL]}], ids=["history", "tools"])
def test_what_goes_on_is_led_by_the_route_that_answered_before(fields: dict[str, object]) -> None:
    request, kept = chat("Hello", **fields), Conversations(Clock())
    kept.keep(chat(), "c", DEAR.name)
    assert names(kept.led(plan_of(request), request, "c")) == [DEAR.name, CHEAP.name]
    assert names(kept.led(plan_of(request), request, "another")) == [CHEAP.name, DEAR.name]


def test_a_first_question_is_answered_by_the_plans_first_route() -> None:
    request, kept = chat(), Conversations(Clock())
    kept.keep(request, "c", DEAR.name)
    assert names(kept.led(plan_of(request), request, "c")) == [CHEAP.name, DEAR.name]


def test_a_route_that_the_plan_does_not_hold_any_more_is_forgotten() -> None:
    request, kept = chat(messages=HISTORY), Conversations(Clock())
    kept.keep(request, "c", "gone")
    assert names(kept.led(plan_of(request), request, "c")) == [CHEAP.name, DEAR.name]


def test_after_a_day_the_plan_decides_anew() -> None:
    request, clock = chat(messages=HISTORY), Clock()
    kept = Conversations(clock)
    kept.keep(request, "c", DEAR.name)
    clock.now_us += KEPT_US + 1
    assert names(kept.led(plan_of(request), request, "c")) == [CHEAP.name, DEAR.name]


def test_the_least_recently_used_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_MAX", 2)
    request, kept = chat(messages=HISTORY), Conversations(Clock())
    for name in ("a", "b", "a", "c"):
        kept.keep(request, name, DEAR.name)
    led = {name: names(kept.led(plan_of(request), request, name))[0] for name in ("a", "b", "c")}
    assert led == {"a": DEAR.name, "b": CHEAP.name, "c": DEAR.name}


def test_a_lone_extraction_is_not_remembered() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    asked, kept = chat(response_format=schema), Conversations(Clock())
    kept.keep(asked, "c", DEAR.name)
    later = replace(chat(messages=HISTORY), schema=asked.schema)
    assert names(kept.led(plan_of(later), later, "c")) == [CHEAP.name, DEAR.name]
