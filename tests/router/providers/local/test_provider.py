"""A local engine as a provider: OpenAI's shapes around the real engine's answers."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from router.call import Call
from router.catalog import Origin
from router.completion import Completion
from router.errors import (
    BusyError,
    ContextLengthError,
    GatewayError,
    InvalidRequestError,
    UnavailableError,
    UpstreamError,
    UpstreamTimeoutError,
)
from router.json_types import JsonObject
from router.providers.local.engine import (
    EngineBusyError,
    EngineDelta,
    EngineError,
    EngineHealth,
    EngineMessage,
    EngineRequest,
    EngineRequestError,
    EngineState,
    EngineTimeoutError,
    EngineUnavailableError,
    EngineWindowError,
)
from router.providers.local.gguf import GgufEngine
from router.providers.local.provider import LocalProvider
from router.wire.sse import EventCutter, payload_of
from support.calls import FORCED_TOOL, ROUTE, SCHEMA_FORMAT, call_of, chat
from verifiers.scores import token_spans

real = pytest.mark.asyncio(loop_scope="module")
LOCAL = replace(ROUTE, name="local/smollm2", origin=Origin.LOCAL, logprobs=True, deadline_s=60.0)
TEXT = "The total is 4.20 EUR. Give the total."


def call(fields: JsonObject | None = None, *, max_tokens: int = 40, text: str = TEXT) -> Call:
    return call_of(chat(fields, text=text), LOCAL, max_tokens=max_tokens)


async def streamed(engine: GgufEngine, asked: Call) -> tuple[list[ChatCompletionChunk], Completion]:
    stream = await LocalProvider("local", engine).stream(asked)
    try:
        data = b"".join([piece.data async for piece in stream])
    finally:
        await stream.aclose()
    events = EventCutter().feed(data)
    return [
        ChatCompletionChunk.model_validate_json(payload_of(event)) for event in events
    ], stream.completion()


@real
async def test_a_whole_answer_has_openais_shape_and_its_usage(engine: GgufEngine) -> None:
    completion = await LocalProvider("local", engine).complete(call(max_tokens=6))
    body = ChatCompletion.model_validate_json(completion.body)
    (choice,) = body.choices
    assert choice.message.content == completion.text
    assert (choice.finish_reason, choice.logprobs) == ("length", None)
    assert (body.model, body.object) == ("model", "chat.completion")
    assert body.usage is not None
    assert body.usage.total_tokens == body.usage.prompt_tokens + body.usage.completion_tokens
    assert completion.usage is not None
    assert (completion.usage.output_text, completion.usage.cache_read) == (6, 0)
    assert completion.usage.input_uncached == body.usage.prompt_tokens
    assert completion.usage.cpu_us > 0
    assert completion.tokens is None, "nobody needs them"


@real
async def test_a_stream_says_the_same_and_keeps_its_usage_for_the_end(engine: GgufEngine) -> None:
    whole = await LocalProvider("local", engine).complete(call(max_tokens=6))
    chunks, completion = await streamed(engine, call({"stream": True}, max_tokens=6))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.text == completion.text
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["length"]
    assert all(chunk.usage is None for chunk in chunks)
    event = ChatCompletionChunk.model_validate_json(completion.usage_event)
    assert event.choices == []
    assert event.usage is not None
    assert event.usage.completion_tokens == 6


@real
async def test_a_schema_is_obeyed_and_its_tokens_can_be_placed(engine: GgufEngine) -> None:
    completion = await LocalProvider("local", engine).complete(call(SCHEMA_FORMAT))
    body = ChatCompletion.model_validate_json(completion.body)
    assert body.choices[0].finish_reason == "stop"
    assert body.choices[0].logprobs is None, "we asked for them, not the caller"
    text = completion.text or ""
    assert set(orjson.loads(text)) == {"total"}
    assert completion.tokens is not None
    spans = token_spans(text, completion.tokens)
    assert spans is not None
    assert (spans[0][0], max(end for _, end, _ in spans)) == (0, len(text))


@real
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_forced_tool_is_called_with_arguments_that_obey(engine: GgufEngine, *, stream: bool) -> None:
    if stream:
        chunks, completion = await streamed(engine, call({**FORCED_TOOL, "stream": True}))
        calls = [each for chunk in chunks for each in chunk.choices[0].delta.tool_calls or []]
        name = calls[0].function.name if calls[0].function else None
        arguments = "".join(each.function.arguments or "" for each in calls if each.function)
        finish = chunks[-1].choices[0].finish_reason
        assert all(chunk.choices[0].delta.content is None for chunk in chunks)
    else:
        completion = await LocalProvider("local", engine).complete(call(FORCED_TOOL))
        (choice,) = ChatCompletion.model_validate_json(completion.body).choices
        (made,) = choice.message.tool_calls or []
        assert made.type == "function"
        name, arguments, finish = made.function.name, made.function.arguments, choice.finish_reason
        assert choice.message.content is None
    assert (name, finish) == ("receipt", "tool_calls")
    assert arguments == completion.text
    assert set(orjson.loads(arguments)) == {"total"}


@real
async def test_logprobs_are_told_as_asked_with_right_bytes_for_split_characters(engine: GgufEngine) -> None:
    fields: JsonObject = {"logprobs": True, "top_logprobs": 2}
    asked = call(fields, max_tokens=9, text="Repeat: 日本語 🎉 é")
    completion = await LocalProvider("local", engine).complete(asked)
    logprobs = ChatCompletion.model_validate_json(completion.body).choices[0].logprobs
    assert logprobs is not None
    tokens = logprobs.content or []
    told = b"".join(bytes(token.bytes or []) for token in tokens)
    assert told.decode() == completion.text
    assert "🎉" in told.decode()
    assert all(len(token.top_logprobs) == 2 for token in tokens)
    parts = [each for token in tokens for each in token.top_logprobs if each.token == "\ufffd"]
    assert parts
    assert all(each.bytes and bytes(each.bytes) != b"\xef\xbf\xbd" for each in parts)


@real
async def test_without_top_logprobs_there_are_no_alternatives(engine: GgufEngine) -> None:
    completion = await LocalProvider("local", engine).complete(call({"logprobs": True}, max_tokens=3))
    logprobs = ChatCompletion.model_validate_json(completion.body).choices[0].logprobs
    assert logprobs is not None
    assert [token.top_logprobs for token in logprobs.content or []] == [[], [], []]


@real
async def test_any_object_is_begun_where_json_is_asked_for(engine: GgufEngine) -> None:
    asked = call({"response_format": {"type": "json_object"}}, max_tokens=12)
    completion = await LocalProvider("local", engine).complete(asked)
    assert (completion.text or "").lstrip().startswith("{")


@real
async def test_a_prompt_that_is_too_long_is_refused_as_the_callers(engine: GgufEngine) -> None:
    with pytest.raises(ContextLengthError) as refused:
        await LocalProvider("local", engine).complete(call(text="x y z " * 400))
    assert (refused.value.code, refused.value.param) == ("context_length_exceeded", "messages")


@real
async def test_a_schema_that_cannot_be_obeyed_is_refused_by_name(engine: GgufEngine) -> None:
    asked = replace(
        call(SCHEMA_FORMAT), plain_schema={"type": "object", "properties": {"a": {"$ref": "#/no"}}}
    )
    with pytest.raises(InvalidRequestError) as refused:
        await LocalProvider("local", engine).complete(asked)
    assert refused.value.param == "response_format"


@real
async def test_a_closed_stream_gives_its_slot_back(engine: GgufEngine) -> None:
    provider = LocalProvider("local", engine)
    for _ in range(3):
        stream = await provider.stream(call({"stream": True}, max_tokens=300))
        async for piece in stream:
            assert piece.has_content
            break
        await stream.aclose()
        assert stream.received_text()
    assert (await engine.health()).queue_depth == 0


class FailingEngine:
    """An engine that says a word and then fails."""

    def __init__(self, error: EngineError) -> None:
        self._error = error

    async def load(self) -> None:
        """Be ready."""

    async def count_tokens(self, messages: Sequence[EngineMessage]) -> int:
        """Count messages."""
        return len(messages)

    async def generate(self, request: EngineRequest) -> AsyncGenerator[EngineDelta, None]:
        """Say a word, and fail."""
        yield EngineDelta(text=request.messages[0].text)
        raise self._error

    async def health(self) -> EngineHealth:
        """Be ready."""
        return EngineHealth(EngineState.READY, "ready")

    async def close(self) -> None:
        """Do nothing."""


ERRORS: list[tuple[EngineError, type[GatewayError], int, str]] = [
    (EngineBusyError("x"), BusyError, 503, "busy"),
    (EngineTimeoutError("x"), UpstreamTimeoutError, 504, "upstream_timeout"),
    (EngineWindowError("x", "messages"), ContextLengthError, 400, "context_length_exceeded"),
    (EngineRequestError("x", "stop"), InvalidRequestError, 400, "invalid_request"),
    (EngineUnavailableError("x"), UnavailableError, 503, "engine_unavailable"),
    (EngineError("x"), UpstreamError, 502, "upstream_error"),
]


@pytest.mark.parametrize(
    ("error", "kind", "status", "code"), ERRORS, ids=[type(row[0]).__name__ for row in ERRORS]
)
async def test_an_engines_errors_are_the_gateways(
    error: EngineError, kind: type[GatewayError], status: int, code: str
) -> None:
    with pytest.raises(kind) as raised:
        await LocalProvider("local", FailingEngine(error)).complete(call())
    assert type(raised.value) is kind
    assert (raised.value.status, raised.value.code) == (status, code)
    if isinstance(error, EngineRequestError):
        assert raised.value.param == error.param
