"""What providers are sent, for every way of asking a schema and every dialect."""

from dataclasses import replace

import aiohttp
import orjson
import pytest

from router.call import Call
from router.catalog import Dialect, SchemaMode
from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue
from router.wire.upstream_chat import adds_logprobs, asks_by_tool, render_chat
from support.calls import FORCED_TOOL, ROUTE, SCHEMA, SCHEMA_FORMAT, asking, call_of, chat
from support.upstream import running_upstream
from support.upstream_script import Behaviour


def sent(call: Call) -> JsonObject:
    body: JsonObject = orjson.loads(render_chat(call))
    return body


async def status_of(call: Call, *, deepseek: bool) -> int:
    """Send what is rendered to a provider that refuses what the real one refuses."""
    with running_upstream(Behaviour(answer={"total": "4.20"}), deepseek=deepseek) as upstream:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{upstream.base_url}/chat/completions", data=render_chat(call)) as response,
        ):
            await response.read()
            return response.status


@pytest.mark.parametrize("dialect", Dialect)
def test_every_route_gets_its_own_model_and_limit(dialect: Dialect) -> None:
    body = sent(
        call_of(chat({"max_tokens": 900, "max_completion_tokens": 800}), replace(ROUTE, dialect=dialect))
    )
    ours, other = "max_tokens", "max_completion_tokens"
    if dialect is Dialect.OPENAI:
        ours, other = other, ours
    assert body["model"] == "upstream-model"
    assert body[ours] == 64
    assert other not in body


def test_what_is_not_ours_to_know_goes_through() -> None:
    fields: JsonObject = {"top_k": 3, "metadata": {"a": "b"}, "stop": ["x"], "logit_bias": {"5": -1}}
    assert sent(call_of(chat(fields))).items() >= fields.items()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (None, {"include_usage": True}),
        ({"include_usage": False}, {"include_usage": True}),
        (
            {"include_obfuscation": False, "continuous_usage_stats": True},
            {"include_obfuscation": False, "continuous_usage_stats": True, "include_usage": True},
        ),
    ],
    ids=["none", "declined", "with others"],
)
def test_a_stream_always_tells_its_usage_and_keeps_the_callers_options(
    options: JsonValue, expected: JsonValue
) -> None:
    assert sent(call_of(chat({"stream": True, "stream_options": options})))["stream_options"] == expected


def test_a_whole_answer_is_asked_for_no_stream_options() -> None:
    assert "stream_options" not in sent(call_of())


@pytest.mark.parametrize("dialect", Dialect)
def test_only_openai_knows_developers(dialect: Dialect) -> None:
    messages: list[JsonValue] = [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": "hi"},
    ]
    body = sent(call_of(chat({"messages": messages}), replace(ROUTE, dialect=dialect)))
    role = "developer" if dialect is Dialect.OPENAI else "system"
    assert body["messages"] == [{"role": role, "content": "be brief"}, {"role": "user", "content": "hi"}]


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("mode", SchemaMode)
async def test_a_schema_is_asked_for_in_the_routes_own_way(mode: SchemaMode, dialect: Dialect) -> None:
    body = sent(call_of(chat(SCHEMA_FORMAT), asking(mode, dialect)))
    messages = body["messages"]
    assert isinstance(messages, list)
    in_prompt = "JSON schema" in str(messages[0])
    if mode is SchemaMode.JSON_SCHEMA:
        assert body["response_format"] == SCHEMA_FORMAT["response_format"]
    elif mode is SchemaMode.JSON_OBJECT:
        assert body["response_format"] == {"type": "json_object"}
    else:
        assert "response_format" not in body
    if mode is SchemaMode.TOOL:
        assert body["tools"] == [
            {"type": "function", "function": {"name": "receipt", "parameters": SCHEMA, "strict": True}}
        ]
        assert body["tool_choice"] == {"type": "function", "function": {"name": "receipt"}}
    assert in_prompt is (mode in (SchemaMode.JSON_OBJECT, SchemaMode.NONE))
    assert len(messages) == 1 + in_prompt
    thinks_not = dialect is Dialect.DEEPSEEK and mode is not SchemaMode.JSON_SCHEMA
    assert body.get("thinking") == ({"type": "disabled"} if thinks_not else None)


