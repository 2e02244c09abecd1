"""Read a request's body as JSON, and say precisely what is wrong with one that is not.

orjson refuses what we refuse: duplicate-free depth beyond 1,024 levels, NaN, lone surrogates,
invalid UTF-8. Only after it has refused do we look again, to name the field.
"""

import json

import orjson

from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue

_WALK_LIMIT = 100_000


def read_json_object(body: bytes) -> JsonObject:
    """Parse `body` as one JSON object; InvalidRequestError names the place of the fault."""
    try:
        value: JsonValue = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _explain(body, error) from None
    if not isinstance(value, dict):
        raise InvalidRequestError('the body must be a JSON object, e.g. {"model": "auto", "messages": [...]}')
    return value


def _explain(body: bytes, error: orjson.JSONDecodeError) -> InvalidRequestError:
    message = str(error)
    if not body.strip():
        return InvalidRequestError("the body is empty; send a JSON object")
    if "surrogate" in message:
        field = _field_with_surrogate(body)
        return InvalidRequestError(
            f"{field or 'a string'} holds half of a surrogate pair (\\ud800-\\udfff), which is no character; "
            "send the character itself or both halves",
            param=field,
            code="invalid_unicode",
        )
    if "recursion" in message or "depth" in message:
        return InvalidRequestError("the body is nested deeper than 1,024 levels", code="too_deep")
    place = f"line {error.lineno} column {error.colno}" if error.lineno else "the start"
    what = "is not UTF-8" if "utf-8" in message.lower() or "utf8" in message.lower() else "is not JSON"
    return InvalidRequestError(f"the body {what} at {place}", code="invalid_json")


def _field_with_surrogate(body: bytes) -> str | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    pending: list[tuple[str, object]] = [("", value)]
    for _ in range(_WALK_LIMIT):
        if not pending:
            return None
        path, item = pending.pop()
        if isinstance(item, str) and any("\ud800" <= character <= "\udfff" for character in item):
            return path or None
        if isinstance(item, dict):
            pending.extend((f"{path}.{key}" if path else str(key), child) for key, child in item.items())
        elif isinstance(item, list):
            pending.extend((f"{path}[{index}]", child) for index, child in enumerate(item))
    return None
