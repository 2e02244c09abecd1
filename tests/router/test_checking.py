"""Schemas are compiled once, and what the checks said is kept without a word of the document."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from ledger.rows import OutcomeRow
from router.checking import COMPILED_MAX, Checked, Checker, details_of, outcome_rows
from router.completion import Completion
from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue
from router.off_loop import INLINE_CHARS_MAX
from router.request import ChatRequest
from support.routes import chat
from support.spine import ANSWER
from verifiers.gate import Gate
from verifiers.indexed import Indexed
from verifiers.tokens import TokenLogprob

SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "shop": {"type": "string"},
        "total": {"type": "string"},
        "items": {"type": "array", "items": {"properties": {"name": {"type": "string"}}}},
        "notes": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
DOCUMENT = "Kumo Books\nAtlas 2,900\nTotal 4,180"


def asking(schema: JsonObject = SCHEMA, document: str = DOCUMENT) -> ChatRequest:
    wanted: JsonValue = {"type": "json_schema", "json_schema": {"name": "receipt", "schema": schema}}
    return chat(document, response_format=wanted)


def saying(answer: JsonValue, tokens: tuple[TokenLogprob, ...] | None = None) -> Completion:
    return replace(ANSWER, text=json.dumps(answer), tokens=tokens)


async def checked(
    answer: JsonValue, document: str = DOCUMENT, tokens: tuple[TokenLogprob, ...] | None = None
) -> Checked:
    checker, request = Checker(Gate()), asking(document=document)
    schema = checker.schema_of(request)
    assert schema is not None
    return await checker.check(Indexed(request.document), schema, saying(answer, tokens))


def kept(result: Checked) -> list[OutcomeRow]:
    numbers: Iterator[int] = count()
    return outcome_rows(result, "req", "att", 7, lambda: f"out_{next(numbers)}", simulated=True)


def test_a_request_without_a_schema_is_not_checked() -> None:
    assert Checker(Gate()).schema_of(chat()) is None


def test_a_schema_is_compiled_once() -> None:
    checker = Checker(Gate())

    assert checker.schema_of(asking()) is checker.schema_of(asking())


def test_the_schema_that_was_not_used_for_longest_is_forgotten_first() -> None:
    checker = Checker(Gate())
    used, unused = asking({"title": "used"}), asking({"title": "unused"})
    first = checker.schema_of(used), checker.schema_of(unused)
    for number in range(COMPILED_MAX - 1):
        checker.schema_of(used)
        checker.schema_of(asking({"title": f"number {number}"}))

    assert checker.schema_of(used) is first[0]
    assert checker.schema_of(unused) is not first[1]


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        pytest.param({"type": "strin"}, "no valid JSON schema", id="no schema"),
        pytest.param({"$ref": "http://127.0.0.1:1/s"}, "nothing is fetched", id="remote"),
        pytest.param(
            {"properties": {"a": {"x-steelyard-summ": "b"}}},
            "did you mean 'x-steelyard-sum'",
            id="misspelt mark",
        ),
    ],
)
def test_a_schema_that_cannot_be_used_is_the_callers_mistake(schema: JsonObject, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says) as refused:
        Checker(Gate()).schema_of(asking(schema))

    assert refused.value.param == "response_format.json_schema.schema"


async def test_the_numbers_of_an_answer_are_counted() -> None:
    answer = '{"shop": "Kumo Books", "total": "4,190"}'
    result = await checked(json.loads(answer), tokens=(TokenLogprob(answer, -0.1),))

    assert (result.fields_checked, result.fields_flagged, len(result.scores)) == (2, 1, 2)


@pytest.mark.parametrize("length", [10, INLINE_CHARS_MAX + 1], ids=["at once", "in a thread"])
async def test_a_document_of_any_length_is_checked_alike(length: int) -> None:
    result = await checked({"shop": "Kumo Books", "total": "5,000"}, DOCUMENT + "\n" + "." * length)

    assert [field.flagged for field in result.verdict.fields] == [False, True]


async def test_an_answer_without_text_is_no_json() -> None:
    checker, request = Checker(Gate()), asking()
    schema = checker.schema_of(request)
    assert schema is not None

    result = await checker.check(Indexed(request.document), schema, replace(ANSWER, text=None))

    assert not result.verdict.valid


async def test_each_finding_becomes_a_row_with_its_place_and_reason() -> None:
    rows = kept(await checked({"shop": "Kumo Books", "total": "4,190"}))

    assert [(row.check_name, row.field, row.code, row.flagged) for row in rows] == [
        ("schema", "", "schema.valid", False),
        ("support", "shop", "support.exact", False),
        ("completeness", "shop", "completeness.whole", False),
        ("support", "total", "support.unsupported", True),
    ]
    assert (rows[1].span_start, rows[1].span_end) == (0, 10)
    assert len({row.outcome_id for row in rows}) == len(rows)
    assert {(row.request_id, row.attempt_id, row.at_us, row.simulated, row.source) for row in rows} == {
        ("req", "att", 7, True, "check")
    }


async def test_no_row_holds_a_word_of_the_document_or_the_answer() -> None:
    """A model may put anything into a key of its own, and does where a schema lets it."""
    answer: JsonObject = {
        "shop": "Zyxwvut",
        "total": "4,180",
        "notes": {"Zyxwvut secret": "Zyxwvut"},
        "Zyxwvut": [{"Zyxwvut": 5}],
        "items": [{"name": "Atlas"}],
    }
    rows = kept(await checked(answer, DOCUMENT + "\nZyxwvut Club"))

    assert "zyxwvut" not in str(rows).casefold()
    assert {row.field for row in rows} == {"", "shop", "total", "notes.*", "*[0].*", "items[0].name"}


async def test_the_caller_gets_its_own_keys_and_the_evidence() -> None:
    result = await checked({"shop": "Kumo Books", "total": "4,180", "notes": {"extra": "Atlas"}})

    details = details_of(result)

    assert details["valid"] is True
    assert details["passed"] is True
    fields = details["fields"]
    assert isinstance(fields, list)
    shop, _, extra = fields
    assert isinstance(shop, dict)
    assert isinstance(extra, dict)
    assert extra["field"] == "notes.extra"
    findings = shop["findings"]
    assert isinstance(findings, list)
    assert findings[0] == {
        "check": "support",
        "outcome": "passed",
        "code": "support.exact",
        "reason": "the document contains the value of shop as it is written",
        "evidence": {"start": 0, "end": 10, "text": "Kumo Books"},
    }
