"""Our keywords must be out of a schema before it is forwarded, and a misspelt one must not pass."""

import pytest

from verifiers.errors import MarkError, SchemaError
from verifiers.json_types import JsonObject, JsonValue
from verifiers.marks import DEPTH_MAX, SumMark, take_out_marks

SUM = "x-steelyard-sum"


def marked(mark: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"properties": {"amount": {"type": "number"}}}},
            "total": {"type": "number", **mark},
        },
    }


def test_a_mark_is_taken_out_and_kept() -> None:
    found = take_out_marks(marked({SUM: "items[].amount"}))

    assert found.sums == (SumMark("total", "items[].amount"),)
    assert found.plain == marked({})


def test_the_callers_schema_is_left_as_it_was() -> None:
    schema = marked({SUM: "items[].amount"})
    take_out_marks(schema)

    assert schema == marked({SUM: "items[].amount"})


@pytest.mark.parametrize(
    "keyword", ["properties", "$defs", "items", "const", "enum", SUM, "x-steelyard-sums"]
)
def test_a_property_may_be_named_like_a_keyword(keyword: str) -> None:
    schema: JsonObject = {
        "properties": {keyword: {"type": "object", "properties": {"total": {SUM: "parts[]"}}}}
    }

    found = take_out_marks(schema)

    assert found.plain == {"properties": {keyword: {"type": "object", "properties": {"total": {}}}}}
    assert found.sums == (SumMark(f"{keyword}.total", "parts[]"),)


@pytest.mark.parametrize("keyword", ["const", "enum", "default", "examples"])
def test_what_is_a_value_and_no_schema_is_left_alone(keyword: str) -> None:
    value: JsonValue = [{SUM: 5}]
    schema: JsonObject = {"properties": {"a": {keyword: value}}}

    assert take_out_marks(schema).plain == schema


@pytest.mark.parametrize(
    ("mark", "hint"),
    [
        pytest.param({"x-steelyard-sums": "a"}, "did you mean 'x-steelyard-sum'?", id="misspelt"),
        pytest.param({"x-steelyad-sum": "a"}, "did you mean 'x-steelyard-sum'?", id="our name misspelt"),
        pytest.param({"X_Steelyard_Sum": "a"}, "did you mean 'x-steelyard-sum'?", id="another case"),
        pytest.param({"x-steelyard-zzzzzz": "a"}, "known is x-steelyard-sum", id="unknown"),
        pytest.param({SUM: 5}, "must be a path", id="no text"),
        pytest.param({SUM: ""}, "must be a path", id="empty"),
        pytest.param({SUM: "items[0].amount"}, "must be a path", id="one item"),
        pytest.param({SUM: "items..amount"}, "must be a path", id="empty step"),
    ],
)
def test_a_mark_that_makes_no_sense_is_refused_with_a_hint(mark: JsonObject, hint: str) -> None:
    with pytest.raises(MarkError) as refused:
        take_out_marks(marked(mark))

    assert hint in str(refused.value)
    assert str(refused.value).lower().startswith("#/properties/total/x")


def test_a_keyword_of_somebody_else_is_left_alone() -> None:
    schema = marked({"x-order": 3, "x-sum": "a"})

    assert take_out_marks(schema).plain == schema


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({SUM: "a"}, id="at the root"),
        pytest.param({"items": {"properties": {"total": {SUM: "a"}}}}, id="within an array"),
    ],
)
def test_a_sum_belongs_on_a_field_outside_of_arrays(schema: JsonObject) -> None:
    with pytest.raises(MarkError, match="belongs on a field outside of arrays"):
        take_out_marks(schema)


def test_a_schema_nested_without_end_is_refused() -> None:
    schema: JsonObject = {}
    for _ in range(DEPTH_MAX + 1):
        schema = {"items": schema}

    with pytest.raises(SchemaError, match="nested deeper"):
        take_out_marks(schema)
