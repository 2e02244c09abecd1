"""A JSON schema as Anthropic's structured outputs take it.

Their grammar knows few keywords and wants every object closed. What it does not know moves into the
description, where the model reads it, as Anthropic's own SDK does; our checks hold the answer to the
whole schema afterwards. What cannot be said at all is refused, never weakened in silence. Source:
anthropic-sdk-python 2.14.0 (`lib/_parse/_transform.py`), November 2026.
"""

import orjson

from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue

_FORMATS = frozenset(
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"]
)
_DEFINITIONS = ("$defs", "definitions")
_ANNOTATIONS = frozenset(["$schema", "$id", "$comment"])
"""They say nothing of the answer."""
_PRIMITIVE = (str, int, float, bool, type(None))


def closed_schema(schema: JsonObject, param: str) -> JsonObject:
    """Write `schema` for a grammar. Raises InvalidRequestError; `param` is where the request has it."""
    return _written(schema, param, "")


def _written(value: JsonValue, param: str, place: str) -> JsonObject:
    if not isinstance(value, dict):
        raise _refusal(param, place, "is no object, and so says no type")
    rest: JsonObject = {key: each for key, each in value.items() if key not in _ANNOTATIONS}
    written: JsonObject = {}
    for key in _DEFINITIONS:
        definitions = rest.pop(key, None)
        if isinstance(definitions, dict):
            written[key] = _each(definitions, param, f"{place}/{key}")
    if "$ref" in rest:
        written["$ref"] = rest["$ref"]
        return written
    _write_kind(rest, written, param, place)
    for key in ("description", "title"):
        if isinstance(rest.get(key), str):
            written[key] = rest.pop(key)
    kinds = _kinds(written.get("type"))
    if "object" in kinds:
        _write_object(rest, written, param, place)
    if "array" in kinds:
        _write_array(rest, written, param, place)
    form = rest.get("format")
    if isinstance(form, str) and form in _FORMATS and "string" in kinds:
        written["format"] = rest.pop("format")
    if rest:
        told = orjson.dumps(rest).decode()
        described = written.get("description")
        written["description"] = f"{described}\n\n{told}" if described else told
    return written


def _write_kind(rest: JsonObject, written: JsonObject, param: str, place: str) -> None:
    """What the value is: a choice of values, a choice of schemas, or a type."""
    kind = rest.pop("type", None)
    choices = rest.get("enum")
    if isinstance(choices, list) and choices and all(isinstance(each, _PRIMITIVE) for each in choices):
        written["enum"] = rest.pop("enum")
        return
    if "const" in rest and isinstance(rest["const"], _PRIMITIVE):
        written["const"] = rest.pop("const")
        return
    for key, as_key in (("anyOf", "anyOf"), ("oneOf", "anyOf"), ("allOf", "allOf")):
        variants = rest.get(key)
        if isinstance(variants, list) and variants:
            del rest[key]
            written[as_key] = [
                _written(each, param, f"{place}/{key}/{index}") for index, each in enumerate(variants)
            ]
            if kind is not None:
                rest["type"] = kind
            return
    if not _kinds(kind):
        raise _refusal(param, place, "says no type")
    written["type"] = kind


def _write_object(rest: JsonObject, written: JsonObject, param: str, place: str) -> None:
    properties = rest.pop("properties", None)
    named = properties if isinstance(properties, dict) else {}
    others = rest.pop("additionalProperties", None)
    if isinstance(others, dict) or (not named and others is not False):
        raise _refusal(param, place, "is an object of any keys, which their grammar cannot say")
    written["properties"] = _each(named, param, f"{place}/properties")
    written["additionalProperties"] = False
    if isinstance(rest.get("required"), list):
        written["required"] = rest.pop("required")


def _write_array(rest: JsonObject, written: JsonObject, param: str, place: str) -> None:
    if "items" in rest:
        written["items"] = _written(rest.pop("items"), param, f"{place}/items")
    if rest.get("minItems") in (0, 1):
        written["minItems"] = rest.pop("minItems")


def _each(schemas: JsonObject, param: str, place: str) -> JsonObject:
    return {name: _written(each, param, f"{place}/{name}") for name, each in schemas.items()}


def _kinds(kind: JsonValue) -> list[JsonValue]:
    if isinstance(kind, str):
        return [kind]
    return kind if isinstance(kind, list) else []


def _refusal(param: str, place: str, what: str) -> InvalidRequestError:
    where = f"the schema at {place[:120]}" if place else "the schema"
    return InvalidRequestError(
        f"{param}: {where} {what}; Anthropic's structured outputs take closed objects with types. "
        "Say it so, or have the route asked with `schema: tool`",
        param=param,
    )