@pytest.mark.parametrize("mode", SchemaMode)
async def test_deepseek_takes_every_way_but_json_schema(mode: SchemaMode) -> None:
    call = call_of(chat(SCHEMA_FORMAT), asking(mode, Dialect.DEEPSEEK))
    assert await status_of(call, deepseek=True) == (400 if mode is SchemaMode.JSON_SCHEMA else 200)


@pytest.mark.parametrize(
    "fields",
    [
        FORCED_TOOL,
        {**FORCED_TOOL, "tool_choice": "required"},
        {"tools": [{"type": "function", "function": {"name": "go"}}],
         "tool_choice": {"type": "function", "function": {"name": "go"}}},
        {**FORCED_TOOL, "thinking": {"type": "enabled"}},
    ],
    ids=["named", "required", "without parameters", "although thinking is asked for"],
)  # fmt: skip
async def test_deepseek_does_not_think_where_a_tool_is_forced(fields: JsonObject) -> None:
    assert (
        await status_of(call_of(chat(fields), replace(ROUTE, dialect=Dialect.DEEPSEEK)), deepseek=True) == 200
    )


async def test_deepseek_gets_the_reasoning_field_that_openais_clients_drop() -> None:
    messages: list[JsonValue] = [
        {"role": "user", "content": "weather?"},
        {"role": "assistant", "content": None,
         "tool_calls": [{"id": "1", "type": "function", "function": {"name": "w", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": "sun"},
    ]  # fmt: skip
    body = chat({"messages": messages})
    assert await status_of(call_of(body, replace(ROUTE, dialect=Dialect.DEEPSEEK)), deepseek=True) == 200
    assert sent(call_of(body))["messages"] == messages, "others are sent what came"
    assert body["messages"] == messages, "the caller's own body is never changed"


def test_reasoning_that_was_kept_is_sent_back() -> None:
    message: JsonObject = {
        "role": "assistant", "content": "", "reasoning_content": "hm",
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "w", "arguments": "{}"}}],
    }  # fmt: skip
    body = sent(call_of(chat({"messages": [message]}), replace(ROUTE, dialect=Dialect.DEEPSEEK)))
    assert body["messages"] == [message]


@pytest.mark.parametrize("mode", SchemaMode)
def test_a_forced_tool_stays_a_tool_with_the_plain_schema(mode: SchemaMode) -> None:
    plain: JsonObject = {"type": "object"}
    call = replace(call_of(chat(FORCED_TOOL), asking(mode)), plain_schema=plain)
    body = sent(call)
    assert body["tools"] == [{"type": "function", "function": {"name": "receipt", "parameters": plain}}]
    assert body["tool_choice"] == FORCED_TOOL["tool_choice"]
    assert not asks_by_tool(call)


def test_a_route_asked_by_tool_takes_no_tools_beside() -> None:
    body = chat({**FORCED_TOOL, "tool_choice": "auto", **SCHEMA_FORMAT})
    with pytest.raises(InvalidRequestError) as refused:
        render_chat(call_of(body, asking(SchemaMode.TOOL)))
    assert refused.value.param == "tools"


@pytest.mark.parametrize("route_tells", [True, False])
@pytest.mark.parametrize("wanted", [True, False])
def test_logprobs_are_asked_for_where_a_check_can_use_them(*, route_tells: bool, wanted: bool) -> None:
    call = call_of(
        chat({**SCHEMA_FORMAT, "logprobs": wanted}), asking(SchemaMode.JSON_SCHEMA, logprobs=route_tells)
    )
    assert sent(call)["logprobs"] is (route_tells or wanted)
    assert adds_logprobs(call) is (route_tells and not wanted)


def test_the_callers_strictness_is_kept() -> None:
    body = chat(
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "r", "strict": True, "schema": SCHEMA},
            }
        }
    )
    assert sent(call_of(body, asking(SchemaMode.JSON_SCHEMA)))["response_format"] == body["response_format"]


async def test_a_provider_refuses_what_it_would_refuse() -> None:
    """The fake bites: sent as to OpenAI, DeepSeek's API would answer 400."""
    call = call_of(chat(FORCED_TOOL), replace(ROUTE, dialect=Dialect.GENERIC))
    assert await status_of(call, deepseek=True) == 400
