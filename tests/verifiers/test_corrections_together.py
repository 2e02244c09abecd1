"""Corrections that hold alone may break schema or sums together; then those that do are taken back."""

import json

import pytest

from verifiers.answer import read_answer
from verifiers.audit_verdicts import AuditorVerdict, Ruling
from verifiers.auditor import all_fields, audit_question
from verifiers.checks.schema import ExtractionSchema
from verifiers.corrections import Correction, corrected
from verifiers.extraction import check_extraction
from verifiers.gate import Gate
from verifiers.indexed import Indexed
from verifiers.json_types import JsonObject, JsonValue

DOCUMENT = """Tea pot 70.00

A long line of thanks that stands between the one and the other, so that the excerpts stay apart.

Scones 10.90

A long line of thanks that stands between the one and the other, so that the excerpts stay apart.

TOTAL 80.90
DATE 25/12/2018
"""


def correct(
    schema: ExtractionSchema, text: str, corrections: dict[str, str], document: str = DOCUMENT
) -> Correction:
    """Correct fields, each with the first of its excerpts that holds the correction."""
    verdict = check_extraction(schema, Indexed(document), text, None, Gate())
    fields = all_fields(verdict) | set(corrections)
    question = audit_question(schema, Indexed(document), verdict, read_answer(text), "0" * 16, fields)
    assert question is not None
    verdicts = []
    for field in question.fields:
        said = corrections.get(field.path)
        spans = [span for span in question.spans if field.id in span.fields and said and said in span.text]
        verdicts.append(
            AuditorVerdict(field.id, Ruling.WRONG, said, spans[0].id)
            if said
            else AuditorVerdict(field.id, Ruling.RIGHT, None, None)
        )
    return corrected(question, schema, Indexed(document), text, verdicts)


def codes(correction: Correction) -> dict[str, str]:
    return {refused.field: refused.code for refused in correction.refused}


@pytest.mark.parametrize(
    ("schema", "claimed", "correction", "became"),
    [
        pytest.param({"type": "integer"}, 81, "80.00", "80", id="a whole number stays one"),
        pytest.param({"type": "number"}, 81.5, "80.00", "80.00", id="a fraction stays one"),
        pytest.param(
            {"type": "number"}, 81, "80.90", "80.90", id="a whole number may have been wrong in that"
        ),
        pytest.param({"type": "number"}, -81, "80.00", "80", id="below nought"),
        pytest.param({"enum": ["7", 80.90]}, "7", "80.90", None, id="a text becomes no number"),
    ],
)
def test_a_number_is_written_as_the_claimed_one(
    schema: JsonObject, claimed: JsonValue, correction: str, became: str | None
) -> None:
    compiled = ExtractionSchema.compile({"type": "object", "properties": {"pieces": schema}})
    text = json.dumps({"pieces": claimed})
    found = correct(compiled, text, {"pieces": correction}, f"PIECES {correction}")
    if became is None:
        assert codes(found) == {"pieces": "correction.schema"}
    else:
        assert found.answer == f'{{"pieces": {became}}}'


def test_a_number_that_was_left_out_is_written_as_it_stands() -> None:
    schema = ExtractionSchema.compile(
        {"properties": {"total": {"type": "number"}, "date": {}}, "required": ["total"]}
    )
    found = correct(schema, '{"date": "25/12/2018"}', {"total": "80.90"})
    assert found.answer == '{"date": "25/12/2018", "total": 80.90}'


def test_corrections_that_break_the_schema_as_a_whole_together_are_all_taken_back() -> None:
    properties: JsonObject = {name: {"type": "string"} for name in ("note", "total", "date")}
    schema = ExtractionSchema.compile({"properties": properties, "maxProperties": 2})
    found = correct(schema, '{"note": "x"}', {"total": "80.90", "date": "25/12/2018"})
    assert codes(found) == {"total": "correction.schema", "date": "correction.schema"}
    assert found.answer == '{"note": "x"}'
    assert set(found.doubtful) == {"total", "date"}


def test_of_those_only_the_one_that_the_schema_names_is_taken_back() -> None:
    schema = ExtractionSchema.compile(
        {
            "properties": {"total": {"type": "string"}, "date": {"type": "string"}},
            "if": {"properties": {"total": {"const": "80.90"}}},
            "then": {"properties": {"date": {"const": "26/12/2018"}}},
        }
    )
    text = '{"total": "80.91", "date": "26/12/2018"}'
    found = correct(schema, text, {"total": "80.90", "date": "25/12/2018"})
    assert codes(found) == {"date": "correction.schema"}
    assert json.loads(found.answer) == {"total": "80.90", "date": "26/12/2018"}
    assert set(found.doubtful) == {"date"}


def summed(kind: JsonObject) -> ExtractionSchema:
    return ExtractionSchema.compile(
        {
            "properties": {
                "items": {"type": "array", "items": {"properties": {"name": {}, "amount": kind}}},
                "total": {**kind, "x-steelyard-sum": "items[].amount"},
                "date": {},
            }
        }
    )


def receipt(pot: JsonValue, scones: JsonValue, total: JsonValue, date: str = "25/12/2018") -> str:
    items: list[JsonValue] = [{"name": "Tea pot", "amount": pot}, {"name": "Scones", "amount": scones}]
    return json.dumps({"items": items, "total": total, "date": date})


def test_a_part_with_which_the_sum_no_longer_comes_out_is_refused() -> None:
    text = receipt(70.0, 1.9, 71.9)
    found = correct(summed({"type": "number"}), text, {"items[1].amount": "10.90"})
    assert codes(found) == {"items[1].amount": "correction.sum"}
    assert found.answer == text


def test_what_is_of_no_sum_is_kept_when_a_sum_breaks() -> None:
    text = receipt(70.0, 1.9, 71.9, "26/12/2018")
    found = correct(summed({"type": "number"}), text, {"items[1].amount": "10.90", "date": "25/12/2018"})
    assert codes(found) == {"items[1].amount": "correction.sum"}
    assert [each.field for each in found.accepted] == ["date"]


def test_a_sum_that_could_not_be_added_up_before_refuses_nothing() -> None:
    text = receipt(None, 1.9, 80.9)
    found = correct(summed({}), text, {"items[1].amount": "10.90"}, DOCUMENT.replace("DATE 25/12/2018", ""))
    assert codes(found) == {}
    assert json.loads(found.answer)["items"][1]["amount"] == 10.9


def test_a_sum_that_was_wrong_and_stays_wrong_confirms_none_of_its_fields() -> None:
    found = correct(summed({"type": "number"}), receipt(70.0, 1.9, 80.9), {})
    assert "total" in found.doubtful
    assert "date" in found.confirmed
