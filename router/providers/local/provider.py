"""A local engine as a provider: engine deltas become answers in OpenAI's chat shape."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager

import orjson

from ledger.usage import Usage
from router.call import Call
from router.completion import Completion, Piece
from router.errors import (
    BusyError,
    ContextLengthError,
    InvalidRequestError,
    UnavailableError,
    UpstreamError,
    UpstreamTimeoutError,
)
from router.json_types import JsonObject, JsonValue
from router.providers.local.engine import (
    EngineBusyError,
    EngineDelta,
    EngineError,
    EngineMessage,
    EngineRequest,
    EngineRequestError,
    EngineTimeoutError,
    EngineUnavailableError,
    LocalEngine,
)
from router.request import AnswerShape
from router.wire.sse import event_of
from verifiers.tokens import TokenLogprob


class LocalProvider:
    """One local engine."""

    def __init__(self, name: str, engine: LocalEngine) -> None:
        self._name = name
        self._engine = engine

    async def complete(self, call: Call) -> Completion:
        """Answer whole."""
        stream = await self.stream(call)
        try:
            async for _ in stream:
                continue
        finally:
            await stream.aclose()
        return stream.whole()

    async def stream(self, call: Call) -> "_LocalStream":
        """Begin to answer in pieces."""
        with translated(self._name):
            health = await self._engine.health()
            return _LocalStream(
                self._name, call, self._engine.generate(_engine_request(call)), health.fingerprint
            )

    async def close(self) -> None:
        """The engine is closed by who made it."""


class _LocalStream:
    """An answer in the making. Also keeps all of it, for a whole answer and for the checks."""

    def __init__(self, name: str, call: Call, deltas: AsyncIterator[EngineDelta], fingerprint: str) -> None:
        self._name = name
        self._call = call
        self._deltas = deltas
        self._fingerprint = fingerprint
        self._parts: list[str] = []
        self._tokens: list[TokenLogprob] = []
        self._last = EngineDelta()
        self._created = int(time.time())

    async def __aiter__(self) -> AsyncIterator[Piece]:
        """Give the pieces as they come."""
        with translated(self._name):
            first = True
            async for delta in self._deltas:
                self._parts.append(delta.text)
                self._tokens.extend(delta.tokens)
                if delta.finish_reason is not None:
                    self._last = delta
                if delta.text or delta.finish_reason is not None:
                    yield Piece(self._chunk(delta, first=first), bool(delta.text))
                    first = False

    def received_text(self) -> str:
        """All text so far."""
        return "".join(self._parts)

    def completion(self) -> Completion:
        """What was said at the end of a stream."""
        usage_chunk = {**self._head("chat.completion.chunk"), "choices": [], "usage": self._usage()}
        return self._completion(b"", orjson.dumps(usage_chunk))

    def whole(self) -> Completion:
        """The whole answer as one body."""
        text, shape = self.received_text(), self._shape()
        message: JsonObject = {"role": "assistant", "content": text, "refusal": None}
        if shape is AnswerShape.TOOL:
            message["content"] = None
            message["tool_calls"] = [{"id": "call_0", "type": "function", "function": self._function(text)}]
        choice: JsonObject = {
            "index": 0,
            "message": message,
            "logprobs": self._logprobs(self._tokens),
            "finish_reason": self._finish_reason(),
        }
        body = {**self._head("chat.completion"), "choices": [choice], "usage": self._usage()}
        return self._completion(orjson.dumps(body), b"")

    async def aclose(self) -> None:
        """End the engine's work on this sequence."""
        if isinstance(self._deltas, AsyncGenerator):
            await self._deltas.aclose()

    def _completion(self, body: bytes, usage_event: bytes) -> Completion:
        last = self._last
        wanted = self._call.request.schema is not None and self._call.route.logprobs
        return Completion(
            body=body,
            text=self.received_text(),
            tokens=tuple(self._tokens) if wanted and self._tokens else None,
            finish_reason=self._finish_reason(),
            usage=Usage(
                input_uncached=last.prompt_tokens - last.cached_tokens,
                cache_read=last.cached_tokens,
                output_text=last.completion_tokens,
                cpu_us=last.cpu_us,
            ),
            model_served=self._call.route.upstream_model,
            upstream_id=self._call.attempt_id,
            fingerprint=self._fingerprint,
            usage_event=usage_event,
        )

    def _chunk(self, delta: EngineDelta, *, first: bool) -> bytes:
        part: JsonObject = {"role": "assistant"} if first else {}
        if delta.text and self._shape() is AnswerShape.TOOL:
            call: JsonObject = {"index": 0, "function": {"arguments": delta.text}}
            if first:
                call = {
                    "index": 0,
                    "id": "call_0",
                    "type": "function",
                    "function": self._function(delta.text),
                }
            part["tool_calls"] = [call]
        elif delta.text:
            part["content"] = delta.text
        finish = self._finish_reason() if delta.finish_reason is not None else None
        choice: JsonObject = {
            "index": 0, "delta": part, "logprobs": self._logprobs(list(delta.tokens)), "finish_reason": finish
        }  # fmt: skip
        return event_of(orjson.dumps({**self._head("chat.completion.chunk"), "choices": [choice]}))

    def _head(self, kind: str) -> JsonObject:
        return {
            "id": self._call.attempt_id.replace("att_", "chatcmpl-"),
            "object": kind,
            "created": self._created,
            "model": self._call.route.model,
            "system_fingerprint": self._fingerprint[:16],
        }

    def _finish_reason(self) -> str | None:
        forced = self._shape() is AnswerShape.TOOL and self._last.finish_reason == "stop"
        return "tool_calls" if forced else self._last.finish_reason

    def _shape(self) -> AnswerShape:
        schema = self._call.request.schema
        return schema.shape if schema is not None else AnswerShape.CONTENT

    def _function(self, arguments: str) -> JsonObject:
        schema = self._call.request.schema
        return {"name": schema.name if schema is not None else "", "arguments": arguments}

    def _logprobs(self, tokens: list[TokenLogprob]) -> JsonValue:
        if not self._call.request.wants_logprobs or not tokens:
            return None
        return {
            "content": [
                {
                    "token": token.text,
                    "logprob": token.logprob,
                    "bytes": list(token.text.encode()),
                    "top_logprobs": [],
                }
                for token in tokens
            ]
        }

    def _usage(self) -> JsonObject:
        last = self._last
        return {
            "prompt_tokens": last.prompt_tokens,
            "completion_tokens": last.completion_tokens,
            "total_tokens": last.prompt_tokens + last.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": last.cached_tokens},
        }


