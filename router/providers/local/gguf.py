"""A GGUF model: llama.cpp's server in a process of its own, spoken to over loopback."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from local_model.settings import GgufSettings
from router.errors import UpstreamError
from router.json_types import JsonObject, JsonValue
from router.processes.engine import EngineProcess, ProcessStartError, ProcessState
from router.providers.local.engine import (
    EngineBusyError,
    EngineDelta,
    EngineHealth,
    EngineMessage,
    EngineRequest,
    EngineRequestError,
    EngineStartError,
    EngineState,
    EngineTimeoutError,
    EngineToken,
    EngineUnavailableError,
    EngineWindowError,
)
from router.providers.local.plain_text import PlainText
from router.providers.pool import Pool
from router.providers.response import Response
from router.providers.target import Target
from router.wire.sse import EventCutter, payload_of

WAITING_MAX = 256
COUNT_S = 60.0
UNBOUNDED_S = 86_400.0
"""The client's own bound where the caller keeps the deadline."""


class GgufEngine:
    """One GGUF file behind the LocalEngine protocol.

    What a sequence computed is llama.cpp's own measure of prompt and generation, times threads.
    """

    def __init__(self, weights: str, *, context_window: int, slots: int, threads: int) -> None:
        self._settings = GgufSettings(weights, context_window, slots, threads, secrets.token_urlsafe(32))
        self._process = EngineProcess("local_model.gguf_server", self._settings.to_line())
        self._plain = PlainText(Path(weights))
        self._pool = Pool()
        self._in_flight = 0
        self._slots = asyncio.Semaphore(slots)

    async def load(self) -> None:
        """Start the engine and wait until it can answer. Raises EngineStartError."""
        await asyncio.to_thread(self._plain.load)
        try:
            await self._process.start()
        except ProcessStartError as error:
            raise EngineStartError(str(error)) from error

    async def count_tokens(self, messages: Sequence[EngineMessage]) -> int:
        """Count the prompt's tokens, the chat template's own included."""
        rendered = await self._post(
            "/apply-template", {"messages": [self._message(message) for message in messages]}
        )
        prompt = rendered.get("prompt")
        found = await self._post("/tokenize", {"content": prompt, "parse_special": True, "add_special": True})
        tokens = found.get("tokens")
        return len(tokens) if isinstance(tokens, list) else 0

    async def generate(self, request: EngineRequest) -> AsyncGenerator[EngineDelta, None]:
        """Generate; closing the generator closes the connection, at which llama.cpp frees the slot."""
        if self._in_flight >= WAITING_MAX:
            raise EngineBusyError(f"{WAITING_MAX} requests are waiting for the local model")
        self._in_flight += 1
        deadline = asyncio.get_running_loop().time() + request.deadline_s
        try:
            async with self._slot(deadline), contextlib.aclosing(self._stream(request)) as deltas:
                request.on_begin()
                while True:
                    # around each step and not around all: what a caller does in between is no part of it
                    async with asyncio.timeout_at(deadline):
                        delta = await anext(deltas, None)
                    if delta is None:
                        return
                    yield delta
        except TimeoutError as error:
            raise EngineTimeoutError(f"the local model did not finish in {request.deadline_s:g} s") from error
        finally:
            self._in_flight -= 1

    @contextlib.asynccontextmanager
    async def _slot(self, deadline: float) -> AsyncIterator[None]:
        async with asyncio.timeout_at(deadline):
            await self._slots.acquire()
        try:
            yield
        finally:
            self._slots.release()

    async def health(self) -> EngineHealth:
        """Say how the engine is."""
        fingerprint = self._process.greeting.get("fingerprint")
        return EngineHealth(
            EngineState(self._process.state.value),
            self._process.detail,
            self._process.restarts,
            self._settings.context_window,
            fingerprint if isinstance(fingerprint, str) else "",
            self._in_flight,
        )

    async def close(self) -> None:
        """Stop the engine's process."""
        await self._pool.aclose()
        await self._process.stop()

    async def _stream(self, request: EngineRequest) -> AsyncGenerator[EngineDelta, None]:
        cutter, last = EventCutter(), EngineDelta()
        messages: list[JsonValue] = [self._message(message) for message in request.messages]
        body = _render(request, messages, self._settings.context_window)
        try:
            async with self._answer("/v1/chat/completions", body, UNBOUNDED_S) as response:
                if response.status != 200:
                    raise await _refusal(response, with_schema=request.schema is not None)
                async for data in response.parts():
                    for event in cutter.feed(data):
                        payload = payload_of(event)
                        if not payload.startswith(b"{"):
                            continue
                        delta = self._delta(_chunk(payload))
                        last = _joined(last, delta)
                        if delta.text or delta.tokens:
                            yield EngineDelta(delta.text, delta.tokens)
        except UpstreamError as error:
            raise EngineUnavailableError("the local model's process broke off") from error
        if last.finish_reason is None:
            raise EngineUnavailableError("the local model's process ended in the middle of an answer")
        yield last

    def _delta(self, chunk: JsonObject) -> EngineDelta:
        """Read one chunk: text, or the finish reason, or the counts."""
        choices = chunk.get("choices")
        usage, timings = chunk.get("usage"), chunk.get("timings")
        if isinstance(usage, dict):
            details = usage.get("prompt_tokens_details")
            computed_ms = sum(_number(timings, key) for key in ("prompt_ms", "predicted_ms"))
            return EngineDelta(
                prompt_tokens=int(_number(usage, "prompt_tokens")),
                cached_tokens=int(_number(details, "cached_tokens")),
                completion_tokens=int(_number(usage, "completion_tokens")),
                cpu_us=round(computed_ms * 1_000 * self._settings.threads),
            )
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return EngineDelta()
        finish, logprobs = choice.get("finish_reason"), choice.get("logprobs")
        inner = choice.get("delta")
        content = inner.get("content") if isinstance(inner, dict) else None
        return EngineDelta(
            text=content if isinstance(content, str) else "",
            tokens=_tokens(logprobs.get("content") if isinstance(logprobs, dict) else None),
            finish_reason=finish if isinstance(finish, str) else None,
        )

    def _message(self, message: EngineMessage) -> JsonObject:
        role = "system" if message.role == "developer" else message.role
        return {"role": role, "content": self._plain(message.text)}

    async def _post(self, path: str, body: JsonObject) -> JsonObject:
        try:
            async with self._answer(path, orjson.dumps(body), COUNT_S) as response:
                if response.status != 200:
                    raise await _refusal(response, with_schema=False)
                answer: JsonValue = orjson.loads(await response.read())
        except UpstreamError as error:
            raise EngineUnavailableError("the local model does not answer") from error
        return answer if isinstance(answer, dict) else {}

    @contextlib.asynccontextmanager
    async def _answer(self, path: str, body: bytes, total_s: float) -> AsyncIterator[Response]:
        """Ask llama.cpp's server; leaving breaks off what is not complete. Raises UpstreamError."""
        if self._process.state is not ProcessState.READY:
            raise EngineUnavailableError(
                f"the local model is {self._process.state.value}: {self._process.detail}"
            )
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {self._settings.api_key}",
            "connection": "close",  # it closes an idle connection whenever it likes, also while we write to it
        }
        target = Target.of("the local model", "POST", f"{self._process.greeting['address']}{path}", headers)
        response = await self._pool.send(target, body, total_s=total_s, idle_s=total_s)
        try:
            yield response
        finally:
            response.close()


