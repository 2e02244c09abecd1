"""The fake provider is checked itself: a test that trusts it trusts these."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest
from openai import AsyncOpenAI

from router.json_types import JsonObject, JsonValue
from support.upstream import Upstream, running_upstream
from support.upstream_bill import Charge, Ending, FakeUsage, TokenPrices
from support.upstream_script import RATE_LIMITED, SERVER_ERROR, Behaviour, Fault, Received, UsageTold

USAGE = FakeUsage(prompt_tokens=100, cached_tokens=40, completion_tokens=24, reasoning_tokens=8)
PRICES = TokenPrices(input=150_000_000, cached=3_000_000, output=600_000_000, reasoning=600_000_000)
MESSAGES: list[JsonValue] = [{"role": "user", "content": "Say something as json"}]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def chat(fields: JsonObject | None = None, *, stream: bool = False, include_usage: bool = True) -> JsonObject:
    body: JsonObject = {"model": "m", "messages": MESSAGES, **(fields or {})}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": include_usage}}
    return body


async def post(session: aiohttp.ClientSession, upstream: Upstream, body: JsonObject) -> tuple[int, bytes]:
    url = f"{upstream.base_url}/chat/completions"
    async with session.post(url, json=body, allow_redirects=False) as response:
        return response.status, await response.read()


async def charges(upstream: Upstream, count: int = 1) -> tuple[Charge, ...]:
    return await asyncio.to_thread(upstream.wait_for_charges, count)


def events(data: bytes) -> list[bytes]:
    return [line.removeprefix(b"data: ") for line in data.split(b"\n\n") if line]


async def test_the_official_client_reads_a_whole_answer() -> None:
    with running_upstream(Behaviour(text="Good day", usage=USAGE), prices=PRICES) as upstream:
        async with AsyncOpenAI(base_url=upstream.base_url, api_key="k", max_retries=0) as client:
            answer = await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi"}]
            )
        assert answer.choices[0].message.content == "Good day"
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage is not None
        assert answer.usage.total_tokens == 124
        assert upstream.requests[0].headers["authorization"] == "Bearer k"
        # 60 x 0.15 + 40 x 0.003 + 16 x 0.6 + 8 x 0.6 micro-USD
        assert upstream.cost_nano_usd == 9_000 + 120 + 9_600 + 4_800
        assert upstream.bill == (Charge(0, "m", USAGE, 23_520, told=True, ending=Ending.COMPLETE),)


async def test_the_official_client_reads_a_stream() -> None:
    with running_upstream(Behaviour(text="One two three four five", chunks=5, usage=USAGE)) as upstream:
        async with AsyncOpenAI(base_url=upstream.base_url, api_key="k", max_retries=0) as client:
            stream = await client.chat.completions.create(
                model="m",
                messages=[{"role": "user", "content": "hi"}],
                stream=True,
                stream_options={"include_usage": True},
            )
            chunks = [chunk async for chunk in stream]
            models = [model.id async for model in client.models.list()]
        texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert "".join(texts) == "One two three four five"
        assert len([text for text in texts if text]) == 5
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == 24
        assert models == ["fake-model"]


async def test_requests_are_kept_as_they_came(session: aiohttp.ClientSession) -> None:
    with running_upstream() as upstream:
        url = f"{upstream.base_url}/chat/completions"
        body = b'{ "model":"m",  "messages":[{"role":"user","content":"\xc3\xa9"}] }'
        async with session.post(url, data=body, headers={"X-Some": "Thing"}) as response:
            assert response.status == 200
        request = upstream.requests[0]
        assert (request.body, request.headers["x-some"], request.last_user_text) == (body, "Thing", "é")


async def test_a_function_of_the_request_writes_the_script(session: aiohttp.ClientSession) -> None:
    def behave(request: Received) -> Behaviour:
        return Behaviour(text=f"{request.model} heard {request.last_user_text}")

    with running_upstream(behave=behave) as upstream:
        _, data = await post(session, upstream, chat())
        assert orjson.loads(data)["choices"][0]["message"]["content"] == "m heard Say something as json"


async def test_a_model_can_have_a_script_and_a_price_of_its_own(session: aiohttp.ClientSession) -> None:
    scripts = {"m": Behaviour(usage=USAGE)}
    with running_upstream(SERVER_ERROR, by_model=scripts, prices={"m": TokenPrices(input=1)}) as upstream:
        assert (await post(session, upstream, chat()))[0] == 200
        assert (await post(session, upstream, chat({"model": "other"})))[0] == 500
        assert [charge.ending for charge in await charges(upstream, 2)] == [Ending.COMPLETE, Ending.REFUSED]


@pytest.mark.parametrize(
    ("nano_usd_per_million", "tokens", "cost"),
    [(500_000, 1, 0), (500_000, 3, 2), (500_001, 1, 1), (1_000_000, 7, 7)],
    ids=["half-to-even-down", "half-to-even-up", "over-half", "whole"],
)
def test_a_cost_is_rounded_once_half_to_even(nano_usd_per_million: int, tokens: int, cost: int) -> None:
    assert TokenPrices(input=nano_usd_per_million).cost_nano_usd(FakeUsage(tokens, 0, 0, 0)) == cost


async def test_an_output_limit_cuts_the_answer_and_the_bill(session: aiohttp.ClientSession) -> None:
    with running_upstream(Behaviour(text="x" * 400)) as upstream:
        _, data = await post(session, upstream, chat({"max_tokens": 7}))
        answer = orjson.loads(data)
        assert answer["choices"][0]["finish_reason"] == "length"
        assert answer["usage"]["completion_tokens"] == 7 == upstream.usage.completion_tokens


async def test_every_choice_is_answered_and_billed(session: aiohttp.ClientSession) -> None:
    with running_upstream(Behaviour(text="12345678")) as upstream:
        _, data = await post(session, upstream, chat({"n": 3}))
        assert [choice["index"] for choice in orjson.loads(data)["choices"]] == [0, 1, 2]
        assert upstream.usage.completion_tokens == 6


async def test_a_json_answer_stands_in_the_content_or_in_the_forced_tool(
    session: aiohttp.ClientSession,
) -> None:
    forcing: JsonObject = {
        "tools": [{"type": "function", "function": {"name": "read_invoice", "parameters": {}}}],
        "tool_choice": {"type": "function", "function": {"name": "read_invoice"}},
    }
    with running_upstream(Behaviour(answer={"total": "12.50"})) as upstream:
        _, plain = await post(
            session, upstream, chat({"response_format": {"type": "json_schema", "json_schema": {}}})
        )
        _, forced = await post(session, upstream, chat(forcing))
        _, streamed = await post(session, upstream, chat(forcing, stream=True))
    assert orjson.loads(plain)["choices"][0]["message"]["content"] == '{"total":"12.50"}'
    call = orjson.loads(forced)["choices"][0]["message"]["tool_calls"][0]["function"]
    assert call == {"name": "read_invoice", "arguments": '{"total":"12.50"}'}
    deltas = [orjson.loads(event)["choices"] for event in events(streamed)[:-1]]
    calls = [delta[0]["delta"].get("tool_calls") for delta in deltas if delta]
    assert "".join(call[0]["function"]["arguments"] for call in calls if call) == '{"total":"12.50"}'


async def test_log_probabilities_come_when_asked(session: aiohttp.ClientSession) -> None:
    tokens = (('{"a": "', -0.1), ("yes", -2.5), ('"}', -0.01))
    with running_upstream(Behaviour(token_logprobs=tokens, chunks=2)) as upstream:
        _, silent = await post(session, upstream, chat())
        _, plain = await post(session, upstream, chat({"logprobs": True}))
        _, streamed = await post(session, upstream, chat({"logprobs": True}, stream=True))
    assert orjson.loads(silent)["choices"][0]["logprobs"] is None
    content = orjson.loads(plain)["choices"][0]["logprobs"]["content"]
    assert [(entry["token"], entry["logprob"]) for entry in content] == list(tokens)
    chunks = [orjson.loads(event)["choices"] for event in events(streamed)[:-1]]
    logprobs = [chunk[0]["logprobs"]["content"] for chunk in chunks if chunk and chunk[0]["logprobs"]]
    assert [entry["token"] for part in logprobs for entry in part] == [token for token, _ in tokens]


@pytest.mark.parametrize(
    ("told", "include_usage", "tellings"),
    [
        (UsageTold.ONCE, True, 1),
        (UsageTold.ONCE, False, 0),
        (UsageTold.NEVER, True, 0),
        (UsageTold.TWICE, True, 2),
    ],
    ids=["once", "not-asked", "never", "twice"],
)
async def test_a_stream_tells_its_usage_as_scripted(
    session: aiohttp.ClientSession, told: UsageTold, include_usage: bool, tellings: int
) -> None:
    with running_upstream(Behaviour(usage=USAGE, usage_told=told)) as upstream:
        _, data = await post(session, upstream, chat(stream=True, include_usage=include_usage))
        bodies = [orjson.loads(event) for event in events(data)[:-1]]
        assert len([body for body in bodies if body.get("usage")]) == tellings
        (charge,) = await charges(upstream)
        assert (charge.told, charge.usage) == (tellings > 0, USAGE)


async def test_late_usage_waits_to_be_released(session: aiohttp.ClientSession) -> None:
    with running_upstream(Behaviour(usage_told=UsageTold.LATE)) as upstream:
        async with session.post(f"{upstream.base_url}/chat/completions", json=chat(stream=True)) as response:
            seen = b""
            while b'"finish_reason":"stop"' not in seen:
                seen += await response.content.readany()
            assert b'"usage":{' not in seen
            upstream.release()
            assert b'"usage":{' in await response.content.read()


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_hang_before_headers_ends_with_release(session: aiohttp.ClientSession, stream: bool) -> None:
    with running_upstream(Behaviour(fault=Fault.HANG_BEFORE_HEADERS)) as upstream:
        asking = asyncio.create_task(post(session, upstream, chat(stream=stream)))
        await asyncio.to_thread(upstream.wait_for_requests, 1)
        assert upstream.bill == ()
        upstream.release()
        assert (await asking)[0] == 200
        assert (await charges(upstream))[0].ending is Ending.COMPLETE


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_hang_in_the_middle_ends_with_release(session: aiohttp.ClientSession, stream: bool) -> None:
    with running_upstream(Behaviour(text="a" * 40, chunks=10, fault=Fault.HANG_MID)) as upstream:
        async with session.post(
            f"{upstream.base_url}/chat/completions", json=chat(stream=stream)
        ) as response:
            begun = await response.content.readany()
            assert begun
            assert upstream.bill == ()
            upstream.release()
            whole = begun + await response.content.read()
        assert whole.endswith(b"data: [DONE]\n\n" if stream else b"}")
        assert (await charges(upstream))[0].usage.completion_tokens == 10


async def test_a_client_that_leaves_is_billed_for_what_was_spoken(session: aiohttp.ClientSession) -> None:
    behaviour = Behaviour(chunks=8, usage=USAGE, fault=Fault.HANG_MID, fault_after=2)
    with running_upstream(behaviour) as upstream:
        async with session.post(f"{upstream.base_url}/chat/completions", json=chat(stream=True)) as response:
            heard = b""
            while heard.count(b"data: ") < 3:  # the role, then the two pieces before it hangs
                heard += await response.content.readany()
            response.close()
        (charge,) = await charges(upstream)
        assert (charge.ending, charge.told) == (Ending.CLIENT_LEFT, False)
        assert charge.usage == FakeUsage(100, 40, 7, 7)  # a quarter of 28 pieces' tokens is 6, rounded up


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.TRUNCATE, aiohttp.ClientPayloadError),
        (Fault.RESET, aiohttp.ClientError),
        (Fault.RESET_BEFORE_HEADERS, aiohttp.ClientError),
    ],
    ids=str,
)
async def test_a_broken_connection_breaks_the_client(
    session: aiohttp.ClientSession, fault: Fault, error: type[Exception], stream: bool
) -> None:
    with running_upstream(Behaviour(fault=fault, usage=USAGE), prices=PRICES) as upstream:
        with pytest.raises(error):
            await post(session, upstream, chat(stream=stream))
        (charge,) = await charges(upstream)
        assert (charge.ending, charge.told) == (Ending.BROKEN, False)
        assert charge.cost_nano_usd > 0


@pytest.mark.parametrize(
    ("fault", "last"),
    [
        (Fault.CUT_SHORT, b'"finish_reason":null'),
        (Fault.ERROR_EVENT, b'"error":{'),
        (Fault.INVALID_JSON, b'{"content":"'),
        (Fault.NOT_AN_OBJECT, b"[1, 2]"),
        (Fault.NO_DONE, b'"usage":{'),
    ],
    ids=lambda value: value.value if isinstance(value, Fault) else "",
)
async def test_a_stream_can_end_wrongly_in_a_well_framed_answer(
    session: aiohttp.ClientSession, fault: Fault, last: bytes
) -> None:
    with running_upstream(Behaviour(fault=fault)) as upstream:
        status, data = await post(session, upstream, chat(stream=True))
        assert status == 200
        assert last in events(data)[-1]


@pytest.mark.parametrize(
    ("fault", "start"),
    [
        (Fault.HTML, b"<!DOCTYPE html>"),
        (Fault.ERROR_BODY, b'{"error":'),
        (Fault.INVALID_JSON, b'{"id":"chatcmpl'),
        (Fault.NOT_AN_OBJECT, b"["),
    ],
    ids=lambda value: value.value if isinstance(value, Fault) else "",
)
async def test_a_plain_answer_can_be_wrong_with_status_200(
    session: aiohttp.ClientSession, fault: Fault, start: bytes
) -> None:
    with running_upstream(Behaviour(fault=fault)) as upstream:
        status, data = await post(session, upstream, chat())
        assert status == 200
        assert data.startswith(start)
        assert b'"usage"' not in data


async def test_an_error_status_costs_nothing_and_says_when_to_come_back(
    session: aiohttp.ClientSession,
) -> None:
    with running_upstream(RATE_LIMITED, prices=PRICES) as upstream:
        async with session.post(f"{upstream.base_url}/chat/completions", json=chat()) as response:
            assert (response.status, response.headers["retry-after"]) == (429, "1")
        assert upstream.cost_nano_usd == 0


async def test_a_redirect_says_where_to(session: aiohttp.ClientSession) -> None:
    elsewhere = Behaviour(status=302, headers={"location": "/v1/elsewhere"})
    with running_upstream(elsewhere) as upstream:
        assert (await post(session, upstream, chat()))[0] == 302
        async with session.post(f"{upstream.base_url}/chat/completions", json=chat()) as response:
            assert response.status == 404
        assert upstream.requests[-1].path == "/v1/elsewhere"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_huge_body_is_padded_with_spaces(session: aiohttp.ClientSession, stream: bool) -> None:
    with running_upstream(Behaviour(padding_bytes=300_000)) as upstream:
        _, data = await post(session, upstream, chat(stream=stream))
        assert data.count(b" " * 1_000) == 300
        assert data.endswith(b"data: [DONE]\n\n" if stream else b"}")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_slow_drip_is_the_same_answer(session: aiohttp.ClientSession, stream: bool) -> None:
    with running_upstream(Behaviour(text="Grüße, 世界", drip_bytes=3)) as upstream:
        _, dripped = await post(session, upstream, chat(stream=stream))
        upstream.behave = lambda _: Behaviour(text="Grüße, 世界")
        _, poured = await post(session, upstream, chat(stream=stream))
        assert dripped.replace(b"fake-0", b"fake-1") == poured


async def test_a_wrong_key_is_refused(session: aiohttp.ClientSession) -> None:
    with running_upstream(api_key="right") as upstream:
        assert (await post(session, upstream, chat()))[0] == 401


FORCED: JsonObject = {"type": "function", "function": {"name": "f"}}
TOOL_TURN: JsonObject = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c", "function": {"name": "f"}}],
}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"response_format": {"type": "json_schema", "json_schema": {}}},
            "This response_format type is unavailable now",
        ),
        ({"tool_choice": FORCED}, "Thinking mode does not support this tool_choice"),
        ({"tool_choice": "required"}, "Thinking mode does not support this tool_choice"),
        ({"messages": [{"role": "developer", "content": "hi"}]}, "unknown variant `developer`"),
        ({"messages": [*MESSAGES, TOOL_TURN]}, "`reasoning_content`"),
        (
            {"messages": [{"role": "user", "content": "hi"}], "response_format": {"type": "json_object"}},
            "must contain the word 'json'",
        ),
    ],
    ids=[
        "json-schema",
        "named-tool",
        "required-tool",
        "developer",
        "tool-turn",
        "json-object-without-the-word",
    ],
)
async def test_deepseek_refuses_what_deepseek_refuses(
    session: aiohttp.ClientSession, fields: JsonObject, message: str
) -> None:
    with running_upstream(deepseek=True) as upstream:
        status, data = await post(session, upstream, chat(fields))
        assert status == 400
        assert message in orjson.loads(data)["error"]["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "json_object"}},
        {"thinking": {"type": "disabled"}, "tool_choice": FORCED},
        {"messages": [*MESSAGES, {**TOOL_TURN, "reasoning_content": ""}]},
    ],
    ids=["json-object", "forced-tool-without-thinking", "tool-turn-with-its-reasoning"],
)
async def test_deepseek_takes_what_deepseek_takes(session: aiohttp.ClientSession, fields: JsonObject) -> None:
    with running_upstream(deepseek=True) as upstream:
        assert (await post(session, upstream, chat(fields)))[0] == 200


async def test_deepseek_thinks_and_tells_its_cache_in_its_own_words(session: aiohttp.ClientSession) -> None:
    with running_upstream(Behaviour(usage=USAGE), deepseek=True) as upstream:
        _, data = await post(session, upstream, chat())
        _, silent = await post(session, upstream, chat({"thinking": {"type": "disabled"}}))
        _, streamed = await post(session, upstream, chat(stream=True))
    answer = orjson.loads(data)
    assert answer["choices"][0]["message"]["reasoning_content"] == "Let me think."
    assert (answer["usage"]["prompt_cache_hit_tokens"], answer["usage"]["prompt_cache_miss_tokens"]) == (
        40,
        60,
    )
    assert "reasoning_content" not in orjson.loads(silent)["choices"][0]["message"]
    last = orjson.loads(events(streamed)[-2])
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"]["total_tokens"] == 124


@pytest.mark.parametrize("name", ["steelyard", "stream_options"])
async def test_what_must_not_be_forwarded_is_refused(session: aiohttp.ClientSession, name: str) -> None:
    with running_upstream() as upstream:
        status, _ = await post(session, upstream, chat({name: {}}))
        assert status == 400


async def test_a_fault_of_the_fake_itself_fails_the_test(session: aiohttp.ClientSession) -> None:
    def behave(request: Received) -> Behaviour:
        raise KeyError(request.model)

    with (
        pytest.raises(ExceptionGroup, match="the fake upstream failed"),
        running_upstream(behave=behave) as upstream,
        pytest.raises(aiohttp.ClientError),
    ):
        await post(session, upstream, chat())