def _engine_request(call: Call) -> EngineRequest:
    request, body = call.request, call.request.body
    if request.choices != 1:
        raise InvalidRequestError(f"route '{call.route.name}' gives one choice; n must be 1", param="n")
    if request.has_tools and (request.schema is None or request.schema.shape is not AnswerShape.TOOL):
        raise InvalidRequestError(
            f"route '{call.route.name}' takes a tool only if tool_choice names it", param="tools"
        )
    if request.bound.image_tokens:
        raise InvalidRequestError(f"route '{call.route.name}' reads no images", param="messages")
    seed, stop = body.get("seed"), body.get("stop")
    stops = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    return EngineRequest(
        messages=tuple(EngineMessage(message.role, message.text) for message in request.messages),
        max_tokens=call.max_tokens,
        deadline_s=call.route.deadline_s,
        schema=call.plain_schema,
        temperature=_number(body.get("temperature")),
        top_p=_number(body.get("top_p")),
        seed=seed if isinstance(seed, int) else None,
        stop=tuple(word for word in stops if isinstance(word, str)),
        logprobs=request.wants_logprobs or (request.schema is not None and call.route.logprobs),
    )


def _number(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn the engine's errors into the gateway's."""
    try:
        yield
    except EngineBusyError as error:
        raise BusyError(f"{error}; try again in a moment") from error
    except EngineTimeoutError as error:
        raise UpstreamTimeoutError(str(error), billable=True) from error
    except EngineRequestError as error:
        if "context window" in str(error):
            raise ContextLengthError(str(error), param="messages") from error
        raise InvalidRequestError(str(error), param=error.param or "response_format") from error
    except EngineUnavailableError as error:
        raise UnavailableError(f"route '{name}': {error}", code="engine_unavailable") from error
    except EngineError as error:
        raise UpstreamError(f"route '{name}': {error}", billable=True) from error
