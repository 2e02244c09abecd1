"""Read an OpenAI-shaped provider's answer, whole or streamed.

Bytes pass through as they came. They are written anew only where the caller must not see what we
asked for (log-probabilities, a tool that stood for a schema) or did not ask for (the usage event).
"""

import orjson

from router.call import Call
from router.completion import Completion, Piece
from router.errors import UpstreamError, UpstreamInvalidError
from router.json_types import JsonObject, JsonValue
from router.wire.openai_usage import read_usage
from router.wire.sse import EventCutter, event_of, payload_of
from router.wire.upstream_chat import adds_logprobs, asks_by_tool
from verifiers.tokens import TokenLogprob

KEPT_BYTES_MAX = 4 * 1024 * 1024


def read_answer(call: Call, data: bytes) -> Completion:
    """Read a whole answer. Raises UpstreamInvalidError or UpstreamError; both may have cost money."""
    provider = call.route.provider
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
            f"provider '{provider}' answered 200 with an error{_error_code(body)}",
            code="upstream_error",
            billable=True,
        )
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not isinstance(message, dict):
        raise UpstreamInvalidError(f"provider '{provider}' answered without choices", billable=True)
    text, tokens = _text_of(message), None
    if call.request.schema is not None:
        tokens = _logprobs_of(first.get("logprobs")) if call.route.logprobs else None
        if asks_by_tool(call) or adds_logprobs(call):
            data = orjson.dumps(_as_asked(call, body))
    return Completion(
        body=data,
        text=text,
        tokens=tokens,
        finish_reason=_string(first, "finish_reason"),
        usage=read_usage(body.get("usage")),
        model_served=_string(body, "model"),
        upstream_id=_string(body, "id"),
        fingerprint=_string(body, "system_fingerprint"),
    )


