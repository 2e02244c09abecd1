"""A local engine as a provider: engine deltas become answers in OpenAI's chat shape."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
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
from router.providers.local.asked import engine_request
from router.providers.local.engine import (
    EngineBusyError,
    EngineDelta,
    EngineError,
    EngineRequestError,
    EngineTimeoutError,
    EngineToken,
    EngineUnavailableError,
    EngineWindowError,
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
                self._name, call, self._engine.generate(engine_request(call)), health.fingerprint
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
        self._tokens: list[EngineToken] = []
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
            tokens=tuple(TokenLogprob(token.text, token.logprob) for token in self._tokens) or None
            if wanted
            else None,
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
            "index": 0, "delta": part, "logprobs": self._logprobs(delta.tokens), "finish_reason": finish
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

    def _logprobs(self, tokens: Sequence[EngineToken]) -> JsonValue:
        request = self._call.request
        if not request.wants_logprobs or not tokens:
            return None
        top = request.body.get("top_logprobs")
        count = top if isinstance(top, int) else 0
        content: list[JsonValue] = [
            {**_token(token), "top_logprobs": [_token(each) for each in token.alternatives[:count]]}
            for token in tokens
        ]
        return {"content": content, "refusal": None}

    def _usage(self) -> JsonObject:
        last = self._last
        return {
            "prompt_tokens": last.prompt_tokens,
            "completion_tokens": last.completion_tokens,
            "total_tokens": last.prompt_tokens + last.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": last.cached_tokens},
        }


def _token(token: EngineToken) -> JsonObject:
    return {"token": token.text, "logprob": token.logprob, "bytes": list(token.utf8)}


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn the engine's errors into the gateway's."""
    try:
        yield
    except EngineBusyError as error:
        raise BusyError(f"{error}; try again in a moment") from error
    except EngineTimeoutError as error:
        raise UpstreamTimeoutError(str(error), billable=True) from error
    except EngineWindowError as error:
        raise ContextLengthError(str(error), param=error.param) from error
    except EngineRequestError as error:
        raise InvalidRequestError(str(error), param=error.param) from error
    except EngineUnavailableError as error:
        raise UnavailableError(f"route '{name}': {error}", code="engine_unavailable") from error
    except EngineError as error:
        raise UpstreamError(f"route '{name}': {error}", billable=True) from error
