"""A GGUF model: llama.cpp's server in a process of its own, spoken to over loopback."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence

import aiohttp
import orjson

from local_model.settings import GgufSettings
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
    EngineUnavailableError,
)
from router.wire.sse import EventCutter, payload_of
from verifiers.tokens import TokenLogprob

WAITING_MAX = 256


class GgufEngine:
    """One GGUF file behind the LocalEngine protocol.

    What a sequence computed is llama.cpp's own measure of prompt and generation, times threads.
    """

    def __init__(self, weights: str, *, context_window: int, slots: int, threads: int) -> None:
        self._settings = GgufSettings(weights, context_window, slots, threads, secrets.token_urlsafe(32))
        self._process = EngineProcess("local_model.gguf_server", self._settings.to_line())
        self._session: aiohttp.ClientSession | None = None
        self._in_flight = 0
        self._slots = asyncio.Semaphore(slots)

    async def load(self) -> None:
        """Start the engine and wait until it can answer. Raises EngineStartError."""
        try:
            await self._process.start()
        except ProcessStartError as error:
            raise EngineStartError(str(error)) from error

    async def count_tokens(self, messages: Sequence[EngineMessage]) -> int:
        """Count the prompt's tokens, the chat template's own included."""
        rendered = await self._post(
            "/apply-template", {"messages": [_message(message) for message in messages]}
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
        try:
            async with asyncio.timeout(request.deadline_s), self._slots:
                async for delta in self._stream(request):
                    yield delta
        except TimeoutError as error:
            raise EngineTimeoutError(f"the local model did not finish in {request.deadline_s:g} s") from error
        finally:
            self._in_flight -= 1

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
        if self._session is not None:
            await self._session.close()
        await self._process.stop()

    async def _stream(self, request: EngineRequest) -> AsyncGenerator[EngineDelta, None]:
        cutter, last = EventCutter(), EngineDelta()
        try:
            async with self._open().post(
                self._url("/v1/chat/completions"), data=_render(request)
            ) as response:
                if response.status != 200:
                    raise await _refusal(response)
                async for data in response.content.iter_any():
                    for event in cutter.feed(data):
                        payload = payload_of(event)
                        if not payload.startswith(b"{"):
                            continue
                        delta = self._delta(orjson.loads(payload), last)
                        if delta.finish_reason is not None or delta.completion_tokens:
                            last = delta
                        else:
                            yield delta
        except (aiohttp.ClientError, ConnectionError) as error:
            raise EngineUnavailableError("the local model's process broke off") from error
        if last.finish_reason is None:
            raise EngineUnavailableError("the local model's process ended in the middle of an answer")
        yield last

    def _delta(self, chunk: JsonObject, last: EngineDelta) -> EngineDelta:
        """Read one chunk; the finish reason and the counts, which come apart, are joined in `last`."""
        choices = chunk.get("choices")
        usage, timings = chunk.get("usage"), chunk.get("timings")
        if isinstance(usage, dict):
            details = usage.get("prompt_tokens_details")
            computed_ms = sum(_number(timings, key) for key in ("prompt_ms", "predicted_ms"))
            return EngineDelta(
                finish_reason=last.finish_reason,
                prompt_tokens=int(_number(usage, "prompt_tokens")),
                cached_tokens=int(_number(details, "cached_tokens")),
                completion_tokens=int(_number(usage, "completion_tokens")),
                cpu_us=round(computed_ms * 1_000 * self._settings.threads),
            )
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return EngineDelta()
        finish = choice.get("finish_reason")
        inner = choice.get("delta")
        content = inner.get("content") if isinstance(inner, dict) else None
        return EngineDelta(
            text=content if isinstance(content, str) else "",
            tokens=_tokens(choice.get("logprobs")),
            finish_reason=finish if isinstance(finish, str) else None,
        )

    async def _post(self, path: str, body: JsonObject) -> JsonObject:
        try:
            async with (
                asyncio.timeout(60),
                self._open().post(self._url(path), data=orjson.dumps(body)) as response,
            ):
                if response.status != 200:
                    raise await _refusal(response)
                answer: JsonValue = orjson.loads(await response.read())
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            raise EngineUnavailableError("the local model does not answer") from error
        return answer if isinstance(answer, dict) else {}

    def _url(self, path: str) -> str:
        if self._process.state is not ProcessState.READY:
            raise EngineUnavailableError(
                f"the local model is {self._process.state.value}: {self._process.detail}"
            )
        return f"{self._process.greeting['address']}{path}"

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={
                    "content-type": "application/json",
                    "authorization": f"Bearer {self._settings.api_key}",
                },
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
                trust_env=False,
            )
        return self._session


def _render(request: EngineRequest) -> bytes:
    body: JsonObject = {
        "messages": [_message(message) for message in request.messages],
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
    if request.logprobs:
        body["logprobs"], body["top_logprobs"] = True, 1
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


def _message(message: EngineMessage) -> JsonObject:
    return {"role": "system" if message.role == "developer" else message.role, "content": message.text}


def _tokens(logprobs: JsonValue) -> tuple[TokenLogprob, ...]:
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return tuple(
        TokenLogprob(str(token.get("token", "")), float(_number(token, "logprob")))
        for token in (content if isinstance(content, list) else ())
        if isinstance(token, dict)
    )


def _number(holder: JsonValue, key: str) -> float:
    value = holder.get(key) if isinstance(holder, dict) else None
    return float(value) if isinstance(value, (int, float)) else 0.0


async def _refusal(response: aiohttp.ClientResponse) -> EngineRequestError | EngineUnavailableError:
    """What a status of llama.cpp's means; its text is not repeated, it may hold the prompt."""
    data = await response.content.read(65_536)
    if response.status == 400:
        what = (
            "its context window"
            if b"exceed" in data or b"context" in data
            else "the schema"
            if b"grammar" in data or b"schema" in data
            else "the request"
        )
        return EngineRequestError(f"the local model refused {what}")
    return EngineUnavailableError(f"the local model's process answered {response.status}")
