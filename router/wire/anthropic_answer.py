"""Anthropic's whole answer, a Message, as OpenAI's chat completion.

Text blocks become the content, tool uses its tool calls, thoughts `reasoning_content` (DeepSeek's
name, which clients know). Source: anthropic-sdk-python 2.14.0 (`types/message.py`,
`types/stop_reason.py`), November 2026.
"""

import orjson

from router.call import Call
from router.completion import Completion
from router.errors import UpstreamInvalidError
from router.json_types import JsonObject, JsonValue
from router.wire.anthropic_usage import read_message_usage
from router.wire.choice_text import answer_text
from router.wire.openai_usage import usage_object
from router.wire.upstream_answer import parse_answer, string_in
from router.wire.upstream_chat import asks_by_tool

_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",  # an answer in parts, of which this is one; only tools that we refuse make it
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def read_message(call: Call, data: bytes, created: int) -> Completion:
    """Read a whole answer; `created` is the time in seconds. Raises UpstreamInvalidError or UpstreamError;
    both may have cost money."""
    body = parse_answer(call.route.provider, data)
    content = body.get("content")
    if not isinstance(content, list):
        raise UpstreamInvalidError(
            f"provider '{call.route.provider}' answered without content", billable=True
        )
    said = _said(content)
    usage = read_message_usage(body.get("usage"))
    text = answer_text(call, said) if call.request.schema is not None else None
    finish_reason = finish_reason_of(call, body.get("stop_reason"))
    if asks_by_tool(call) and "tool_calls" in said:
        del said["tool_calls"]
        said["content"] = text
    answer: JsonObject = {
        "id": string_in(body, "id"),
        "object": "chat.completion",
        "created": created,
        "model": string_in(body, "model"),
        "choices": [{"index": 0, "message": said, "logprobs": None, "finish_reason": finish_reason}],
    }
    if usage is not None:
        answer["usage"] = usage_object(usage)
    return Completion(
        body=orjson.dumps(answer),
        text=text,
        tokens=None,
        finish_reason=finish_reason,
        usage=usage,
        model_served=string_in(body, "model"),
        upstream_id=string_in(body, "id"),
    )


def finish_reason_of(call: Call, stop_reason: JsonValue) -> str | None:
    """OpenAI's word for why an answer ended; Anthropic's own where we do not know it."""
    if not isinstance(stop_reason, str):
        return None
    if stop_reason == "tool_use" and asks_by_tool(call):
        return "stop"
    return _FINISH_REASONS.get(stop_reason, stop_reason[:200])


def arguments_text(value: JsonValue) -> str:
    """A tool's input as OpenAI's clients read it. Raises UpstreamInvalidError."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # read, JSON may be nested more deeply than it can be written
        raise UpstreamInvalidError(
            "the provider called a tool with what is nested too deeply", billable=True
        ) from None


def _said(content: list[JsonValue]) -> JsonObject:
    """The blocks as one message. Of a block that we do not know there is nothing to tell."""
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[JsonValue] = []
    for block in content:
        if not isinstance(block, dict):
            continue
        kind = block.get("type")
        if kind == "text":
            texts.append(_text(block, "text"))
        elif kind == "thinking":
            thoughts.append(_text(block, "thinking"))
        elif kind == "tool_use":
            function: JsonObject = {
                "name": string_in(block, "name"),
                "arguments": arguments_text(block.get("input") or {}),
            }
            calls.append({"id": string_in(block, "id"), "type": "function", "function": function})
    said: JsonObject = {"role": "assistant", "content": "".join(texts), "refusal": None}
    if calls:
        said["tool_calls"] = calls
        said["content"] = said["content"] or None
    if any(thoughts):
        said["reasoning_content"] = "".join(thoughts)
    return said


def _text(block: JsonObject, key: str) -> str:
    text = block.get(key)
    return text if isinstance(text, str) else ""
