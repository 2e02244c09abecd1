"""An answer is graded against gold after SROIE's normalisation: case and white space fold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.grading import grade, normalised, same_value
from verifiers.json_types import JsonValue


@pytest.mark.parametrize(
    ("answer", "gold", "same"),
    [
        pytest.param("ACME  Ltd", "acme ltd", True, id="case and spaces"),
        pytest.param("1, Mill\nRow", "1,MILL ROW", True, id="line breaks"),
        pytest.param("ACME Ltd.", "ACME Ltd", False, id="punctuation counts"),
        pytest.param("9.00", 9.0, False, id="a text is no number"),
        pytest.param(9, 9.0, True, id="numbers by value"),
        pytest.param(True, 1, False, id="a truth value is no number"),
        pytest.param(None, None, True, id="nothing"),
        pytest.param(None, "", False, id="nothing is no text"),
    ],
)
def test_values_are_compared_after_folding(answer: JsonValue, gold: JsonValue, same: bool) -> None:
    assert same_value(answer, gold) is same


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        pytest.param({"a": "X", "items": [{"n": "one", "more": 1}]}, {"a": True, "items": True}, id="right"),
        pytest.param({"a": "x "}, {"a": True, "items": False}, id="a missing field is wrong"),
        pytest.param({"a": "y", "items": []}, {"a": False, "items": False}, id="an item missing"),
        pytest.param({"a": "x", "items": [{"n": "two"}]}, {"a": True, "items": False}, id="an item wrong"),
        pytest.param({"a": "x", "items": ["one"]}, {"a": True, "items": False}, id="an item of another type"),
        pytest.param({"a": "x", "items": {"n": "one"}}, {"a": True, "items": False}, id="no list"),
        pytest.param(["a"], {"a": False, "items": False}, id="no object"),
        pytest.param(None, {"a": False, "items": False}, id="no answer"),
    ],
)
def test_each_gold_field_is_graded(answer: JsonValue, right: dict[str, bool]) -> None:
    assert grade(answer, {"a": "x", "items": [{"n": "ONE"}]}) == right


@given(st.text())
def test_normalising_leaves_no_white_space(text: str) -> None:
    assert not any(map(str.isspace, normalised(text)))