def _render(request: EngineRequest, messages: list[JsonValue], context_window: int) -> bytes:
    body: JsonObject = {
        "messages": messages,
        "max_tokens": request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        "cache_prompt": False,
        "temperature": 0.0 if request.temperature is None else request.temperature,
    }
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.seed is not None:
        body["seed"] = request.seed
    if request.stop:
        body["stop"] = list(request.stop)
    if request.presence_penalty or request.frequency_penalty:
        body["presence_penalty"], body["frequency_penalty"] = (
            request.presence_penalty,
            request.frequency_penalty,
        )
        body["repeat_last_n"] = context_window  # all of the text, not its last 64 tokens
    if request.logit_bias:
        body["logit_bias"] = [[token, bias] for token, bias in request.logit_bias]
    if request.logprobs:
        body["logprobs"], body["top_logprobs"] = True, max(request.top_logprobs, 1)
    rendered = orjson.dumps(body)
    if request.schema is not None:
        schema = orjson.dumps(request.schema)
        rendered = (
            rendered[:-1]
            + b',"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":'
            + schema
            + b"}}}"
        )
    return rendered


def _chunk(payload: bytes) -> JsonObject:
    try:
        chunk: JsonObject = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise EngineUnavailableError("the local model's process said what is no JSON") from error
    return chunk


def _joined(last: EngineDelta, delta: EngineDelta) -> EngineDelta:
    """Collect the finish reason and the counts, which come apart."""
    if delta.finish_reason is not None:
        return replace(last, finish_reason=delta.finish_reason)
    if delta.prompt_tokens:
        return replace(delta, finish_reason=last.finish_reason)
    return last


def _tokens(tokens: JsonValue) -> tuple[EngineToken, ...]:
    return tuple(
        EngineToken(
            str(token.get("token", "")),
            _bytes(token),
            _number(token, "logprob"),
            _tokens(token.get("top_logprobs")),
        )
        for token in (tokens if isinstance(tokens, list) else ())
        if isinstance(token, dict)
    )


def _bytes(token: JsonObject) -> bytes:
    told = token.get("bytes")
    if isinstance(told, list):
        return bytes(byte for byte in told if isinstance(byte, int) and 0 <= byte < 256)
    return str(token.get("token", "")).encode()


def _number(holder: JsonValue, key: str) -> float:
    value = holder.get(key) if isinstance(holder, dict) else None
    return float(value) if isinstance(value, (int, float)) else 0.0


async def _refusal(response: Response, *, with_schema: bool) -> EngineRequestError | EngineUnavailableError:
    """What a status of llama.cpp's means; its text is not repeated, it may hold the prompt."""
    data = await response.read()
    if response.status != 400:
        return EngineUnavailableError(f"the local model's process answered {response.status}")
    if b'"exceed_context_size_error"' in data:
        return EngineWindowError("the prompt does not fit the local model's context window", "messages")
    if with_schema and (b"schema" in data or b"grammar" in data):
        return EngineRequestError("the local model cannot obey this schema", "response_format")
    return EngineRequestError("the local model refused the request")
