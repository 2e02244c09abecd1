"""A schema that doubles at each step would hold the gateway for hours; an honest one must pass."""

import pytest

from verifiers.errors import SchemaError
from verifiers.json_types import JsonObject, JsonValue
from verifiers.schema_cost import CHAIN_MAX, referred, refuse_costly

TEXT: JsonObject = {"type": "string"}


def ref(name: str) -> JsonValue:
    return {"$ref": f"#/$defs/{name}"}


def doubling(keyword: str) -> JsonObject:
    steps: JsonObject = {f"a{i}": {keyword: [ref(f"a{i - 1}"), ref(f"a{i - 1}")]} for i in range(1, 25)}
    return {"$defs": {"a0": TEXT, **steps}, "$ref": "#/$defs/a24"}


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(doubling("anyOf"), id="anyOf"),
        pytest.param(doubling("oneOf"), id="oneOf"),
        pytest.param(doubling("allOf"), id="allOf"),
        pytest.param(
            {
                "$defs": {"n": {"anyOf": [{"properties": {"x": ref("n")}}, {"properties": {"x": ref("n")}}]}},
                "$ref": "#/$defs/n",
            },
            id="doubling with each level of the answer",
        ),
        pytest.param(
            {
                "$defs": {
                    "n": {"$anchor": "n", "allOf": [{"items": {"$ref": "#n"}}, {"items": {"$ref": "#n"}}]}
                }
            },
            id="by anchor",
        ),
        pytest.param({"anyOf": [{"$ref": "#"}], "items": {"$id": "x"}}, id="an $id that moves references"),
        pytest.param(
            {"$defs": {f"a{i:03}": ref(f"a{i - 1:03}") for i in range(1, CHAIN_MAX + 9)}},
            id="an endless chain",
        ),
    ],
)
def test_a_schema_that_branches_without_bound_is_refused(schema: JsonObject) -> None:
    with pytest.raises(SchemaError):
        refuse_costly(schema)


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"properties": {"a": TEXT}}, id="plain"),
        pytest.param({"$ref": "#"}, id="itself"),
        pytest.param(
            {
                "$defs": {
                    "n": {
                        "properties": {
                            "v": TEXT,
                            "left": {"anyOf": [ref("n"), {"type": "null"}]},
                            "right": ref("n"),
                        }
                    }
                },
                "$ref": "#/$defs/n",
            },
            id="a binary tree",
        ),
        pytest.param(
            {
                "$defs": {
                    "v": {"anyOf": [TEXT, {"items": ref("v")}, {"additionalProperties": ref("v")}]},
                },
                "$ref": "#/$defs/v",
            },
            id="any JSON",
        ),
        pytest.param(
            {"properties": {f"p{i}": {"anyOf": [TEXT, {"type": "null"}]} for i in range(300)}},
            id="many optional fields",
        ),
    ],
)
def test_an_honest_schema_passes(schema: JsonObject) -> None:
    refuse_costly(schema)

    assert schema


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("#", "root"),
        ("#/$defs/a", TEXT),
        ("#/$defs/a~1b", {"type": "number"}),
        ("#/$defs/none", None),
        ("other.json", None),
        (5, None),
    ],
)
def test_a_local_reference_names_a_part(reference: JsonValue, expected: JsonValue) -> None:
    schema: JsonObject = {"$defs": {"a": TEXT, "a/b": {"type": "number"}}}

    assert referred(schema, reference) == (schema if expected == "root" else expected)
