"""Read an OpenAI-shaped provider's whole answer.

Its bytes pass through as they came. They are written anew only where the caller must not see what
we asked for (log-probabilities, a tool that stood for a schema).
"""

import orjson

from router.call import Call
from router.completion import Completion
from router.errors import UpstreamError, UpstreamInvalidError
from router.json_types import JsonObject, JsonValue
from router.wire.choice_text import (
    answer_text,
    choices_of,
    everything_said,
    first_tool_arguments,
    logprobs_of,
    said_in,
)
from router.wire.openai_usage import read_usage
from router.wire.upstream_chat import adds_logprobs, asks_by_tool


def read_answer(call: Call, data: bytes) -> Completion:
    """Read a whole answer. Raises UpstreamInvalidError or UpstreamError; both may have cost money."""
    provider = call.route.provider
    body = parse_answer(provider, data)
    choices = choices_of(body)
    if not choices or not isinstance(choices[0].get("message"), dict):
        raise UpstreamInvalidError(f"provider '{provider}' answered without choices", billable=True)
    first, usage = choices[0], read_usage(body.get("usage"))
    text, tokens = None, None
    if call.request.schema is not None:
        text = answer_text(call, said_in(first))
        tokens = (logprobs_of(first) or None) if call.route.logprobs else None
        if rewrites(call):
            data = orjson.dumps(as_asked(call, body))
    elif usage is None:
        text = "".join(everything_said(choice) for choice in choices)
    return Completion(
        body=data,
        text=text,
        tokens=tokens,
        finish_reason=string_in(first, "finish_reason"),
        usage=usage,
        model_served=string_in(body, "model"),
        upstream_id=string_in(body, "id"),
        fingerprint=string_in(body, "system_fingerprint"),
    )


def parse_answer(provider: str, data: bytes) -> JsonObject:
    """Parse an answer that is no error. Raises UpstreamInvalidError or UpstreamError."""
    try:
        body: JsonValue = orjson.loads(data)
    except orjson.JSONDecodeError:
        kind = "HTML" if data.lstrip()[:1] == b"<" else "something that is not JSON"
        raise UpstreamInvalidError(f"provider '{provider}' answered with {kind}", billable=True) from None
    if not isinstance(body, dict):
        raise UpstreamInvalidError(
            f"provider '{provider}' answered with JSON that is no object", billable=True
        )
    if body.get("error"):
        raise UpstreamError(
            f"provider '{provider}' answered 200 with an error{error_code_of(body)}",
            code="upstream_error",
            billable=True,
        )
    return body


def rewrites(call: Call) -> bool:
    """Whether answers must be put into the form that the caller asked for."""
    return asks_by_tool(call) or adds_logprobs(call)


def as_asked(call: Call, body: JsonObject) -> JsonObject:
    """Put an answer or a chunk into the form that the caller asked for, in place."""
    for choice in choices_of(body):
        if adds_logprobs(call) and "logprobs" in choice:
            choice["logprobs"] = None
        if asks_by_tool(call):
            said = said_in(choice)
            if "tool_calls" in said:
                said["content"] = first_tool_arguments(said) or said.get("content")
                del said["tool_calls"]
            if choice.get("finish_reason") == "tool_calls":
                choice["finish_reason"] = "stop"
    return body


def string_in(holder: JsonObject, key: str) -> str | None:
    """A short text of a provider's; None if it is no text."""
    value = holder.get(key)
    return value[:200] if isinstance(value, str) else None


def error_code_of(body: JsonObject) -> str:
    """An error object's code in brackets, or "". Its sentence is never repeated: it may hold the prompt."""
    error = body.get("error")
    code = (error.get("code") or error.get("type")) if isinstance(error, dict) else None
    return f" ({str(code)[:60]})" if isinstance(code, (str, int)) else ""
