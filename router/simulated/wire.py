"""The two formats that the scripted models speak: read a request, write an answer, whole or streamed.

Sources: OpenAI's chat completions and Anthropic's Messages, as their references stood in November 2026.
"""

from dataclasses import dataclass
from enum import StrEnum

import orjson

from router.json_types import JsonObject, JsonValue
from router.simulated.bill import Used

CREATED = 1_790_000_000
Said = tuple[tuple[str, float], ...]
"""An answer in pieces, each with its log-probability."""


class Format(StrEnum):
    """Whose format."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, whichever format it came in."""

    form: Format
    model: str
    text: str
    """All text of all turns, the fixed part first."""
    schema: JsonObject | None
    tool: str | None
    """The forced tool in whose arguments the answer must stand."""
    stream: bool
    include_usage: bool
    logprobs: bool


def read_request(form: Format, body: JsonObject) -> Asked:
    """Read a request's body; what is of no use to a script is not looked at."""
    tool = _forced_tool(form, body)
    options = body.get("stream_options")
    return Asked(
        form=form,
        model=str(body.get("model")),
        text="\n".join(_texts(body)),
        schema=_schema(form, body, tool),
        tool=tool,
        stream=body.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        logprobs=body.get("logprobs") is True,
    )


def answer_body(asked: Asked, answer_id: str, said: Said, used: Used) -> bytes:
    """A whole answer."""
    text = text_of(said)
    if asked.form is Format.ANTHROPIC:
        return orjson.dumps(
            {
                "id": answer_id,
                "type": "message",
                "role": "assistant",
                "model": asked.model,
                "content": [_block(asked, text)],
                "stop_reason": "tool_use" if asked.tool else "end_turn",
                "stop_sequence": None,
                "usage": _anthropic_usage(used),
            }
        )
    message: JsonObject = {"role": "assistant", "content": text, "refusal": None}
    if asked.tool is not None:
        function: JsonObject = {"name": asked.tool, "arguments": text}
        call: JsonObject = {"id": "call_0", "type": "function", "function": function}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice: JsonObject = {"index": 0, "message": message, "finish_reason": _finish(asked)}
    choice["logprobs"] = {"content": _logprobs(said)} if asked.logprobs else None
    head = _head(asked, answer_id, "chat.completion")
    return orjson.dumps({**head, "choices": [choice], "usage": _openai_usage(used)})


def answer_events(asked: Asked, answer_id: str, said: Said, used: Used) -> bytes:
    """The same answer as a stream of events."""
    if asked.form is Format.ANTHROPIC:
        return _anthropic_events(asked, answer_id, said, used)
    text = text_of(said)
    head = _head(asked, answer_id, "chat.completion.chunk")
    delta: JsonObject = {"role": "assistant", "content": text}
    if asked.tool is not None:
        function: JsonObject = {"name": asked.tool, "arguments": text}
        call: JsonObject = {"index": 0, "id": "call_0", "type": "function", "function": function}
        delta = {"role": "assistant", "tool_calls": [call]}
    first: JsonObject = {"index": 0, "delta": delta, "finish_reason": None}
    if asked.logprobs:
        first["logprobs"] = {"content": _logprobs(said)}
    chunks: list[JsonObject] = [
        {**head, "choices": [first]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": _finish(asked)}]},
    ]
    if asked.include_usage:
        chunks.append({**head, "choices": [], "usage": _openai_usage(used)})
    return b"".join(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


def text_of(said: Said) -> str:
    """The whole text."""
    return "".join(piece for piece, _ in said)


def error_body(form: Format, kind: str, message: str) -> bytes:
    """An error in the format's shape."""
    error = {"type": kind, "message": message}
    return orjson.dumps({"type": "error", "error": error} if form is Format.ANTHROPIC else {"error": error})


def _anthropic_events(asked: Asked, answer_id: str, said: Said, used: Used) -> bytes:
    text = text_of(said)
    empty: JsonObject = {**_block(asked, ""), **({"input": {}} if asked.tool else {})}
    delta: JsonObject = {"type": "text_delta", "text": text}
    if asked.tool is not None:
        delta = {"type": "input_json_delta", "partial_json": text}
    start = orjson.loads(answer_body(asked, answer_id, (("{}", 0.0),), used))
    start.update(content=[], stop_reason=None, usage={**_anthropic_usage(used), "output_tokens": 1})
    ended: JsonObject = {"stop_reason": "tool_use" if asked.tool else "end_turn", "stop_sequence": None}
    events: list[tuple[str, JsonObject]] = [
        ("message_start", {"message": start}),
        ("content_block_start", {"index": 0, "content_block": empty}),
        ("ping", {}),
        ("content_block_delta", {"index": 0, "delta": delta}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": ended, "usage": {"output_tokens": used.output}}),
        ("message_stop", {}),
    ]
    return b"".join(
        f"event: {name}\ndata: ".encode() + orjson.dumps({"type": name, **data}) + b"\n\n"
        for name, data in events
    )


def _block(asked: Asked, text: str) -> JsonObject:
    if asked.tool is None:
        return {"type": "text", "text": text}
    return {"type": "tool_use", "id": "toolu_0", "name": asked.tool, "input": orjson.loads(text or "{}")}


def _texts(body: JsonObject) -> list[str]:
    found = _texts_in(body.get("system"))
    messages = body.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict):
            found += _texts_in(message.get("content"))
    return found


def _texts_in(content: JsonValue) -> list[str]:
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else ()
    return [str(part["text"]) for part in parts if isinstance(part, dict) and "text" in part]


def _forced_tool(form: Format, body: JsonObject) -> str | None:
    choice = body.get("tool_choice")
    if not isinstance(choice, dict):
        return None
    named = choice if form is Format.ANTHROPIC else choice.get("function")
    name = named.get("name") if isinstance(named, dict) else None
    return name if isinstance(name, str) else None


def _schema(form: Format, body: JsonObject, tool: str | None) -> JsonObject | None:
    tools = body.get("tools")
    for offered in tools if isinstance(tools, list) else ():
        inner = offered if form is Format.ANTHROPIC else _at(offered, "function")
        if isinstance(inner, dict) and tool is not None and inner.get("name") == tool:
            found = inner.get("input_schema", inner.get("parameters"))
            return found if isinstance(found, dict) else None
    asked = _at(body, "response_format", "json_schema", "schema") or _at(
        body, "output_config", "format", "schema"
    )
    return asked if isinstance(asked, dict) else None


def _at(value: JsonValue, *keys: str) -> JsonValue:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _head(asked: Asked, answer_id: str, kind: str) -> JsonObject:
    return {"id": answer_id, "object": kind, "created": CREATED, "model": asked.model}


def _finish(asked: Asked) -> str:
    return "tool_calls" if asked.tool else "stop"


def _logprobs(said: Said) -> list[JsonValue]:
    return [
        {"token": piece, "logprob": logprob, "bytes": list(piece.encode()), "top_logprobs": []}
        for piece, logprob in said
    ]


def _openai_usage(used: Used) -> JsonObject:
    return {
        "prompt_tokens": used.prompt,
        "completion_tokens": used.output,
        "total_tokens": used.prompt + used.output,
        "prompt_tokens_details": {"cached_tokens": used.cached},
        "completion_tokens_details": {"reasoning_tokens": used.reasoning},
    }


def _anthropic_usage(used: Used) -> JsonObject:
    return {
        "input_tokens": used.prompt - used.cached,
        "cache_read_input_tokens": used.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": used.output,
    }
