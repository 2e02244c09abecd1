"""JSON schemas as Anthropic's structured outputs take them."""

import pytest

from router.errors import InvalidRequestError
from router.json_types import JsonObject
from router.wire.anthropic_schema import closed_schema

STRING: JsonObject = {"type": "string"}
WRITTEN: dict[str, tuple[JsonObject, JsonObject]] = {
    "a bound is told in words": ({"type": "integer", "minimum": 1}, {"type": "integer", "description": '{"minimum":1}'}),
    "after what was said": ({"type": "string", "description": "A code.", "pattern": "^a"}, {"type": "string", "description": 'A code.\n\n{"pattern":"^a"}'}),
    "a title": ({"type": "string", "title": "T"}, {"type": "string", "title": "T"}),
    "a known format": ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
    "an unknown format": ({"type": "string", "format": "iban"}, {"type": "string", "description": '{"format":"iban"}'}),
    "or nothing": ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
    "a choice of values": ({"type": ["string", "null"], "enum": ["a", None]}, {"enum": ["a", None]}),
    "a constant": ({"const": 3}, {"const": 3}),
    "one of": ({"oneOf": [STRING, {"type": "null"}]}, {"anyOf": [STRING, {"type": "null"}]}),
    "all of": ({"allOf": [STRING]}, {"allOf": [STRING]}),
    "an array": ({"type": "array", "items": {"type": "string", "maxLength": 2}, "minItems": 1, "maxItems": 5}, {"type": "array", "items": {"type": "string", "description": '{"maxLength":2}'}, "minItems": 1, "description": '{"maxItems":5}'}),
    "an open object is closed": ({"type": "object", "properties": {"a": STRING}}, {"type": "object", "properties": {"a": STRING}, "additionalProperties": False}),
    "an object or nothing": ({"type": ["object", "null"], "properties": {"a": STRING}}, {"type": ["object", "null"], "properties": {"a": STRING}, "additionalProperties": False}),
    "an empty object": ({"type": "object", "additionalProperties": False}, {"type": "object", "properties": {}, "additionalProperties": False}),
    "definitions": (
        {"$schema": "x", "$defs": {"m": {"type": "string", "maxLength": 1}}, "type": "object", "properties": {"a": {"$ref": "#/$defs/m"}}},
        {"$defs": {"m": {"type": "string", "description": '{"maxLength":1}'}}, "type": "object", "properties": {"a": {"$ref": "#/$defs/m"}}, "additionalProperties": False},
    ),
    "a property may be called like a keyword": (
        {"type": "object", "properties": {"type": STRING, "minimum": STRING}},
        {"type": "object", "properties": {"type": STRING, "minimum": STRING}, "additionalProperties": False},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "written"), WRITTEN.values(), ids=WRITTEN.keys())
def test_a_schema_is_written_for_a_grammar(schema: JsonObject, written: JsonObject) -> None:
    before = repr(schema)
    assert closed_schema(schema, "schema") == written
    assert repr(schema) == before, "the caller's own schema stays as it is"


UNSAYABLE: dict[str, tuple[JsonObject, str]] = {
    "no type": ({}, "the schema says no type"),
    "any keys": ({"type": "object", "additionalProperties": STRING}, "an object of any keys"),
    "any object": ({"type": "object"}, "an object of any keys"),
    "deep inside": ({"type": "object", "properties": {"a": {"type": "array", "items": {}}}}, "the schema at /properties/a/items says no type"),
    "anything": ({"type": "array", "items": True}, "the schema at /items is no object"),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "said"), UNSAYABLE.values(), ids=UNSAYABLE.keys())
def test_what_a_grammar_cannot_say_is_refused_with_a_way_out(schema: JsonObject, said: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        closed_schema(schema, "where.it.is")
    assert raised.value.param == "where.it.is"
    assert said in raised.value.message
    assert "`schema: tool`" in raised.value.message
