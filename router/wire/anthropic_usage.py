"""Anthropic's usage object as disjoint classes.

`input_tokens` leaves out what was read from a cache and what was written into one; `output_tokens`
includes thoughts. A stream tells all of them cumulatively, the writes by their lifetime only at its
beginning: what is told later replaces what was told before and is never added to it. Source:
anthropic-sdk-python 2.14.0 (`types/usage.py`, `types/message_delta_usage.py`), November 2026.
"""

from ledger.usage import Usage
from router.json_types import JsonObject, JsonValue


def read_message_usage(value: JsonValue) -> Usage | None:
    """Read a usage object; None if it is absent or makes no sense, so that it is counted instead."""
    if not isinstance(value, dict):
        return None
    fresh, output = _count(value, "input_tokens"), _count(value, "output_tokens")
    read = _count(value, "cache_read_input_tokens")
    thoughts = _count(_details(value, "output_tokens_details"), "thinking_tokens")
    written = _written(value)
    if fresh is None or output is None or written is None:
        return None
    usage = Usage(
        input_uncached=fresh,
        cache_read=read or 0,
        cache_write_5m=written[0],
        cache_write_1h=written[1],
        output_text=output - (thoughts or 0),
        output_reasoning=thoughts or 0,
    )
    return usage if usage.input_tokens > 0 and usage.output_text >= 0 else None


def joined_usage(earlier: JsonObject, later: JsonValue) -> JsonObject:
    """What a stream has told so far; a count that a later event does not tell stays as it was."""
    told = later.items() if isinstance(later, dict) else ()
    return {**earlier, **{key: value for key, value in told if value is not None}}


def _written(usage: JsonObject) -> tuple[int, int] | None:
    """Tokens written into a cache for five minutes and for an hour; without a lifetime they are the
    first, the default. None if the parts are not the whole."""
    whole = _count(usage, "cache_creation_input_tokens")
    parts = usage.get("cache_creation")
    if not isinstance(parts, dict):
        return (whole or 0, 0)
    short = _count(parts, "ephemeral_5m_input_tokens") or 0
    long = _count(parts, "ephemeral_1h_input_tokens") or 0
    return (short, long) if whole is None or whole == short + long else None


def _details(usage: JsonObject, key: str) -> JsonObject:
    details = usage.get(key)
    return details if isinstance(details, dict) else {}


def _count(holder: JsonObject, key: str) -> int | None:
    value = holder.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40 else None
