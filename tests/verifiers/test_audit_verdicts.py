"""An auditor's answer is read exactly as it was asked for, or it is none."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.answer import LeafValue
from verifiers.audit_verdicts import AuditorVerdict, Ruling, Unusable, read_verdicts
from verifiers.auditor import CLOSING, AskedField, AuditQuestion
from verifiers.fences import Fence
from verifiers.json_types import JsonObject
from verifiers.spans import Span

FIELDS = ("total", "date")
QUESTION = AuditQuestion(
    instruction="",
    text=f"{Fence('0' * 16).around([])}\n{CLOSING}",
    response_schema={},
    fields=tuple(AskedField(name, name, LeafValue(name, "80.91", '"80.91"', 0, 7)) for name in FIELDS),
    spans=(Span("S1", 0, 1, "x", frozenset(FIELDS)), Span("S2", 1, 2, "y", frozenset({"date"}))),
    left_out=(),
)
WRONG: JsonObject = {"field": "total", "verdict": "wrong", "correction": "80.90", "span_id": "S1"}
RIGHT: JsonObject = {"field": "date", "verdict": "right", "correction": None, "span_id": None}


def said(*verdicts: object, **more: object) -> str:
    return json.dumps({"verdicts": verdicts, **more})


def test_verdicts_are_read_in_the_order_of_the_question() -> None:
    expected = (
        AuditorVerdict("total", Ruling.WRONG, "80.90", "S1"),
        AuditorVerdict("date", Ruling.RIGHT, None, None),
    )
    assert read_verdicts(QUESTION, said(WRONG, RIGHT)) == expected
    assert read_verdicts(QUESTION, f"\n {said(RIGHT, WRONG)}\n") == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"correction": ""}, AuditorVerdict("total", Ruling.WRONG, None, "S1"), id="blank"),
        pytest.param(
            {"span_id": None}, AuditorVerdict("total", Ruling.WRONG, "80.90", None), id="cites nothing"
        ),
        pytest.param(
            {"verdict": "right", "correction": " 80.91"},
            AuditorVerdict("total", Ruling.RIGHT, None, None),
            id="right, and repeats what was claimed",
        ),
        pytest.param(
            {"verdict": "cannot_tell", "correction": None},
            AuditorVerdict("total", Ruling.CANNOT_TELL, None, None),
            id="cannot tell, and cites",
        ),
    ],
)
def test_what_says_nothing_more_is_dropped(change: JsonObject, expected: AuditorVerdict) -> None:
    found = read_verdicts(QUESTION, said({**WRONG, **change}, RIGHT))
    assert isinstance(found, tuple)
    assert found[0] == expected


REFUSED: dict[str, tuple[str, str]] = {
    "nothing": ("", "audit.not_json"),
    "prose": ("All is right.", "audit.not_json"),
    "a text before it": (f"Sure: {said(WRONG, RIGHT)}", "audit.not_json"),
    "a text after it": (f"{said(WRONG, RIGHT)} I hope this helps", "audit.not_json"),
    "a code fence": (f"```json\n{said(WRONG, RIGHT)}\n```", "audit.not_json"),
    "two answers": (said(WRONG, RIGHT) * 2, "audit.not_json"),
    "cut short": (said(WRONG, RIGHT)[:-3], "audit.not_json"),
    "not a number": ('{"verdicts": NaN}', "audit.not_json"),
    "a lone surrogate": (said({**WRONG, "correction": "\ud800"}, RIGHT), "audit.not_json"),
    "nested without end": ("[" * 100_000, "audit.too_long"),
    "nested deep": ('{"verdicts": ' + "[" * 500 + "]" * 500 + "}", "audit.not_json"),
    "a list": (json.dumps([WRONG, RIGHT]), "audit.not_object"),
    "a text": ('"right"', "audit.not_object"),
    "another key": (json.dumps({"verdict": []}), "audit.not_verdicts"),
    "a key more": (said(WRONG, RIGHT, note="x"), "audit.not_verdicts"),
    "no list": (json.dumps({"verdicts": WRONG}), "audit.not_verdicts"),
    "a key twice": (said(WRONG, RIGHT).replace("{", '{"verdicts": [], ', 1), "audit.key_twice"),
    "a verdict twice within": (
        said(WRONG, RIGHT).replace('"verdict"', '"verdict": "right", "verdict"'),
        "audit.key_twice",
    ),
    "a field twice": (said(WRONG, WRONG, RIGHT), "audit.field_twice"),
    "a field missing": (said(WRONG), "audit.field_missing"),
    "none at all": (said(), "audit.field_missing"),
    "an item that is no object": (said("right", RIGHT), "audit.keys"),
    "an item with a key more": (said({**WRONG, "why": "x"}, RIGHT), "audit.keys"),
    "an item with a key less": (said({"field": "total", "verdict": "right"}, RIGHT), "audit.keys"),
    "a field that was not asked about": (said({**WRONG, "field": "company"}, RIGHT), "audit.unknown_field"),
    "a field that is no text": (said({**WRONG, "field": 1}, RIGHT), "audit.unknown_field"),
    "a verdict that there is not": (said({**WRONG, "verdict": "fine"}, RIGHT), "audit.unknown_verdict"),
    "a verdict in capitals": (said({**WRONG, "verdict": "RIGHT"}, RIGHT), "audit.unknown_verdict"),
    "a verdict that is no text": (said({**WRONG, "verdict": True}, RIGHT), "audit.unknown_verdict"),
    "a verdict that is a list": (said({**WRONG, "verdict": []}, RIGHT), "audit.unknown_verdict"),
    "a field that is a list": (said({**WRONG, "field": ["total"]}, RIGHT), "audit.unknown_field"),
    "a correction that is a number": (said({**WRONG, "correction": 80.9}, RIGHT), "audit.correction"),
    "a correction too long": (said({**WRONG, "correction": "x" * 301}, RIGHT), "audit.correction"),
    "an excerpt that was not shown": (said({**WRONG, "span_id": "S9"}, RIGHT), "audit.unknown_span"),
    "an excerpt that is no text": (said({**WRONG, "span_id": ["S1"]}, RIGHT), "audit.unknown_span"),
    "right, and corrects": (said({**WRONG, "verdict": "right"}, RIGHT), "audit.contradiction"),
    "cannot tell, and corrects": (said({**WRONG, "verdict": "cannot_tell"}, RIGHT), "audit.contradiction"),
    "absurdly long": (said(WRONG, RIGHT) + " " * 100_000, "audit.too_long"),
}


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_anything_else_is_no_verdict_and_says_why_without_its_words(text: str, code: str) -> None:
    found = read_verdicts(QUESTION, text)
    assert isinstance(found, Unusable)
    assert found.code == code
    assert not any(word in found.reason for word in ("80.9", "company", "fine", "hope"))


def test_an_answer_may_be_just_as_long_as_its_fields_allow() -> None:
    longest = said({**WRONG, "correction": "x" * 300}, RIGHT)
    longest += " " * (4_000 + 2 * 2_500 - len(longest))
    assert isinstance(read_verdicts(QUESTION, longest), tuple)
    found = read_verdicts(QUESTION, longest + " ")
    assert found == Unusable("audit.too_long", "the auditor's answer has more than 9000 characters")


def test_right_may_repeat_a_number_that_was_claimed() -> None:
    field = AskedField("total", "total", LeafValue("total", 80.91, "80.91", 0, 5))
    question = replace(QUESTION, fields=(field,))
    for correction, expected in (("80.91", tuple), ("80.90", Unusable)):
        answer = said({**RIGHT, "field": "total", "correction": correction})
        assert isinstance(read_verdicts(question, answer), expected)


def test_right_cannot_correct_a_field_that_was_left_out() -> None:
    question = replace(QUESTION, fields=(AskedField("total", "total", None),))
    found = read_verdicts(question, said({**RIGHT, "field": "total", "correction": "80.91"}))
    assert isinstance(found, Unusable)
    assert found.code == "audit.contradiction"


CHANGES: tuple[Callable[[str], str], ...] = (
    lambda text: text[1:],
    lambda text: text[:-1],
    lambda text: text + "x",
)


@given(
    text=st.text(max_size=80)
    | st.recursive(
        st.none() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["verdicts", *WRONG]), inner, max_size=4)
        ),
    ).map(json.dumps)
)
def test_nothing_that_an_auditor_says_makes_it_raise(text: str) -> None:
    found = read_verdicts(QUESTION, text)
    assert isinstance(found, Unusable)
    for change in CHANGES:
        assert isinstance(read_verdicts(QUESTION, change(text)), Unusable)
