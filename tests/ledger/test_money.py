"""Money: exact, rounded once, and never held for less than it may cost."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import MoneyError
from ledger.money import bound_of, cost_of, format_usd, parse_usd

NANO_MAX = 2**63 - 1
quantities = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**12)), max_size=11)


@given(st.integers(0, NANO_MAX))
def test_what_was_formatted_is_read_back_exactly(nano: int) -> None:
    assert parse_usd(format_usd(nano)) == nano


@given(st.integers(-NANO_MAX, NANO_MAX))
def test_a_formatted_amount_is_the_amount_with_no_more_digits_than_it_needs(nano: int) -> None:
    text = format_usd(nano)
    assert Fraction(text) * 10**9 == nano
    decimals = text.partition(".")[2]
    assert len(decimals) >= 2
    assert len(decimals) == 2 or not decimals.endswith("0")


@given(st.integers(0, 10**10 - 1), st.text("0123456789", max_size=12), st.integers(0, 3))
def test_a_plain_decimal_is_read_exactly_or_refused_never_rounded(
    whole: int, decimals: str, zeros: int
) -> None:
    text = f"{'0' * zeros}{whole}.{decimals}"
    exact = Fraction(whole) * 10**9 + (
        Fraction(int(decimals), 10 ** len(decimals)) * 10**9 if decimals else 0
    )
    if exact.denominator == 1 and exact <= NANO_MAX:
        assert parse_usd(text) == exact
    else:
        with pytest.raises(MoneyError):
            parse_usd(text)


AMOUNTS = {
    "0": 0,
    "-0": 0,
    "0.0028": 2_800_000,
    " 12.50 ": 12_500_000_000,
    "7.": 7_000_000_000,
    ".5": 500_000_000,
    "000.000000001": 1,
    "1.00000000000000000000000000000000000000": 1_000_000_000,
    "9223372036.854775807": NANO_MAX,
}


@pytest.mark.parametrize(("text", "nano"), AMOUNTS.items(), ids=AMOUNTS.keys())
def test_an_amount_is_read(text: str, nano: int) -> None:
    assert parse_usd(text) == nano


NO_AMOUNTS = {
    "": "is not an amount", ".": "is not an amount", "-": "is not an amount", "NaN": "is not an amount",
    "Infinity": "is not an amount", "1e3": "is not an amount", "1_000": "is not an amount", "1,000": "is not an amount",
    "0x10": "is not an amount", "$5": "is not an amount", "5 USD": "is not an amount", "١٢": "is not an amount",
    "1.2.3": "is not an amount", "5\n6": "is not an amount",
    "-1": "is negative", "-0.000000001": "is negative",
    "0.0000000001": "finer than a billionth", "0.0000000010000000000000000000000000001": "finer than a billionth",
    "9223372036.854775808": "more than the ledger can count", "10000000000": "more than the ledger can count",
    "9" * 5_000: "more than the ledger can count",
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), NO_AMOUNTS.items(), ids=[key[:40] for key in NO_AMOUNTS])
def test_what_is_no_amount_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(MoneyError, match=said):
        parse_usd(text)


@given(quantities)
def test_a_cost_is_the_exact_sum_rounded_once_half_to_even(used: list[tuple[int, int]]) -> None:
    exact = Fraction(sum(quantity * rate for quantity, rate in used), 1_000_000)
    assert cost_of(used) == round(exact)  # Python rounds a Fraction half to even


HALVES = {(1, 500_000): 0, (3, 500_000): 2, (5, 500_000): 2, (1, 500_001): 1, (1, 499_999): 0}


@pytest.mark.parametrize(("used", "cost"), HALVES.items(), ids=str)
def test_a_half_goes_to_the_even_neighbour(used: tuple[int, int], cost: int) -> None:
    assert cost_of([used]) == cost


def test_classes_are_summed_before_they_are_rounded() -> None:
    assert cost_of([(1, 400_000), (1, 400_000)]) == 1


@given(quantities)
def test_a_bound_is_never_below_its_cost_and_less_than_one_nano_above_the_sum(
    used: list[tuple[int, int]],
) -> None:
    exact = Fraction(sum(quantity * rate for quantity, rate in used), 1_000_000)
    assert bound_of(used) >= cost_of(used)
    assert exact <= bound_of(used) < exact + 1


@given(quantities, st.lists(st.integers(0, 1_000), min_size=11, max_size=11))
def test_using_less_never_costs_more_than_was_bound(
    allowed: list[tuple[int, int]], permille: list[int]
) -> None:
    used = [
        (quantity * share // 1_000, rate) for (quantity, rate), share in zip(allowed, permille, strict=False)
    ]
    assert cost_of(used) <= bound_of(allowed)
