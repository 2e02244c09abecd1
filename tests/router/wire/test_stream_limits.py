"""How long a streamed answer may be: longer than any honest one."""

from dataclasses import replace

import orjson
import pytest

from router.catalog import Route
from router.json_types import JsonObject, JsonValue
from router.wire.sse import event_of
from router.wire.stream_limits import BYTES_FREE, stream_bytes_max, stream_characters_max
from support.calls import ROUTE, call_of, chat

TOKENS = 100_000
LONGEST_TOKEN = " " * 128


def scored(others: int) -> JsonObject:
    """A token with its log-probability, and others with theirs."""
    told: JsonObject = {"token": LONGEST_TOKEN[:16], "logprob": -12.345678901234567, "bytes": [32] * 16}
    alternatives: list[JsonValue] = [told] * others
    return {"content": [{**told, "top_logprobs": alternatives}], "refusal": None}


def chunk(delta: JsonObject, logprobs: JsonObject | None = None, **fields: JsonValue) -> bytes:
    """One token's event, as OpenAI writes it."""
    choice: JsonObject = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": None}
    head: JsonObject = {
        "id": "chatcmpl-" + "a" * 29,
        "object": "chat.completion.chunk",
        "created": 1_795_000_000,
        "model": "a-model-with-a-date-2026-11-01",
        "service_tier": "default",
        "system_fingerprint": "fp_" + "a" * 10,
    }
    return event_of(orjson.dumps({**head, "choices": [choice], "usage": None, **fields}))


HONEST = {
    "text": (ROUTE, {}, chunk({"content": " word"})),
    "padded": (ROUTE, {}, chunk({"content": " word"}, obfuscation="x" * 16)),
    "thoughts under two names": (ROUTE, {}, chunk({"reasoning": "w" * 16, "reasoning_content": "w" * 16})),
    "the longest token": (ROUTE, {}, chunk({"content": LONGEST_TOKEN})),
    "scored for the caller": (ROUTE, {"logprobs": True, "top_logprobs": 20}, chunk({"content": " "}, scored(20))),
    "scored for us": (replace(ROUTE, logprobs=True), {}, chunk({"content": " word"}, scored(5))),
}  # fmt: skip


@pytest.mark.parametrize(("route", "fields", "event"), HONEST.values(), ids=HONEST.keys())
def test_an_answer_as_long_as_its_limit_has_room_whatever_is_told_of_each_token(
    route: Route, fields: JsonObject, event: bytes
) -> None:
    call = call_of(chat(fields), route, max_tokens=TOKENS)
    assert len(event) * TOKENS < stream_bytes_max(call)
    assert len(LONGEST_TOKEN) * TOKENS < stream_characters_max(call)


def test_each_choice_has_its_own_room() -> None:
    one, three = (call_of(chat({"n": n}), max_tokens=TOKENS) for n in (1, 3))
    assert stream_bytes_max(three) - BYTES_FREE == 3 * (stream_bytes_max(one) - BYTES_FREE)
