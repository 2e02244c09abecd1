"""A schema is compiled once, fetches nothing, and no pattern in it may hang."""

import pytest

from verifiers.checks.schema import NODES_MAX, ExtractionSchema, check_schema
from verifiers.errors import MarkError, SchemaError
from verifiers.json_types import JsonObject, JsonValue
from verifiers.marks import SumMark
from verifiers.verdict import Outcome

RECEIPT: JsonObject = {
    "type": "object",
    "properties": {
        "total": {"type": "number", "x-steelyard-sum": "items[].amount"},
        "items": {"type": "array", "items": {"properties": {"amount": {"type": "number"}}}},
    },
    "required": ["total"],
    "additionalProperties": False,
}


def test_a_compiled_schema_knows_its_marks_fields_and_names() -> None:
    schema = ExtractionSchema.compile(RECEIPT)

    assert schema.sums == (SumMark("total", "items[].amount"),)
    assert schema.labels.keys() == {"total", "items", "items[].amount"}
    assert schema.names == {"total", "items", "amount"}
    assert "x-steelyard-sum" not in str(schema.plain)


@pytest.mark.parametrize(
    ("value", "findings"),
    [
        pytest.param({"total": 5}, [("", "schema.valid")], id="valid"),
        pytest.param({}, [("", "schema.required")], id="a field missing"),
        pytest.param({"total": "5"}, [("total", "schema.type")], id="a field of another type"),
        pytest.param(
            {"total": 5, "items": [{"amount": 1}, {"amount": "2"}]},
            [("items[1].amount", "schema.type")],
            id="an item",
        ),
        pytest.param({"total": 5, "more": 1}, [("", "schema.additionalProperties")], id="a field too many"),
        pytest.param([], [("", "schema.type")], id="no object"),
    ],
)
def test_each_breach_names_its_field(value: JsonValue, findings: list[tuple[str, str]]) -> None:
    found = check_schema(ExtractionSchema.compile(RECEIPT), value)

    assert [(finding.field, finding.code) for finding in found] == findings
    assert [finding.outcome for finding in found] == [
        Outcome.PASSED if code == "schema.valid" else Outcome.FAILED for _, code in findings
    ]


def test_a_reason_holds_nothing_of_the_answer() -> None:
    (finding,) = check_schema(ExtractionSchema.compile(RECEIPT), {"total": "a secret"})

    assert finding.reason == "total breaks the schema's type"


def test_an_answer_that_breaks_a_schema_everywhere_is_reported_twenty_times() -> None:
    schema = ExtractionSchema.compile({"items": {"type": "string"}})

    assert len(check_schema(schema, list(range(1_000)))) == 20


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"$ref": "http://127.0.0.1:1/schema.json"}, id="remote"),
        pytest.param({"properties": {"a": {"$ref": "other.json#/a"}}}, id="relative"),
        pytest.param({"$ref": "file:///etc/passwd"}, id="a file"),
        pytest.param({"$dynamicRef": "http://127.0.0.1:1/schema.json"}, id="dynamic"),
        pytest.param({"$ref": "#", "$dynamicRef": "http://127.0.0.1:1/schema.json"}, id="behind a local one"),
        pytest.param({"$schema": "http://127.0.0.1:1/meta.json", "type": "object"}, id="its own dialect"),
        pytest.param({"$ref": "#/$defs/none"}, id="to nothing"),
        pytest.param({"type": "strin"}, id="unknown type"),
        pytest.param({"pattern": "("}, id="broken pattern"),
        pytest.param({"pattern": r"(a+)\1"}, id="a pattern that looks back"),
        pytest.param({"pattern": "((a{100}){100}){100}"}, id="a pattern that grows"),
        pytest.param({"enum": list(range(NODES_MAX + 1))}, id="endless"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: JsonObject) -> None:
    with pytest.raises(SchemaError):
        ExtractionSchema.compile(schema)


def test_a_misspelt_mark_is_refused_at_compile_time() -> None:
    with pytest.raises(MarkError):
        ExtractionSchema.compile({"properties": {"a": {"x-steelyard-summ": "b"}}})


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(a*)*b$", "^(?:a?){40}a{40}$"])
def test_no_pattern_hangs(pattern: str) -> None:
    """Each would take a backtracking engine longer than the universe is old: that it ends is the test."""
    schema = ExtractionSchema.compile({"type": "string", "pattern": pattern})

    (finding,) = check_schema(schema, "a" * 5_000 + "!")

    assert finding.code == "schema.pattern"


def test_a_property_may_be_called_ref() -> None:
    schema = ExtractionSchema.compile({"properties": {"$ref": {"type": "string"}}})

    assert check_schema(schema, {"$ref": "http://x"})[0].outcome is Outcome.PASSED
