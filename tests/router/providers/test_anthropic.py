"""A provider that speaks Anthropic's Messages, against the fake one with its known bill."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import orjson
import pytest

from ledger.usage import Usage
from router.call import Call
from router.catalog import SchemaMode
from router.completion import Completion
from router.errors import (
    InvalidRequestError,
    UpstreamError,
    UpstreamInvalidError,
    UpstreamRefusedError,
    UpstreamTimeoutError,
)
from router.json_types import JsonObject
from router.providers.anthropic import Anthropic
from router.providers.pool import Pool
from support.calls import FORCED_TOOL, ROUTE, SCHEMA_FORMAT, asking, call_of, chat
from support.upstream import running_upstream
from support.upstream_bill import Ending, FakeUsage
from support.upstream_raw import LAST_CHUNK, answer, chunked, running_raw_upstream
from support.upstream_script import Behaviour, Fault, UsageTold

USAGE = FakeUsage(
    prompt_tokens=100, cached_tokens=40, completion_tokens=24, reasoning_tokens=8, cache_write_5m=20, cache_write_1h=10
)  # fmt: skip
READ = Usage(
    input_uncached=30, cache_read=40, cache_write_5m=20, cache_write_1h=10, output_text=16, output_reasoning=8
)
TEXT = "All good things come to him who waits."
STREAMED: JsonObject = {"stream": True, "stream_options": {"include_usage": True}}
EITHER_WAY = pytest.mark.parametrize("fields", [{}, STREAMED], ids=["whole", "streamed"])
NOW_S = 1_790_000_000
TOOL: JsonObject = {"tools": [{"type": "function", "function": {"name": "look_up"}}]}


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool()
    yield pool
    await pool.aclose()


def provider_at(base_url: str, pool: Pool, key: str | None = None) -> Anthropic:
    return Anthropic("fake", base_url, key, pool, lambda: NOW_S * 1_000_000)


async def ask(pool: Pool, base_url: str, call: Call, *, key: str | None = None) -> tuple[bytes, Completion]:
    """Whole or streamed, as the call says: what the caller gets, and what is known."""
    provider = provider_at(base_url, pool, key)
    if not call.request.stream:
        completion = await provider.complete(call)
        return completion.body, completion
    stream = await provider.stream(call)
    try:
        data = b"".join([piece.data async for piece in stream])
    finally:
        await stream.aclose()
    return data, stream.completion()


def said(data: bytes, key: str) -> str:
    """All that the caller was told under `key`, whole or in chunks."""
    choices = [orjson.loads(each)["choices"][0] for each in payloads(data)]
    return "".join(choice.get("delta", choice.get("message")).get(key) or "" for choice in choices)


def payloads(data: bytes) -> list[bytes]:
    return [event[6:] for event in data.split(b"\n\n") if event] if data.startswith(b"data:") else [data]


@EITHER_WAY
@pytest.mark.parametrize("drip", [0, 7], ids=["at once", "in drips"])
async def test_an_answer_and_its_usage_arrive_in_openais_format(
    pool: Pool, fields: JsonObject, drip: int
) -> None:
    behaviour = Behaviour(text=TEXT, usage=USAGE, reasoning="Hm.", drip_bytes=drip)
    with running_upstream(behaviour, api_key="secret") as upstream:
        data, completion = await ask(pool, upstream.base_url, call_of(chat(fields)), key="secret")
        assert completion.usage == READ
        assert completion.finish_reason == "stop"
        assert completion.model_served == "upstream-model"
        assert completion.upstream_id == "msg_fake_0"
        assert upstream.usage == USAGE
    assert said(data, "content") == TEXT
    assert said(data, "reasoning_content") == "Hm."
    first = orjson.loads(payloads(data)[0])
    assert (first["created"], first["model"]) == (NOW_S, "upstream-model")
    if fields:
        assert not any(orjson.loads(each).get("usage") for each in payloads(data))
    told = orjson.loads(completion.usage_event if fields else data)["usage"]
    assert (told["prompt_tokens"], told["completion_tokens"], told["total_tokens"]) == (100, 24, 124)
    assert told["prompt_tokens_details"] == {"cached_tokens": 40, "cache_write_tokens": 30}


@pytest.mark.parametrize("told", UsageTold)
@EITHER_WAY
async def test_however_usage_is_told_it_is_counted_once(
    pool: Pool, told: UsageTold, fields: JsonObject
) -> None:
    with running_upstream(Behaviour(text=TEXT, usage=USAGE, usage_told=told)) as upstream:
        upstream.release()
        data, completion = await ask(pool, upstream.base_url, call_of(chat(fields)))
    assert completion.usage == (None if told is UsageTold.NEVER else READ)
    assert bool(completion.usage_event) == (bool(fields) and told is not UsageTold.NEVER)
    assert said(data, "content") == TEXT


@EITHER_WAY
@pytest.mark.parametrize("mode", SchemaMode)
async def test_a_schema_is_answered_in_every_way_of_asking(
    pool: Pool, mode: SchemaMode, fields: JsonObject
) -> None:
    call = call_of(chat({**SCHEMA_FORMAT, **fields}), asking(mode))
    with running_upstream(Behaviour(answer={"total": "4.20"})) as upstream:
        data, completion = await ask(pool, upstream.base_url, call)
    assert completion.text == said(data, "content") == '{"total":"4.20"}'
    assert completion.finish_reason == "stop"
    assert b"tool_calls" not in data


@EITHER_WAY
async def test_a_forced_tool_is_called_with_the_answer(pool: Pool, fields: JsonObject) -> None:
    with running_upstream(Behaviour(answer={"total": "4.20"})) as upstream:
        data, completion = await ask(pool, upstream.base_url, call_of(chat({**FORCED_TOOL, **fields})))
    assert completion.text == '{"total":"4.20"}'
    assert completion.finish_reason == "tool_calls"
    calls = tool_calls(data)
    assert calls[0][1:3] == ("toolu_0", "receipt")
    assert "".join(call[3] for call in calls) == '{"total":"4.20"}'


@EITHER_WAY
async def test_a_tool_without_arguments_is_called_with_an_empty_object(
    pool: Pool, fields: JsonObject
) -> None:
    with running_upstream(Behaviour(text="", tool_name="look_up")) as upstream:
        data, completion = await ask(pool, upstream.base_url, call_of(chat({**TOOL, **fields})))
    assert completion.finish_reason == "tool_calls"
    assert "".join(call[3] for call in tool_calls(data)) == "{}"


def tool_calls(data: bytes) -> list[tuple[int | None, str | None, str | None, str]]:
    """Index, id, name and arguments of each call, or of each part of one."""
    choices = [orjson.loads(each)["choices"][0] for each in payloads(data)]
    return [
        (call.get("index"), call.get("id"), call["function"].get("name"), call["function"]["arguments"])
        for choice in choices
        for call in choice.get("delta", choice.get("message")).get("tool_calls") or []
    ]


@EITHER_WAY
@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
        ("refusal", "content_filter"),
        ("tired", "tired"),
    ],
)
async def test_why_an_answer_ended_is_said_in_openais_words(
    pool: Pool, stop_reason: str, finish_reason: str, fields: JsonObject
) -> None:
    with running_upstream(Behaviour(text=TEXT, finish_reason=stop_reason)) as upstream:
        data, completion = await ask(pool, upstream.base_url, call_of(chat(fields)))
    assert completion.finish_reason == finish_reason
    assert orjson.loads(payloads(data)[-1])["choices"][0]["finish_reason"] == finish_reason


@EITHER_WAY
async def test_the_output_limit_is_always_sent_and_kept(pool: Pool, fields: JsonObject) -> None:
    with running_upstream(Behaviour(text=TEXT)) as upstream:
        _, completion = await ask(pool, upstream.base_url, call_of(chat(fields), max_tokens=3))
        assert upstream.requests[0].json["max_tokens"] == 3
    assert completion.finish_reason == "length"
    assert completion.usage is not None
    assert completion.usage.output_tokens == 3


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


@EITHER_WAY
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


async def test_a_stream_that_ends_before_its_message_is_whole_is_truncated(pool: Pool) -> None:
    with (
        running_upstream(Behaviour(text=TEXT, usage=USAGE, fault=Fault.NO_DONE)) as upstream,
        pytest.raises(UpstreamInvalidError) as raised,
    ):
        await ask(pool, upstream.base_url, call_of(chat(STREAMED)))
    assert (raised.value.code, raised.value.billable) == ("upstream_truncated", True)


async def test_an_error_within_a_stream_is_named_and_its_sentence_is_not_told(pool: Pool) -> None:
    overloaded = Behaviour(fault=Fault.ERROR_EVENT, error_code="overloaded_error", error_message="canary")
    with running_upstream(overloaded) as upstream, pytest.raises(UpstreamError) as raised:
        await ask(pool, upstream.base_url, call_of(chat(STREAMED)))
    assert raised.value.message == "provider 'fake' broke off the stream with an error (overloaded_error)"


async def test_what_came_before_a_break_is_there_to_be_counted(pool: Pool) -> None:
    behaviour = Behaviour(text=TEXT, reasoning="Hm. ", fault=Fault.TRUNCATE, fault_after=3, chunks=9)
    with running_upstream(behaviour) as upstream:
        stream = await provider_at(upstream.base_url, pool).stream(call_of(chat(STREAMED)))
        with pytest.raises(UpstreamError):
            assert [piece async for piece in stream]
        await stream.aclose()
    assert stream.received_text() == "Hm. " + TEXT[:12]


async def test_a_caller_that_closes_ends_the_upstreams_work(pool: Pool) -> None:
    with running_upstream(Behaviour(text=TEXT, fault=Fault.HANG_MID)) as upstream:
        stream = await provider_at(upstream.base_url, pool).stream(call_of(chat(STREAMED)))
        async for piece in stream:
            if piece.has_content:
                break
        assert stream.received_text() in TEXT
        await stream.aclose()
        (charge,) = await asyncio.to_thread(upstream.wait_for_charges, 1)
    assert charge.ending is Ending.CLIENT_LEFT


REFUSALS: list[tuple[Behaviour, int, str, bool]] = [
    (Behaviour(status=429, error_code="rate_limit_error"), 429, "rate_limit_error", False),
    (Behaviour(status=401, error_code="authentication_error"), 502, "upstream_credentials", False),
    (Behaviour(status=403, error_code="permission_error"), 502, "upstream_credentials", False),
    (Behaviour(status=404, error_code="not_found_error"), 404, "not_found_error", False),
    (Behaviour(status=413, error_code="request_too_large"), 413, "request_too_large", False),
    (Behaviour(status=400, error_code="invalid_request_error"), 400, "invalid_request_error", False),
    (Behaviour(status=500, error_code="api_error"), 502, "upstream_error", True),
    (Behaviour(status=529, error_code="overloaded_error"), 502, "upstream_overloaded", False),
]


@EITHER_WAY
@pytest.mark.parametrize(("behaviour", "status", "code", "billable"), REFUSALS)
async def test_a_refusal_keeps_its_type_and_never_its_sentence(
    pool: Pool, behaviour: Behaviour, status: int, code: str, fields: JsonObject, *, billable: bool
) -> None:
    leaky = replace(behaviour, error_message="canary")
    with running_upstream(leaky) as upstream, pytest.raises(UpstreamError) as raised:
        await ask(pool, upstream.base_url, call_of(chat(fields)))
    assert (raised.value.status, raised.value.code, raised.value.billable) == (status, code, billable)
    assert "canary" not in raised.value.message


async def test_a_refusal_whose_body_breaks_off_is_still_unbilled(pool: Pool) -> None:
    parts = [b"HTTP/1.1 429 x\r\ncontent-length: 900\r\nretry-after: 3\r\n\r\n{"]
    async with running_raw_upstream(*parts) as upstream:
        with pytest.raises(UpstreamRefusedError) as raised:
            await ask(pool, upstream.base_url, call_of())
    assert (raised.value.status, raised.value.billable) == (429, False)
    assert raised.value.headers == ((b"retry-after", b"3"),)


async def test_what_cannot_be_translated_never_leaves(pool: Pool) -> None:
    with running_upstream() as upstream:
        with pytest.raises(InvalidRequestError) as raised:
            await ask(pool, upstream.base_url, call_of(chat({"seed": 7})))
        assert upstream.requests == ()
    assert raised.value.param == "seed"


EVENT = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}\n\n'
START = b'data: {"type":"message_start","message":{"id":"m","model":"x","usage":{"input_tokens":3}}}\n\n'
STOP = b'data: {"type":"message_stop"}\n\n'
ODD_STREAMS: dict[str, tuple[list[bytes], str]] = {
    "a part before the beginning": ([EVENT], "before its beginning"),
    "two beginnings": ([START, START], "a second answer"),
    "arguments of no tool": (
        [
            START,
            b'data: {"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{"}}\n\n',
        ],
        "no tool's call",
    ),
    "no beginning at all": ([STOP], "before its beginning"),
    "nothing": ([b": hello\n\n"], "in the middle"),
    "an event cut in two": ([START, EVENT, STOP[:20]], "in the middle"),
}


@pytest.mark.parametrize(("events", "said_of_it"), ODD_STREAMS.values(), ids=ODD_STREAMS.keys())
async def test_a_stream_that_makes_no_sense_is_an_error(
    pool: Pool, events: list[bytes], said_of_it: str
) -> None:
    async with running_raw_upstream(*chunked(*events), LAST_CHUNK) as upstream:
        with pytest.raises(UpstreamInvalidError, match=said_of_it):
            await ask(pool, upstream.base_url, call_of(chat(STREAMED)))


async def test_events_and_blocks_that_we_do_not_know_pass_unseen(pool: Pool) -> None:
    new = [
        b'event: novelty\ndata: {"type":"novelty","index":3}\n\n',
        b'data: {"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"x"}}\n\n',
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"novel_delta","x":1}}\n\n',
        b'data: {"type":"content_block_stop","index":0}\n\n',
        b'data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":"oh "}}\n\n',
    ]
    async with running_raw_upstream(*chunked(START, *new, EVENT, STOP), LAST_CHUNK) as upstream:
        data, completion = await ask(pool, upstream.base_url, call_of(chat(STREAMED)))
    assert said(data, "content") == "oh hi"
    assert (completion.usage, completion.finish_reason) == (None, None)


async def test_a_tool_call_that_is_told_at_once_has_its_arguments(pool: Pool) -> None:
    begun = b'data: {"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"t","name":"look_up","input":{"a":1}}}\n\n'
    ended = b'data: {"type":"content_block_stop","index":4}\n\n'
    async with running_raw_upstream(*chunked(START, begun, ended, STOP), LAST_CHUNK) as upstream:
        data, _ = await ask(pool, upstream.base_url, call_of(chat({**TOOL, **STREAMED})))
    assert tool_calls(data) == [(0, "t", "look_up", ""), (0, None, None, '{"a":1}')]


@pytest.mark.parametrize(
    "body", [b'{"type":"message"}', b'{"content":"hi"}', b'{"type":"error","error":{"type":"api_error"}}']
)
async def test_an_answer_that_is_no_message_is_an_error(pool: Pool, body: bytes) -> None:
    async with running_raw_upstream(answer(body)) as upstream:
        with pytest.raises(UpstreamError) as raised:
            await ask(pool, upstream.base_url, call_of())
    assert raised.value.billable


async def test_a_stream_that_is_none_is_refused(pool: Pool) -> None:
    async with running_raw_upstream(*chunked(EVENT, kind=b"text/html"), LAST_CHUNK) as upstream:
        with pytest.raises(UpstreamInvalidError, match="text/html"):
            await ask(pool, upstream.base_url, call_of(chat(STREAMED)))


@pytest.mark.parametrize("ending", ["/v1", "/v1/", "", "/"])
async def test_the_key_and_the_version_are_sent_to_messages_however_the_address_ends(
    pool: Pool, ending: str
) -> None:
    with running_upstream() as upstream:
        base_url = upstream.base_url.removesuffix("/v1") + ending
        await ask(pool, base_url, call_of(), key="k-1")
        await ask(pool, base_url, call_of())
        first, second = upstream.requests
    assert first.headers["x-api-key"] == "k-1"
    assert "authorization" not in first.headers
    assert "x-api-key" not in second.headers
    assert first.headers["anthropic-version"] == "2023-06-01"
    assert first.path == second.path == "/v1/messages"
