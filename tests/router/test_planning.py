"""A plan's bound is never less than what its attempts can cost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.clock import to_us
from ledger.price_seeds import deepseek_prices
from ledger.prices import PriceBook
from ledger.usage import UNIT_CLASSES, Usage
from router.catalog import Catalog, Origin
from router.errors import ContextLengthError, InvalidRequestError, UnavailableError
from router.planning import Plan, Planner, clamped, prompt_bound, refuse_empty
from support.routes import CHEAP, DEAR, allow, chat, flat_price

PRICES = PriceBook([flat_price(CHEAP.price_sku, 1, 2), flat_price(DEAR.price_sku, 10, 50)])
NOW_US = to_us(datetime(2026, 11, 24, 0, 59, 30, tzinfo=UTC))
"""Thirty seconds before DeepSeek's peak begins."""


def plan_for(*routes: str, **fields: int) -> Plan:
    """Plan one request over both routes."""
    planner = Planner(Catalog([CHEAP, DEAR]), PRICES)
    return planner.plan(chat("How much is it?", **fields), allow(*routes), routes, NOW_US, {})


@given(
    prompt_share=st.floats(0, 1),
    output_share=st.floats(0, 1),
    choices=st.integers(1, 16),
    into=st.sampled_from(["input_uncached", "cache_read", "cache_write_5m", "cache_write_1h"]),
    out=st.sampled_from(["output_text", "output_reasoning", "output_audio"]),
    late_s=st.floats(0, 60),
    text=st.text(max_size=300),
)
def test_no_usage_within_the_limits_costs_more_than_the_bound(
    prompt_share: float, output_share: float, choices: int, into: str, out: str, late_s: float, text: str
) -> None:
    route = replace(CHEAP, price_sku="deepseek/deepseek-flash")
    prices = PriceBook(deepseek_prices("deepseek/deepseek-flash", NOW_US))
    request = chat(text, n=choices)
    (attempt,) = (
        Planner(Catalog([route]), prices).plan(request, allow(route.name), [route.name], NOW_US, {}).attempts
    )
    usage = Usage(
        **{
            into: int(prompt_share * prompt_bound(request, route)),
            out: int(output_share * choices * attempt.max_tokens),
        }
    )
    price = prices.select(route.price_sku, NOW_US + int(late_s * 1_000_000), usage.input_tokens)
    assert prices.cost(price, usage) <= attempt.bound_nano_usd


def test_a_plan_is_held_whole() -> None:
    one, both = plan_for("cheap-model"), plan_for("cheap-model", "dear-model")
    assert both.hold_nano_usd == sum(attempt.bound_nano_usd for attempt in both.attempts)
    assert both.hold_nano_usd > 10 * one.hold_nano_usd


FLASH = replace(CHEAP, price_sku="deepseek/deepseek-flash", deadline_s=600)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("names", "minute", "factors"),
    [
        (["one"], 30, [1]),
        (["one"], 55, [2]),
        (["one"], 120, [2]),
        (["one", "two"], 45, [1, 2]),
        (["one", "two"], 30, [1, 1]),
    ],
    ids=[
        "off-peak",
        "the peak begins before the deadline",
        "peak",
        "the peak begins before the deadline of the fallback",
        "both end before it",
    ],
)
def test_a_hold_takes_the_peaks_price_only_where_an_attempt_may_meet_it(
    names: list[str], minute: int, factors: list[int]
) -> None:
    routes = [replace(FLASH, name=name, model=name) for name in names]
    planner = Planner(Catalog(routes), PriceBook(deepseek_prices(FLASH.price_sku, 0)))

    def bounds(moment: datetime) -> list[int]:
        plan = planner.plan(chat(), allow(*names), names, to_us(moment), {})
        return [attempt.bound_nano_usd for attempt in plan.attempts]

    off_peak = bounds(MONDAY - timedelta(days=1))
    expected = [factor * bound for factor, bound in zip(factors, off_peak, strict=True)]
    assert bounds(MONDAY + timedelta(minutes=minute)) == expected


