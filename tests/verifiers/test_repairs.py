"""Which answers no auditor could mend: it puts one value in the place of another, and no more."""

import json

import pytest

from verifiers.checks.schema import ExtractionSchema
from verifiers.extraction import check_extraction
from verifiers.gate import Gate
from verifiers.indexed import Indexed
from verifiers.json_types import JsonObject
from verifiers.repairs import is_beyond_repair

DOCUMENT = "ACME Ltd\nDate 25/12/2018\nPieces 3\nCurrency EUR\nTotal 12.50\n"
SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "company": {"type": "string", "maxLength": 20},
        "total": {"type": "string", "pattern": "^[0-9.]+$"},
        "currency": {"enum": ["EUR", "USD"]},
        "pieces": {"type": "integer"},
        "paid": {"type": "boolean"},
        "note": {"type": ["string", "null"]},
        "items": {"type": "array", "items": {"type": "object", "required": ["name"]}},
    },
    "required": ["company", "total"],
    "additionalProperties": False,
}
WHOLE: JsonObject = {"company": "ACME Ltd", "total": "12.50"}


def verdict_of(text: str, schema: JsonObject = SCHEMA) -> bool:
    compiled = ExtractionSchema.compile(schema)
    verdict = check_extraction(compiled, Indexed(DOCUMENT), text, None, Gate())
    return is_beyond_repair(compiled, verdict, text)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("The total is 12.50.", id="no JSON"),
        pytest.param(f"```json\n{json.dumps(WHOLE)}\n```", id="JSON in a fence"),
        pytest.param(json.dumps(WHOLE)[:-4], id="cut off"),
        pytest.param("", id="empty"),
        pytest.param(json.dumps([WHOLE]), id="a list in place of an object"),
        pytest.param('"12.50"', id="a text in place of an object"),
        pytest.param('{"company": "ACME", "company": "ACME Ltd", "total": "12.50"}', id="a key twice"),
        pytest.param(json.dumps({**WHOLE, "vat": "1"}), id="a name that the schema does not know"),
        pytest.param(json.dumps({**WHOLE, "total": {"amount": "12.50"}}), id="an object in place of a text"),
        pytest.param(json.dumps({**WHOLE, "total": 12.5}), id="a number in place of a text"),
        pytest.param(json.dumps({**WHOLE, "pieces": "3"}), id="a text in place of a number"),
        pytest.param(json.dumps({**WHOLE, "paid": "yes"}), id="a text in place of true or false"),
        pytest.param(json.dumps({**WHOLE, "company": True}), id="true in place of a text"),
        pytest.param(json.dumps({**WHOLE, "items": [{}]}), id="a part of a list's item is missing"),
        pytest.param(
            json.dumps({"total": "12.50", "x": "1"}), id="a name too many, and one that could be added"
        ),
    ],
)
def test_a_form_that_no_value_could_mend_is_beyond_repair(answer: str) -> None:
    assert verdict_of(answer)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(WHOLE, id="valid"),
        pytest.param({**WHOLE, "total": "99.99"}, id="valid and wrong"),
        pytest.param({"company": "ACME Ltd"}, id="a value left out that the document shows"),
        pytest.param({**WHOLE, "total": "EUR"}, id="not of the pattern"),
        pytest.param({**WHOLE, "company": "x" * 21}, id="too long"),
        pytest.param({**WHOLE, "currency": "GBP"}, id="none of those to choose from"),
        pytest.param({**WHOLE, "pieces": 2.5}, id="a fraction in place of a whole number"),
        pytest.param({**WHOLE, "total": None}, id="nothing in place of a text"),
        pytest.param({**WHOLE, "pieces": None}, id="nothing in place of a number"),
    ],
)
def test_an_answer_that_a_value_may_mend_is_not(answer: JsonObject) -> None:
    assert not verdict_of(json.dumps(answer))


def test_a_choice_of_schemas_may_be_met_by_another_value() -> None:
    schema: JsonObject = {
        "oneOf": [
            {"properties": {"total": {"const": "12.50"}}},
            {"properties": {"total": {"const": "1"}}},
        ],
        "properties": {"total": {"type": "string"}},
    }
    assert not verdict_of('{"total": "99.99"}', schema)


def test_a_list_that_is_too_long_stays_so() -> None:
    schema: JsonObject = {
        "properties": {"totals": {"type": "array", "maxItems": 1, "items": {"type": "string"}}}
    }
    assert verdict_of('{"totals": ["12.50", "3"]}', schema)
