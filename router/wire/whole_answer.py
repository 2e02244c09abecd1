"""A whole chat completion, put into another form: with another answer in it, or as a stream.

A plan that checks before it answers has the provider's whole body in hand when the caller gets its
first byte. Source of the chunks' shape: OpenAI's API reference, November 2026.
"""

import orjson

from router.json_types import JsonObject, JsonValue
from router.request import AnswerShape
from router.wire.choice_text import choices_of, said_in
from router.wire.sse import event_of

_OF_A_CHUNK = ("id", "created", "model", "system_fingerprint", "service_tier")


def with_answer(body: bytes, text: str, shape: AnswerShape) -> bytes:
    """Put `text` where the first choice's answer stands: its content, or its forced tool's arguments. The
    log-probabilities of what stood there go with it."""
    document: JsonObject = orjson.loads(body)
    choice = choices_of(document)[0]
    if "logprobs" in choice:
        choice["logprobs"] = None
    said = said_in(choice)
    calls = said.get("tool_calls")
    first = calls[0] if isinstance(calls, list) and calls else None
    function = first.get("function") if isinstance(first, dict) else None
    if shape is AnswerShape.TOOL and isinstance(function, dict):
        function["arguments"] = text
    else:
        said["content"] = text
    return orjson.dumps(document)


def events_of(body: bytes) -> tuple[bytes, bytes]:
    """Write a whole completion as the events of a stream; return them, and the payload of the last
    event with the usage (b"" where none was told), which goes only to a caller who asked for it."""
    document: JsonObject = orjson.loads(body)
    head = _head(document)
    events: list[bytes] = []
    for place, choice in enumerate(choices_of(document)):
        index = choice.get("index", place)
        delta: JsonObject = {"role": "assistant", **_delta(said_in(choice))}
        said: JsonObject = {"index": index, "delta": delta, "finish_reason": None}
        if choice.get("logprobs") is not None:
            said["logprobs"] = choice["logprobs"]
        ended: JsonObject = {"index": index, "delta": {}, "finish_reason": choice.get("finish_reason")}
        events += [_event(head, [said]), _event(head, [ended])]
    usage = document.get("usage")
    last = orjson.dumps({**head, "choices": [], "usage": usage}) if isinstance(usage, dict) else b""
    return b"".join(events), last


def _head(document: JsonObject) -> JsonObject:
    known = {key: document[key] for key in _OF_A_CHUNK if key in document}
    return {**known, "object": "chat.completion.chunk"}


def _delta(message: JsonObject) -> JsonObject:
    """A message as one delta; the calls of tools get the numbers that a stream gives them."""
    delta: JsonObject = {key: value for key, value in message.items() if key != "role" and value is not None}
    calls = delta.get("tool_calls")
    if isinstance(calls, list):
        numbered: list[JsonValue] = [
            {"index": place, **call} for place, call in enumerate(calls) if isinstance(call, dict)
        ]
        delta["tool_calls"] = numbered
    return delta


def _event(head: JsonObject, choices: list[JsonValue]) -> bytes:
    return event_of(orjson.dumps({**head, "choices": choices}))
