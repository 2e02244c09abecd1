"""A route's price is stated exactly or named; nothing is free by omission."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.usage import UNIT_CLASSES, Rates
from policies.document import parse_bytes
from policies.errors import PolicyError
from policies.nodes import Mapping
from router.route_price import PRICE_KEYS, ListedPrice, StatedPrice, read_price

NANO = 10**9


def route_of(price: str) -> Mapping:
    return (
        parse_bytes(f"routes:\n  fast:\n    {price}\n".encode(), "f.yaml").mapping("routes").mapping("fast")
    )


def stated(price: str, *, local: bool = False) -> Rates:
    found = read_price(route_of(f"price: {price}"), "fast", local=local)
    assert isinstance(found, StatedPrice)
    assert found.sku == "route:fast"
    return found.rates


def test_a_name_is_a_listed_price_and_knows_its_place() -> None:
    found = read_price(route_of("price: deepseek/deepseek-flash"), "fast", local=False)
    assert isinstance(found, ListedPrice)
    assert (found.sku, found.place.line) == ("deepseek/deepseek-flash", 3)


def test_two_numbers_price_every_class_of_token() -> None:
    rates = stated('{input_usd_per_million: "0.15", output_usd_per_million: 2}')
    assert rates == Rates(*([150_000_000] * 6), *([2 * NANO] * 3))
    unpriced = {name for name in UNIT_CLASSES if getattr(rates, name) == 0}
    assert unpriced == {"cpu_us", "gpu_us"}, "what a hosted route never uses"


def test_what_is_stated_of_a_cache_stands_before_the_input_price_in_any_order() -> None:
    rates = stated(
        "{cache_write_usd_per_million: 2, output_usd_per_million: 4, cache_read_usd_per_million: 0.1, input_usd_per_million: 1}"
    )
    assert (rates.input_uncached, rates.cache_read) == (NANO, NANO // 10)
    assert (rates.cache_write_5m, rates.cache_write_1h) == (2 * NANO, 2 * NANO)
    assert rates.input_image == NANO


def test_the_keys_price_each_class_of_token_and_no_class_twice_but_by_input() -> None:
    first, *others = PRICE_KEYS.values()
    named = [name for classes in others for name in classes]
    assert len(named) == len(set(named))
    assert {*first, *named} == set(UNIT_CLASSES) - {"cpu_us", "gpu_us"}


@given(st.decimals(0, 1_000_000, places=9))
def test_an_hour_of_a_core_is_never_priced_too_low(usd: Decimal) -> None:
    rate = stated(f'{{cpu_usd_per_hour: "{usd:f}"}}', local=True).cpu_us
    exact = Fraction(usd) * NANO / 3_600
    assert exact <= rate < exact + 1


def test_what_is_free_says_so() -> None:
    assert stated('{cpu_usd_per_hour: "0"}', local=True) == Rates()
    assert stated("{input_usd_per_million: 0, output_usd_per_million: 0}") == Rates()


def test_a_local_engines_tokens_may_cost_too() -> None:
    rates = stated("{cpu_usd_per_hour: 3600, output_usd_per_million: 1}", local=True)
    assert (rates.cpu_us, rates.output_text, rates.input_uncached) == (NANO, NANO, 0)


HOSTED, LOCAL = False, True
REFUSED = {
    "none": (HOSTED, "premium: true", 2, "routes.fast.price is missing: name a listed price (e.g. deepseek/deepseek-flash) or state one; an unknown price is never zero"),
    "none, local": (LOCAL, "engine: gguf", 2, "routes.fast.price is missing: state one"),
    "empty": (HOSTED, "price:", 3, "routes.fast.price is empty"),
    "a list": (HOSTED, "price: [1, 2]", 3, "routes.fast.price must be a single value"),
    "a mapping of nothing": (HOSTED, "price: {}", 3, "routes.fast.price.input_usd_per_million is missing"),
    "no output": (HOSTED, "price: {input_usd_per_million: 1}", 3, 'output_usd_per_million is missing; write it, "0" if it really costs nothing'),
    "unknown key": (HOSTED, "price: {input_usd: 1}", 3, "unknown key 'input_usd' in routes.fast.price; did you mean 'input_usd_per_million'?"),
    "below zero": (HOSTED, "price: {input_usd_per_million: -1, output_usd_per_million: 1}", 3, "'-1' is negative"),
    "an exponent": (HOSTED, "price: {input_usd_per_million: 1e-6, output_usd_per_million: 1}", 3, "'1e-6' is not an amount"),
    "no number": (HOSTED, "price: {input_usd_per_million: NaN, output_usd_per_million: 1}", 3, "'NaN' is not an amount"),
    "no end": (HOSTED, "price: {input_usd_per_million: .inf, output_usd_per_million: 1}", 3, "'.inf' is not an amount"),
    "more than a dollar a token": (HOSTED, "price: {input_usd_per_million: 1, output_usd_per_million: 1000000.01}", 3, "more than 1000000 US dollars; write less"),
    "compute of a hosted route": (HOSTED, "price: {cpu_usd_per_hour: 1}", 3, "cpu_usd_per_hour belongs to a local engine; leave it out"),
    "a listed price of a local engine": (LOCAL, "price: gpt-5-mini", 3, "must be stated for a local engine, which no list knows"),
    "a local engine without compute": (LOCAL, "price: {input_usd_per_million: 1, output_usd_per_million: 1}", 3, "cpu_usd_per_hour is missing"),
}  # fmt: skip


@pytest.mark.parametrize(("local", "price", "line", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_price_is_refused_at_its_line(price: str, line: int, said: str, *, local: bool) -> None:
    with pytest.raises(PolicyError) as caught:
        read_price(route_of(price), "fast", local=local)
    assert str(caught.value).startswith(f"f.yaml line {line}: ")
    assert said in str(caught.value)