@pytest.mark.parametrize("ends_us", [NOW_US, NOW_US + 1_000_000], ids=["it has ended", "it ends meanwhile"])
def test_a_route_whose_price_is_not_in_force_is_left_out_and_named_if_none_is_left(ends_us: int) -> None:
    ended = replace(flat_price(CHEAP.price_sku, 1, 2), effective_to_us=ends_us)
    planner = Planner(Catalog([CHEAP, DEAR]), PriceBook([ended, flat_price(DEAR.price_sku, 10, 50)]))
    names = (CHEAP.name, DEAR.name)
    plan = planner.plan(chat(), allow(*names), names, NOW_US, {})
    assert [attempt.route.name for attempt in plan.attempts] == [DEAR.name]
    assert "model 'cheap-model' cannot be paid for" in plan.left_out[0]
    alone = planner.plan(chat(), allow(CHEAP.name), (CHEAP.name,), NOW_US, {})
    with pytest.raises(
        UnavailableError, match=r"model 'cheap-model'.*state one in the configuration"
    ) as caught:
        refuse_empty(alone, chat())
    assert (caught.value.status, caught.value.code) == (503, "no_price")


def test_the_models_own_limit_is_sent_where_the_caller_gives_none() -> None:
    assert plan_for("cheap-model").attempts[0].max_tokens == CHEAP.max_output_tokens
    assert plan_for("cheap-model", max_tokens=7).attempts[0].max_tokens == 7
    assert plan_for("cheap-model", max_tokens=9_999).attempts[0].max_tokens == CHEAP.max_output_tokens


def test_a_route_that_the_request_does_not_fit_is_left_out_with_a_sentence() -> None:
    small = replace(CHEAP, context_window=500)
    planner = Planner(Catalog([small, DEAR]), PRICES)
    request = chat("x" * 600)
    plan = planner.plan(
        request, allow("cheap-model", "dear-model"), ("cheap-model", "dear-model"), NOW_US, {}
    )
    assert [attempt.route.name for attempt in plan.attempts] == ["dear-model"]
    assert "cheap-model" in plan.left_out[0]
    assert plan.uncounted == (small,), "an exact count may make it fit"
    counted = planner.plan(request, allow("cheap-model"), ("cheap-model",), NOW_US, {"cheap-model": 300})
    assert [attempt.max_tokens for attempt in counted.attempts] == [200]
    with pytest.raises(ContextLengthError, match="500 tokens and the request has 600"):
        refuse_empty(
            planner.plan(request, allow("cheap-model"), ("cheap-model",), NOW_US, {"cheap-model": 600}),
            request,
        )


def test_a_model_without_a_route_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="no route serves"):
        refuse_empty(plan_for("nobody"), chat())


@given(available=st.integers(0, 10**10), choices=st.integers(1, 4), max_tokens=st.integers(1, 1_000))
def test_a_clamped_plan_fits_and_keeps_the_floor(available: int, choices: int, max_tokens: int) -> None:
    request = chat(n=choices, max_tokens=max_tokens)
    planner = Planner(Catalog([CHEAP, DEAR]), PRICES)
    plan = planner.plan(
        request, allow("cheap-model", "dear-model"), ("cheap-model", "dear-model"), NOW_US, {}
    )
    lowered = clamped(plan, request, available)
    if lowered is not None:
        assert lowered.hold_nano_usd <= available
        assert all(
            attempt.max_tokens >= min(max_tokens, plan.allow.min_output_tokens)
            for attempt in lowered.attempts
        )
        assert lowered.hold_nano_usd <= plan.hold_nano_usd


def test_a_local_engine_is_held_for_its_threads_until_the_deadline() -> None:
    local = replace(CHEAP, origin=Origin.LOCAL, compute_threads=2, deadline_s=100)
    hour = 20_000_000 // 3_600  # 0.02 USD an hour
    price = replace(
        flat_price(local.price_sku, 0, 0), rates=Usage(**dict.fromkeys(UNIT_CLASSES, 0) | {"cpu_us": hour})
    )
    plan = Planner(Catalog([local]), PriceBook([price])).plan(
        chat(), allow(local.name), [local.name], NOW_US, {}
    )
    assert plan.hold_nano_usd == 200 * hour
