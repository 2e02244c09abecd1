"""A value that cannot be what its field is fails, though it stands in the document; what can be, passes."""

import json

import pytest

from verifiers.checks.schema import ExtractionSchema
from verifiers.extraction import check_extraction
from verifiers.gate import Gate
from verifiers.indexed import Indexed
from verifiers.json_types import JsonValue

TEXT = "Von: Jonas Petersen\nFrist für die Antwort: 30.04.2026\nBetrag 12,50 EUR\n2026年4月30日\nDr. No\n"


def codes(field: str, value: str, **more: JsonValue) -> set[str]:
    schema = ExtractionSchema.compile({"type": "object", "properties": {field: {"type": "string", **more}}})
    verdict = check_extraction(schema, Indexed(TEXT), json.dumps({field: value}), None, Gate())
    return {f.code for each in verdict.fields for f in each.findings if f.code.startswith("nature.")}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("deadline", "für", "nature.no_date"),
        ("due_date", "Frist", "nature.no_date"),
        ("invoice_date", "Jonas Petersen", "nature.no_date"),
        ("total", "EUR", "nature.no_amount"),
        ("total_amount", "Betrag", "nature.no_amount"),
        ("company", "12,50", "nature.no_words"),
        ("address", "30.04.2026", "nature.no_words"),
    ],
)
def test_a_word_from_beside_the_value_is_not_the_value(field: str, value: str, code: str) -> None:
    assert codes(field, value) == {code}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("deadline", "30.04.2026"),
        ("due_date", "2026年4月30日"),
        ("total", "12,50 EUR"),
        ("company", "Dr. No"),
        ("company", "7-Eleven 24"),
        ("note", "für"),
        ("deadline", ""),
    ],
)
def test_what_can_be_the_value_is_not_held_against_it(field: str, value: str) -> None:
    assert codes(field, value) == set()


def test_a_value_that_the_schema_chose_is_not_judged() -> None:
    assert codes("due_date", "none", enum=["none", "soon"]) == set()
