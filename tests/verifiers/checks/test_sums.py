"""A marked total must be the sum of its parts, to the last cent."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.answer import read_answer
from verifiers.checks.sums import check_sums
from verifiers.json_types import JsonValue
from verifiers.marks import SumMark
from verifiers.verdict import Outcome

MARK = SumMark("total", "items[].amount")


def code_of(total: JsonValue, *amounts: JsonValue) -> str:
    text = json.dumps({"items": [{"amount": amount} for amount in amounts], "total": total})
    (finding,) = check_sums([MARK], read_answer(text).leaves)
    assert finding.field == "total"
    return finding.code


@pytest.mark.parametrize(
    ("total", "parts", "code"),
    [
        pytest.param("59.50", ["38.00", "12.50", "9.00"], "sum.equal", id="texts"),
        pytest.param(0.3, [0.1, 0.2], "sum.equal", id="numbers, exactly"),
        pytest.param("0.30", [0.1, "0.2"], "sum.equal", id="both"),
        pytest.param("€ 1.248,31", ["1.049,00", "199,31 EUR"], "sum.equal", id="German"),
        pytest.param("3.579", ["1.234", "2.345"], "sum.equal", id="all thousands or all decimals"),
        pytest.param("3.579,00", ["1.234", "2.345"], "sum.equal", id="thousands as the total tells"),
        pytest.param("-64.20", ["31.80", "-96.00"], "sum.equal", id="negative"),
        pytest.param(-1.234, [-1.0, -0.234], "sum.equal", id="a negative number with three decimals"),
        pytest.param(100, [1e2], "sum.equal", id="an exponent"),
        pytest.param("59.51", ["38.00", "12.50", "9.00"], "sum.differs", id="a cent off"),
        pytest.param("59.50", ["38.00", "12.50"], "sum.differs", id="a part missing"),
        pytest.param("59.50", ["38.00", "free"], "sum.unreadable", id="a part that is no amount"),
        pytest.param("59.50", [], "sum.unreadable", id="no parts"),
        pytest.param(None, ["1.00"], "sum.unreadable", id="no total"),
        pytest.param(True, [1], "sum.unreadable", id="a truth value"),
    ],
)
def test_a_total_is_compared_with_its_parts(total: JsonValue, parts: list[JsonValue], code: str) -> None:
    assert code_of(total, *parts) == code


@given(cents=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=12), off=st.integers(-5, 5))
def test_it_is_equal_exactly_if_it_is_the_sum(cents: list[int], off: int) -> None:
    parts = [f"{Decimal(each).scaleb(-2):.2f}" for each in cents]
    total = f"{Decimal(sum(cents) + off).scaleb(-2):.2f}"

    assert code_of(total, *parts) == ("sum.equal" if off == 0 else "sum.differs")


def test_parts_within_parts_are_added_up() -> None:
    text = json.dumps({"total": 6, "pages": [{"lines": [1, 2]}, {"lines": [3]}]})

    (finding,) = check_sums([SumMark("total", "pages[].lines[]")], read_answer(text).leaves)

    assert finding.outcome is Outcome.PASSED


def test_a_part_with_a_like_name_is_no_part() -> None:
    text = json.dumps({"total": 1, "items": [{"amount": 1, "amounts": 5}], "xitems": [{"amount": 7}]})

    (finding,) = check_sums([MARK], read_answer(text).leaves)

    assert finding.outcome is Outcome.PASSED
