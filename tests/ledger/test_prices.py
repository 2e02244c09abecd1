"""Prices: which row prices an attempt, and a ceiling that no row exceeds."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.clock import to_us
from ledger.errors import PriceError
from ledger.money import bound_of
from ledger.price_seeds import deepseek_prices
from ledger.prices import STANDARD, Price, PriceBook
from ledger.usage import UNIT_CLASSES, Rates, Usage

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
START_US = to_us(MONDAY)


def a_price(price_id: str = "pri_1", rate: int = 7, **said: object) -> Price:
    plain = Price(price_id, "model", Rates(*[rate] * len(UNIT_CLASSES)), "test", "", 0, 0)
    return replace(plain, **said)  # type: ignore[arg-type]  # a test's table of fields


def selected(book: PriceBook, at_us: int = START_US, input_tokens: int = 0, tier: str = STANDARD) -> str:
    return book.select("model", at_us, input_tokens, tier).price_id


@pytest.mark.parametrize(
    ("tokens", "price_id"),
    [
        (0, "base"),
        (200_000, "base"),
        (200_001, "long"),
        (500_000, "long"),
        (500_001, "longest"),
        (10**7, "longest"),
    ],
)
def test_a_longer_prompt_is_priced_by_the_tier_that_it_reaches(tokens: int, price_id: str) -> None:
    book = PriceBook(
        [
            a_price("long", min_input_tokens=200_001),
            a_price("base"),
            a_price("longest", min_input_tokens=500_001),
        ]
    )
    assert selected(book, input_tokens=tokens) == price_id


def test_a_service_tier_has_its_own_rows_and_falls_back_on_no_other() -> None:
    book = PriceBook([a_price("base"), a_price("flex", tier="flex")])
    assert selected(book) == "base"
    assert selected(book, tier="flex") == "flex"
    with pytest.raises(PriceError, match="no 'priority' price"):
        selected(book, tier="priority")


DATES = {
    "before both": (-1, None),
    "the first microsecond": (0, "first"),
    "the last before the change": (DAY_US - 1, "first"),
    "the change": (DAY_US, "second"),
    "the last of the second": (2 * DAY_US - 1, "second"),
    "after its end the first holds again": (2 * DAY_US, "first"),
}


@pytest.mark.parametrize(("after_us", "price_id"), DATES.values(), ids=DATES.keys())
def test_a_row_holds_from_its_first_to_before_its_last_microsecond(
    after_us: int, price_id: str | None
) -> None:
    book = PriceBook(
        [
            a_price("first", effective_from_us=START_US),
            a_price(
                "second",
                effective_from_us=START_US + DAY_US,
                effective_to_us=START_US + 2 * DAY_US,
                recorded_at_us=9,
            ),
        ]
    )
    if price_id is None:
        with pytest.raises(PriceError, match="in force"):
            selected(book, START_US + after_us)
    else:
        assert selected(book, START_US + after_us) == price_id


def test_a_single_row_out_of_force_prices_nothing_and_bounds_nothing() -> None:
    book = PriceBook([a_price(effective_from_us=START_US, effective_to_us=START_US + DAY_US)])
    for at_us in (START_US - 1, START_US + DAY_US):
        with pytest.raises(PriceError):
            selected(book, at_us)
        with pytest.raises(PriceError):
            book.ceiling("model", at_us, at_us, 0)
    with pytest.raises(PriceError):
        book.ceiling("model", START_US, START_US + DAY_US, 0)


def test_the_list_recorded_last_replaces_the_one_before_whole() -> None:
    """Hours and tiers that a provider gave up are not priced as they once were."""
    old = [
        a_price("old", 5),
        a_price("old_long", 9, min_input_tokens=200_001),
        a_price("old_peak", 8, start_minute=0, end_minute=1_440),
    ]
    new = a_price("new", 4, recorded_at_us=START_US, effective_from_us=START_US)
    book = PriceBook([*old, new])
    assert selected(book, START_US - 1) == "old_peak"
    assert selected(book, START_US) == selected(book, START_US, 300_000) == "new"
    assert book.ceiling("model", START_US, START_US + DAY_US, 300_000) == new.rates
    assert book.ceiling("model", START_US - 1, START_US, 300_000) == old[1].rates
    assert book.ceiling("model", START_US - 1, START_US, 200_000) == old[2].rates


def test_an_unknown_sku_is_refused_with_a_near_one() -> None:
    book = PriceBook([replace(a_price(), sku="gpt-5.5")])
    assert book.knows("gpt-5.5")
    assert not book.knows("gpt-5")
    for ask in (
        lambda: book.select("gpt-5.4", 0, 0),
        lambda: book.ceiling("gpt-5.4", 0, 0, 0),
        lambda: book.current("gpt-5.4", 0),
    ):
        with pytest.raises(PriceError, match=r"did you mean 'gpt-5\.5'"):
            ask()
    with pytest.raises(PriceError, match="state a price"):
        PriceBook().select("gpt-5.4", 0, 0)


BORDERS = {
    # Monday to Friday 01:00-04:00 and 06:00-10:00 UTC
    "midnight": ((0, 0, 0), 1), "a moment before the first peak": ((0, 0, 59), 1), "the first peak begins": ((0, 1, 0), 2),
    "its last minute": ((0, 3, 59), 2), "it ends": ((0, 4, 0), 1), "between the peaks": ((0, 5, 59), 1),
    "the second peak begins": ((0, 6, 0), 2), "its last minute too": ((0, 9, 59), 2), "the second ends": ((0, 10, 0), 1),
    "evening": ((0, 23, 59), 1), "friday's first peak": ((4, 1, 0), 2), "friday's last minute of peak": ((4, 9, 59), 2),
    "saturday at the hour of a peak": ((5, 1, 0), 1), "sunday at the hour of a peak": ((6, 7, 0), 1),
    "the next monday": ((7, 1, 0), 2),
}  # fmt: skip


@pytest.mark.parametrize("sku", ["deepseek/deepseek-flash", "deepseek/deepseek-v4-pro"])
@pytest.mark.parametrize(("moment", "factor"), BORDERS.values(), ids=BORDERS.keys())
def test_deepseeks_peak_begins_and_ends_at_its_borders(
    sku: str, moment: tuple[int, int, int], factor: int
) -> None:
    days, hours, minutes = moment
    at_us = START_US + days * DAY_US + hours * HOUR_US + minutes * MINUTE_US
    book = PriceBook(deepseek_prices(sku, 0))
    off_peak = next(row for row in book.current(sku, at_us) if row.always)
    for second in (0, 59_999_999):  # the whole minute
        found = book.select(sku, at_us + second, 1_000_000)
        assert found.rates.values() == tuple(factor * rate for rate in off_peak.rates.values())


PEAK_HOLDS = {
    # minutes after Monday 00:00 UTC from which, and for how long; a peak is 01:00 to 04:00
    "long before the peak": (0, 59, 1), "until the peak begins": (0, 60, 2), "over all of the peak": (0, 300, 2),
    "within the peak": (70, 10, 2), "from the last minute of the peak": (239, 10, 2), "after the peak": (240, 119, 1),
    "over the next peak": (240, 120, 2), "on Saturday": (5 * 1_440, 1_440, 1), "over the weekend": (5 * 1_440, 3_000, 2),
}  # fmt: skip


@pytest.mark.parametrize(("begins", "lasts", "factor"), PEAK_HOLDS.values(), ids=PEAK_HOLDS.keys())
def test_a_hold_is_at_the_peaks_price_only_if_the_attempt_may_meet_the_peak(
    begins: int, lasts: int, factor: int
) -> None:
    book = PriceBook(deepseek_prices("deepseek/deepseek-flash", 0))
    at_us = START_US + begins * MINUTE_US
    off_peak = next(row for row in book.current("deepseek/deepseek-flash", at_us) if row.always)
    ceiling = book.ceiling("deepseek/deepseek-flash", at_us, at_us + lasts * MINUTE_US, 10**6)
    assert ceiling.values() == tuple(factor * rate for rate in off_peak.rates.values())


LENGTHS = (0, 99, 100, 10**6)
rates = st.builds(Rates, **dict.fromkeys(UNIT_CLASSES, st.integers(0, 10)))
moments = st.integers(0, 10).map(lambda eighths: START_US + eighths * DAY_US // 8)
prices = st.builds(
    Price,
    price_id=st.just("pri"),
    sku=st.just("model"),
    rates=rates,
    source=st.just("test"),
    source_sha256=st.just(""),
    effective_from_us=st.just(0) | moments,
    recorded_at_us=st.integers(0, 2),
    min_input_tokens=st.sampled_from([0, 0, 100]),
    weekday_mask=st.none() | st.integers(0, 127),
    start_minute=st.none() | st.sampled_from([0, 180, 720]),
    end_minute=st.sampled_from([180, 720, 1_440]),
    effective_to_us=st.none() | moments,
)


@given(
    st.lists(prices, min_size=1, max_size=6),
    moments,
    st.integers(0, DAY_US),
    st.sampled_from(LENGTHS),
    st.data(),
)
def test_whatever_a_hold_reckoned_with_covers_every_row_that_can_price_it(
    rows: list[Price], at_us: int, lasts_us: int, tokens_max: int, data: st.DataObject
) -> None:
    book = PriceBook(rows)
    try:
        ceiling = book.ceiling("model", at_us, at_us + lasts_us, tokens_max)
    except PriceError:
        assume(False)  # nothing is held, so nothing is dispatched
    edges = [row.effective_from_us for row in rows] + [row.effective_to_us or 0 for row in rows]
    borders = [START_US + day * DAY_US + minute * MINUTE_US for day in range(3) for minute in (0, 180, 720)]
    within = st.sampled_from(
        [edge for edge in edges + borders if at_us <= edge <= at_us + lasts_us] or [at_us]
    )
    dispatched_us = data.draw(st.integers(at_us, at_us + lasts_us) | within)
    price = book.select(
        "model",
        dispatched_us,
        data.draw(st.sampled_from([length for length in LENGTHS if length <= tokens_max])),
    )
    assert all(own <= most for own, most in zip(price.rates.values(), ceiling.values(), strict=True))
    used = data.draw(st.builds(Usage, **dict.fromkeys(UNIT_CLASSES, st.integers(0, 10**6))))
    assert book.cost(price, used) <= bound_of(zip(used.values(), ceiling.values(), strict=True))


@given(st.lists(prices, min_size=1, max_size=6), moments, st.integers(0, DAY_US))
def test_a_ceiling_is_made_of_rates_that_some_row_has(rows: list[Price], at_us: int, lasts_us: int) -> None:
    book = PriceBook(rows)
    try:
        ceiling = book.ceiling("model", at_us, at_us + lasts_us, 10**6)
    except PriceError:
        assume(False)
    for name in UNIT_CLASSES:
        assert getattr(ceiling, name) in {getattr(row.rates, name) for row in rows}


def test_a_price_that_has_fallen_lowers_what_is_held() -> None:
    dear, cheap = (
        a_price("dear", 100),
        a_price("cheap", 1, recorded_at_us=START_US, effective_from_us=START_US),
    )
    book = PriceBook([dear, cheap])
    assert book.ceiling("model", START_US, START_US + HOUR_US, 0) == cheap.rates
    assert book.ceiling("model", START_US - 1, START_US - 1, 0) == dear.rates


def test_a_cost_is_each_class_at_its_own_rate() -> None:
    price = a_price(rates=Rates(*range(1_000_000, 12_000_000, 1_000_000)))
    used = Usage(*range(1, 12))
    assert PriceBook().cost(price, used) == sum(place * place for place in range(1, 12))
