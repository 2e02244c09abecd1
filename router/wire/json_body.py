"""Read a request's body as JSON, and say precisely what is wrong with one that is not.

orjson refuses what we refuse: NaN, numbers beyond a double, lone surrogates, invalid UTF-8. Only
after it has refused do we look again, to name the field. Of a key written twice the last value
counts; an integer beyond 64 bits becomes the nearest double.
"""

import json

import orjson

from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue

DEPTH_MAX = 200
"""orjson reads 1,024 levels but writes only 254, and a schema is forwarded a few levels deeper than it came."""
_WALK_LIMIT = 100_000


def read_json_object(body: bytes) -> JsonObject:
    """Parse `body` as one JSON object; InvalidRequestError names the place of the fault."""
    try:
        value: JsonValue = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _explain(body, error) from None
    if not isinstance(value, dict):
        raise InvalidRequestError('the body must be a JSON object, e.g. {"model": "auto", "messages": [...]}')
    if body.count(b"{") + body.count(b"[") > DEPTH_MAX and _is_deeper(value, DEPTH_MAX):
        raise _too_deep()
    return value


def _is_deeper(value: JsonValue, levels: int) -> bool:
    """Whether `value` holds an array or object inside more than `levels` others."""
    level = [value]
    for _ in range(levels):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _too_deep() -> InvalidRequestError:
    return InvalidRequestError(f"the body is nested deeper than {DEPTH_MAX} levels", code="too_deep")


def _explain(body: bytes, error: orjson.JSONDecodeError) -> InvalidRequestError:
    message = str(error)
    if not body.strip():
        return InvalidRequestError("the body is empty; send a JSON object")
    try:
        body.decode()
    except UnicodeDecodeError as fault:
        return InvalidRequestError(f"the body is not UTF-8 at byte {fault.start}", code="invalid_json")
    if "surrogate" in message:
        field = _field_with_surrogate(body)
        return InvalidRequestError(
            f"{field or 'a string'} holds half of a surrogate pair (\\ud800-\\udfff), which is no character; "
            "send the character itself or both halves",
            param=field,
            code="invalid_unicode",
        )
    if "recursion" in message or "depth" in message:
        return _too_deep()
    if "infinity" in message:
        return InvalidRequestError(
            f"the body holds a number beyond a double's range at line {error.lineno} column {error.colno}",
            code="invalid_json",
        )
    place = f"line {error.lineno} column {error.colno}" if error.lineno else "the start"
    return InvalidRequestError(f"the body is not JSON at {place}", code="invalid_json")


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
