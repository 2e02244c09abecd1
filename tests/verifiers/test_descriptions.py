"""What a schema says of a field is found through references, choices and lists, and never endlessly."""

import pytest

from verifiers.descriptions import description_of
from verifiers.json_types import JsonObject

SCHEMA: JsonObject = {
    "properties": {
        "total": {"title": "Total", "description": "What was paid"},
        "same": {"title": "Sum", "description": "Sum"},
        "bare": {"type": "string"},
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
        "either": {"anyOf": [{"properties": {"x": {"description": "an x"}}}, {"type": "null"}]},
        "self": {"$ref": "#/properties/self"},
    },
    "$defs": {"item": {"properties": {"amount": {"description": "Of one item"}}}},
}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("total", "Total: What was paid"),
        ("same", "Sum"),
        ("bare", ""),
        ("items[].amount", "Of one item"),
        ("either.x", "an x"),
        ("self", ""),
        ("nowhere", ""),
        ("total.deeper", ""),
        ("", ""),
    ],
)
def test_title_and_description_are_found(path: str, said: str) -> None:
    assert description_of(SCHEMA, path) == said
