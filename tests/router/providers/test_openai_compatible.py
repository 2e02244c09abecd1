"""A provider that speaks OpenAI's chat completions, against the fake one with its known bill."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import orjson
import pytest

from ledger.usage import Usage
from router.call import Call
from router.catalog import Dialect, SchemaMode
from router.completion import Completion
from router.errors import UpstreamError, UpstreamInvalidError, UpstreamRefusedError, UpstreamTimeoutError
from router.json_types import JsonObject
from router.providers import exchange
from router.providers.openai_compatible import OpenAICompatible
from router.providers.pool import Pool
from support.calls import ROUTE, SCHEMA_FORMAT, asking, call_of, chat
from support.upstream import running_upstream
from support.upstream_bill import Ending, FakeUsage
from support.upstream_raw import LAST_CHUNK, answer, chunked, running_raw_upstream
from support.upstream_script import RATE_LIMITED, SERVER_ERROR, UNAUTHORIZED, Behaviour, Fault, UsageTold

USAGE = FakeUsage(prompt_tokens=100, cached_tokens=40, completion_tokens=24, reasoning_tokens=8)
READ = Usage(input_uncached=60, cache_read=40, output_text=16, output_reasoning=8)
TEXT = "All good things come to him who waits."
STREAMED: JsonObject = {"stream": True, "stream_options": {"include_usage": True}}
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool()
    yield pool
    await pool.aclose()


async def ask(pool: Pool, base_url: str, call: Call, *, key: str | None = None) -> tuple[bytes, Completion]:
    """Whole or streamed, as the call says: what the caller gets, and what is known."""
    provider = OpenAICompatible("fake", base_url, key, pool)
    if not call.request.stream:
        completion = await provider.complete(call)
        return completion.body, completion
    stream = await provider.stream(call)
    try:
        data = b"".join([piece.data async for piece in stream])
    finally:
        await stream.aclose()
    return data, stream.completion()


@pytest.mark.parametrize("fields", [{}, STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize("deepseek", [False, True], ids=["openai", "deepseek"])
@pytest.mark.parametrize("drip", [0, 7], ids=["at once", "in drips"])
async def test_an_answer_and_its_usage_arrive(
    pool: Pool, fields: JsonObject, drip: int, *, deepseek: bool
) -> None:
    behaviour = Behaviour(text=TEXT, usage=USAGE, reasoning="Hm.", drip_bytes=drip)
    with running_upstream(behaviour, deepseek=deepseek, api_key="secret") as upstream:
        data, completion = await ask(pool, upstream.base_url, call_of(chat(fields)), key="secret")
        assert completion.usage == READ
        assert completion.finish_reason == "stop"
        assert completion.model_served == "upstream-model"
        assert upstream.usage == USAGE
    if not fields:
        assert orjson.loads(data)["choices"][0]["message"]["content"] == TEXT
        return
    chunks = [orjson.loads(event[6:]) for event in data.split(b"\n\n") if event]
    assert "".join(each["choices"][0]["delta"].get("content") or "" for each in chunks) == TEXT
    assert not any(each.get("usage") for each in chunks)
    assert orjson.loads(completion.usage_event)["usage"]["prompt_tokens"] == 100


@pytest.mark.parametrize("told", UsageTold)
async def test_however_usage_is_told_it_is_counted_once(pool: Pool, told: UsageTold) -> None:
    with running_upstream(Behaviour(text=TEXT, usage=USAGE, usage_told=told)) as upstream:
        upstream.release()
        _, completion = await ask(pool, upstream.base_url, call_of(chat(STREAMED)))
    assert completion.usage == (None if told is UsageTold.NEVER else READ)


@pytest.mark.parametrize("fields", [{}, STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize("mode", SchemaMode)
async def test_a_schema_is_answered_in_every_way_of_asking(
    pool: Pool, mode: SchemaMode, fields: JsonObject
) -> None:
    call = call_of(chat({**SCHEMA_FORMAT, **fields}), asking(mode, logprobs=True))
    with running_upstream(Behaviour(answer={"total": "4.20"})) as upstream:
        data, completion = await ask(pool, upstream.base_url, call)
    assert completion.text == '{"total":"4.20"}'
    assert completion.tokens is not None
    assert "".join(token.text for token in completion.tokens) == completion.text
    assert b"tool_calls" not in data
    assert b'"logprob":' not in data


async def test_deepseek_obeys_a_schema_by_tool_and_by_prompt_alike(pool: Pool) -> None:
    with running_upstream(Behaviour(answer={"total": "4.20"}), deepseek=True) as upstream:
        for mode in (SchemaMode.TOOL, SchemaMode.JSON_OBJECT, SchemaMode.NONE):
            call = call_of(chat(SCHEMA_FORMAT), asking(mode, Dialect.DEEPSEEK))
            assert (await ask(pool, upstream.base_url, call))[1].text == '{"total":"4.20"}'
        call = call_of(chat(SCHEMA_FORMAT), asking(SchemaMode.JSON_SCHEMA, Dialect.DEEPSEEK))
        with pytest.raises(UpstreamRefusedError) as refused:
            await ask(pool, upstream.base_url, call)
    assert (refused.value.status, refused.value.billable) == (400, False)


FAULTS: list[tuple[Fault, str, type[UpstreamError]]] = [
    (Fault.TRUNCATE, "upstream_broken", UpstreamError),
    (Fault.RESET, "upstream_broken", UpstreamError),
    (Fault.RESET_BEFORE_HEADERS, "upstream_broken", UpstreamError),
    (Fault.HTML, "upstream_invalid", UpstreamInvalidError),
    (Fault.INVALID_JSON, "upstream_invalid", UpstreamInvalidError),
    (Fault.NOT_AN_OBJECT, "upstream_invalid", UpstreamInvalidError),
    (Fault.ERROR_BODY, "", UpstreamError),
    (Fault.ERROR_EVENT, "upstream_error", UpstreamError),
    (Fault.CUT_SHORT, "", UpstreamInvalidError),
    (Fault.HANG_BEFORE_HEADERS, "upstream_timeout", UpstreamTimeoutError),
    (Fault.HANG_MID, "upstream_timeout", UpstreamTimeoutError),
]


@pytest.mark.parametrize("fields", [{}, STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize(("fault", "code", "kind"), FAULTS, ids=[row[0].value for row in FAULTS])
async def test_a_fault_is_an_error_that_may_have_cost_money(
    pool: Pool, fault: Fault, code: str, kind: type[UpstreamError], fields: JsonObject
) -> None:
    hangs = fault in (Fault.HANG_BEFORE_HEADERS, Fault.HANG_MID)
    route = replace(ROUTE, idle_timeout_s=0.3 if hangs else 20.0)
    with running_upstream(Behaviour(text=TEXT, fault=fault)) as upstream:
        with pytest.raises(kind) as raised:
            await ask(pool, upstream.base_url, call_of(chat(fields), route))
        await asyncio.to_thread(upstream.wait_for_charges, 1)
    assert raised.value.billable
    assert raised.value.code == code or not code


async def test_a_stream_without_done_is_whole(pool: Pool) -> None:
    with running_upstream(Behaviour(text=TEXT, usage=USAGE, fault=Fault.NO_DONE)) as upstream:
        _, completion = await ask(pool, upstream.base_url, call_of(chat(STREAMED)))
    assert (completion.finish_reason, completion.usage) == ("stop", READ)


async def test_a_connection_that_stays_open_after_done_delays_nobody_for_long(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "ENDING_S", 0.05)
    async with running_raw_upstream(*chunked(EVENT, DONE), hangs=True) as upstream:
        data, completion = await ask(pool, upstream.base_url, call_of(chat(STREAMED)))
        async with asyncio.timeout(20):
            await upstream.left.wait()
    assert data == EVENT
    assert completion.finish_reason == "stop"


async def test_a_connection_is_used_again_after_a_stream(pool: Pool) -> None:
    with running_upstream(Behaviour(text=TEXT)) as upstream:
        for _ in range(3):
            await ask(pool, upstream.base_url, call_of(chat(STREAMED)))
            async with asyncio.timeout(20):  # the last chunk may come after [DONE], and nobody waited for it
                while not any(origin.free for origin in pool._origins.values()):  # noqa: ASYNC110  (nothing tells it)
                    await asyncio.sleep(0)
        assert len(upstream._connections) == 1


@pytest.mark.parametrize("fields", [{}, STREAMED], ids=["whole", "streamed"])
async def test_a_caller_that_closes_ends_the_upstreams_work(pool: Pool, fields: JsonObject) -> None:
    with running_upstream(Behaviour(text=TEXT, fault=Fault.HANG_MID)) as upstream:
        provider = OpenAICompatible("fake", upstream.base_url, None, pool)
        call = call_of(chat(fields))
        if fields:
            stream = await provider.stream(call)
            async for _ in stream:
                break
            assert stream.received_text() in TEXT
            await stream.aclose()
        else:
            work = asyncio.create_task(provider.complete(call))
            await asyncio.to_thread(upstream.wait_for_requests, 1)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
        (charge,) = await asyncio.to_thread(upstream.wait_for_charges, 1)
    assert charge.ending is Ending.CLIENT_LEFT


REFUSALS: list[tuple[Behaviour, int, str, bool]] = [
    (RATE_LIMITED, 429, "rate_limit_exceeded", False),
    (UNAUTHORIZED, 502, "upstream_credentials", False),
    (SERVER_ERROR, 502, "upstream_error", True),
    (Behaviour(status=400, error_code="context_length_exceeded"), 400, "context_length_exceeded", False),
    (Behaviour(status=400, error_code="canary the prompt"), 400, "fake_error", False),
    (Behaviour(status=400, error_code="über"), 400, "fake_error", False),
    (Behaviour(status=400, error_code="x" * 61), 400, "fake_error", False),
]


@pytest.mark.parametrize("fields", [{}, STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize(("behaviour", "status", "code", "billable"), REFUSALS)
async def test_a_refusal_keeps_its_code_and_never_its_sentence(
    pool: Pool, behaviour: Behaviour, status: int, code: str, fields: JsonObject, *, billable: bool
) -> None:
    leaky = replace(behaviour, error_message="canary")
    with running_upstream(leaky) as upstream, pytest.raises(UpstreamError) as raised:
        await ask(pool, upstream.base_url, call_of(chat(fields)))
    assert (raised.value.status, raised.value.code, raised.value.billable) == (status, code, billable)
    assert "canary" not in raised.value.message


BODIES: dict[str, tuple[bytes, str]] = {
    "vLLM's: a number as code": (b'{"error":{"code":400,"type":"BadRequestError"}}', "BadRequestError"),
    "html": (b"<html>", "upstream_refused"),
    "nothing": (b"", "upstream_refused"),
    "a list": (b"[]", "upstream_refused"),
    "an error that is text": (b'{"error":"bad"}', "upstream_refused"),
    "large": (b'{"error":{"code":"' + b"x" * 100_000 + b'"}}', "upstream_refused"),
}


@pytest.mark.parametrize(("body", "code"), BODIES.values(), ids=BODIES.keys())
async def test_a_refusal_is_one_whatever_its_body(pool: Pool, body: bytes, code: str) -> None:
    async with running_raw_upstream(answer(body, status=b"400 x")) as upstream:
        with pytest.raises(UpstreamRefusedError) as raised:
            await ask(pool, upstream.base_url, call_of())
    assert (raised.value.status, raised.value.code) == (400, code)


async def test_a_refusal_whose_body_breaks_off_is_still_unbilled(pool: Pool) -> None:
    parts = [b"HTTP/1.1 429 x\r\ncontent-length: 900\r\nretry-after: 3\r\n\r\n{"]
    async with running_raw_upstream(*parts) as upstream:
        with pytest.raises(UpstreamRefusedError) as raised:
            await ask(pool, upstream.base_url, call_of())
    assert (raised.value.status, raised.value.billable) == (429, False)
    assert raised.value.headers == ((b"retry-after", b"3"),)


async def test_a_refusals_code_is_read_although_it_comes_in_pieces(pool: Pool) -> None:
    body = b'{"error":{"code":"context_length_exceeded"}}'
    whole = answer(body, status=b"400 x")
    async with running_raw_upstream(whole[:-20], whole[-20:], pace_s=0.01) as upstream:
        with pytest.raises(UpstreamRefusedError) as raised:
            await ask(pool, upstream.base_url, call_of())
    assert raised.value.code == "context_length_exceeded"


@pytest.mark.parametrize("value", [b"Wed, 21 Oct 2026 07:28:00 GMT", b"-1", b"1.5", b"\xb2", b""])
async def test_a_strange_retry_after_is_left_out(pool: Pool, value: bytes) -> None:
    async with running_raw_upstream(answer(b"{}", b"retry-after: " + value, status=b"429 x")) as upstream:
        with pytest.raises(UpstreamRefusedError) as raised:
            await ask(pool, upstream.base_url, call_of())
    assert raised.value.headers == ()


@pytest.mark.parametrize("fields", [{}, STREAMED], ids=["whole", "streamed"])
async def test_a_redirect_is_an_error_that_says_what_to_do(pool: Pool, fields: JsonObject) -> None:
    moved = Behaviour(status=307, headers={"location": "http://127.0.0.1:9/elsewhere"})
    with running_upstream(moved) as upstream:
        with pytest.raises(UpstreamInvalidError, match="base_url") as raised:
            await ask(pool, upstream.base_url, call_of(chat(fields)))
        assert len(upstream.requests) == 1
    assert not raised.value.billable


@pytest.mark.parametrize("kind", [b"application/json", b"text/html", b"text/plain"])
async def test_a_stream_that_is_none_is_refused(pool: Pool, kind: bytes) -> None:
    async with running_raw_upstream(*chunked(EVENT, DONE, kind=kind), LAST_CHUNK) as upstream:
        with pytest.raises(UpstreamInvalidError, match=kind.decode()):
            await ask(pool, upstream.base_url, call_of(chat(STREAMED)))


async def test_the_key_is_sent_and_where_there_is_none_no_header_is(pool: Pool) -> None:
    with running_upstream() as upstream:
        await ask(pool, upstream.base_url + "/", call_of(), key="k-1")
        await ask(pool, upstream.base_url, call_of())
        first, second = upstream.requests
    assert first.headers["authorization"] == "Bearer k-1"
    assert "authorization" not in second.headers
    assert first.path == second.path == "/v1/chat/completions"
    assert "steelyard" not in first.json