class StreamReader:
    """Reads a provider's event stream; feed it bytes, send on what it gives back."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._cutter = EventCutter()
        self._rewrites = asks_by_tool(call) or adds_logprobs(call)
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self._finish_reason: str | None = None
        self._usage_chunk: JsonObject | None = None
        self._head: JsonObject | None = None
        self._usage: JsonValue = None
        self._done = False

    def feed(self, data: bytes) -> Piece:
        """Take bytes from the provider; return what goes to the caller. Raises UpstreamError."""
        out: list[bytes] = []
        has_content = False
        for event in self._cutter.feed(data):
            if b'"content":"' in event and b'"content":""' not in event:
                has_content = True
            sent = self._event(event)
            if sent:
                out.append(sent)
        return Piece(b"".join(out), has_content or self._rewrites)

    def _event(self, event: bytes) -> bytes:
        if self._done or event.startswith(b":"):
            return b""
        if self._kept_bytes < KEPT_BYTES_MAX:
            self._kept.append(event)
            self._kept_bytes += len(event)
        if not (
            self._rewrites
            or self._head is None
            or b'"usage":{' in event
            or b'"usage": {' in event
            or b'"finish_reason":"' in event
            or b'"finish_reason": "' in event
            or b'"error"' in event
            or b"[DONE]" in event
        ):
            return event
        return self._parsed_event(event)

    def _parsed_event(self, event: bytes) -> bytes:
        payload = payload_of(event)
        if payload == b"[DONE]":
            self._done = True
            return b""
        if not payload:
            return b""
        chunk = self._parse(payload)
        if self._head is None:
            self._head = chunk
        choices = chunk.get("choices")
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
            if not choices:
                self._usage_chunk = chunk
                return b""
        if isinstance(choices, list):
            for choice in choices:
                if isinstance(choice, dict) and isinstance(choice.get("finish_reason"), str):
                    self._finish_reason = str(choice["finish_reason"])
        return event_of(orjson.dumps(_as_asked(self._call, chunk))) if self._rewrites else event

    def _parse(self, payload: bytes) -> JsonObject:
        provider = self._call.route.provider
        try:
            chunk: JsonValue = orjson.loads(payload)
        except orjson.JSONDecodeError:
            raise UpstreamInvalidError(
                f"provider '{provider}' sent an event that is not JSON", billable=True
            ) from None
        if not isinstance(chunk, dict):
            raise UpstreamInvalidError(
                f"provider '{provider}' sent an event that is no object", billable=True
            )
        if chunk.get("error"):
            raise UpstreamError(
                f"provider '{provider}' broke off the stream with an error{_error_code(chunk)}", billable=True
            )
        return chunk

    def end(self) -> None:
        """Say that the provider closed the stream. Raises UpstreamInvalidError if it was cut short."""
        if not self._done and self._finish_reason is None:
            raise UpstreamInvalidError(
                f"provider '{self._call.route.provider}' ended the stream in the middle",
                code="upstream_truncated",
                billable=True,
            )

    def received_text(self) -> str:
        """The text of the first choice so far (or its tool's arguments)."""
        return "".join(_text_of(delta) or "" for delta in self._deltas())

    def completion(self) -> Completion:
        """What the stream said, after its end."""
        head = self._head or {}
        wanted = self._call.request.schema is not None
        return Completion(
            body=b"",
            text=self.received_text() if wanted else None,
            tokens=self._tokens() if wanted and self._call.route.logprobs else None,
            finish_reason=self._finish_reason,
            usage=read_usage(self._usage),
            model_served=_string(head, "model"),
            upstream_id=_string(head, "id"),
            fingerprint=_string(head, "system_fingerprint"),
            usage_event=orjson.dumps(self._usage_chunk) if self._usage_chunk is not None else b"",
        )

    def _tokens(self) -> tuple[TokenLogprob, ...] | None:
        found: list[TokenLogprob] = []
        for choice in self._first_choices():
            found.extend(_logprobs_of(choice.get("logprobs")) or ())
        return tuple(found) or None

    def _deltas(self) -> list[JsonObject]:
        return [delta for choice in self._first_choices() if isinstance(delta := choice.get("delta"), dict)]

    def _first_choices(self) -> list[JsonObject]:
        found: list[JsonObject] = []
        for event in self._kept:
            payload = payload_of(event)
            if not payload.startswith(b"{"):
                continue
            try:
                chunk = orjson.loads(payload)
            except orjson.JSONDecodeError:
                continue  # it was refused when it came; what came before it still counts
            choices = chunk.get("choices") if isinstance(chunk, dict) else None
            found.extend(
                choice
                for choice in (choices if isinstance(choices, list) else ())
                if isinstance(choice, dict) and choice.get("index", 0) == 0
            )
        return found


def _as_asked(call: Call, body: JsonObject) -> JsonObject:
    """Put an answer or a chunk into the form that the caller asked for."""
    choices = body.get("choices")
    if isinstance(choices, list):
        body["choices"] = [_choice_as_asked(call, choice) for choice in choices]
    return body


def _choice_as_asked(call: Call, choice: JsonValue) -> JsonValue:
    if not isinstance(choice, dict):
        return choice
    if adds_logprobs(call) and "logprobs" in choice:
        choice["logprobs"] = None
    if asks_by_tool(call):
        for key in ("message", "delta"):
            part = choice.get(key)
            if isinstance(part, dict) and "tool_calls" in part:
                part["content"] = _text_of(part)
                del part["tool_calls"]
        if choice.get("finish_reason") == "tool_calls":
            choice["finish_reason"] = "stop"
    return choice


def _text_of(message: JsonObject) -> str | None:
    content = message.get("content")
    if isinstance(content, str) and content:
        return content
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls and isinstance(calls[0], dict):
        function = calls[0].get("function")
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if isinstance(arguments, str):
            return arguments
    return content if isinstance(content, str) else None


def _logprobs_of(value: JsonValue) -> tuple[TokenLogprob, ...] | None:
    content = value.get("content") if isinstance(value, dict) else None
    if not isinstance(content, list):
        return None
    found: list[TokenLogprob] = []
    for token in content:
        if isinstance(token, dict):
            text, logprob = token.get("token"), token.get("logprob")
            if isinstance(text, str) and isinstance(logprob, (int, float)):
                found.append(TokenLogprob(text, float(logprob)))
    return tuple(found) or None


def _string(holder: JsonObject, key: str) -> str | None:
    value = holder.get(key)
    return value[:200] if isinstance(value, str) else None


def _error_code(body: JsonObject) -> str:
    error = body.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return f" ({str(code)[:60]})" if isinstance(code, (str, int)) else ""
