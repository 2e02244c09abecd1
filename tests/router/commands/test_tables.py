"""Numbers as people read them."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Column, Table

from router.commands.tables import count, duration, interval, print_whole, share, short_count, usd


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (9_999, "9,999"), (12_345, "12.3k"), (300_606_820, "300.6M"), (5 * 10**12, "5,000.0G")],
)
def test_a_large_number_is_shortened(number: int, text: str) -> None:
    assert short_count(number) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "$0.00"), (1, "$0.000000001"), (-1_500_000_000, "-$1.50")],
    ids=["zero", "nano", "negative"],
)
def test_money_is_shown_exact(amount: int, text: str) -> None:
    assert usd(amount) == text


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(850, "850 us"), (12_340, "12.3 ms"), (1_200_000, "1.20 s")],
    ids=["us", "ms", "s"],
)
def test_a_time_has_the_unit_that_fits_it(microseconds: int, text: str) -> None:
    assert duration(microseconds) == text


def test_a_share_of_nothing_is_no_number() -> None:
    assert (share(0, 0), share(1, 8)) == ("-", "12.5 %")


def test_a_noun_follows_its_number() -> None:
    assert (count(1, "request"), count(2_000, "request")) == ("1 request", "2,000 requests")


@given(judged=st.integers(1, 10**6), data=st.data())
def test_an_interval_holds_its_share(judged: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, judged))
    low, high = (int(part) for part in interval(right, judged).removesuffix(" %").split("-"))
    assert 0 <= low <= right / judged * 100 + 0.5
    assert right / judged * 100 - 0.5 <= high <= 100


@pytest.mark.parametrize(
    ("right", "judged", "text"), [(20, 24, "64-93 %"), (0, 10, "0-28 %"), (10, 10, "72-100 %")]
)
def test_an_interval_is_wilsons(right: int, judged: int, text: str) -> None:
    assert interval(right, judged) == text


def test_a_table_on_a_narrow_terminal_loses_no_figure() -> None:
    console = Console(file=io.StringIO(), width=20)
    table = Table(Column("model", no_wrap=True), Column("cost", no_wrap=True))
    table.add_row("a-model-with-a-long-name", "$123.456789123 of 1")
    print_whole(console, table)
    assert isinstance(console.file, io.StringIO)
    assert "$123.456789123 of 1" in console.file.getvalue()
    assert "…" not in console.file.getvalue()
