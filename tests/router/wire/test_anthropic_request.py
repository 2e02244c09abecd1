"""What Anthropic's API is sent: every field of OpenAI's is translated, or refused by its name."""

from dataclasses import replace

import orjson
import pytest

from router.call import Call
from router.catalog import Route, SchemaMode
from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue
from router.wire.anthropic_request import JSON_PROMPT, render_messages
from router.wire.chat_fields import ChatFields
from router.wire.upstream_chat import SCHEMA_PROMPT
from support.calls import FORCED_TOOL, ROUTE, SCHEMA, SCHEMA_FORMAT, asking, call_of, chat
from support.upstream_anthropic_refusals import refusal_of
from support.upstream_script import Received

PNG = "data:image/png;base64,aGVsbG8="
USER: JsonObject = {"role": "user", "content": "Hi"}
TOOL: JsonObject = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds.",
        "parameters": {"properties": {"a": {"type": "number"}}},
    },
}
CALLS: JsonObject = {
    "role": "assistant",
    "content": "Let me see.",
    "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
        {"id": "c2", "type": "function", "function": {"name": "add", "arguments": ""}},
    ],
}


def sent(body: JsonObject, route: Route = ROUTE, *, max_tokens: int = 64) -> JsonObject:
    """The body for `body`; the fake one's rules hold for it, too."""
    data = render_messages(call_of(body, route, max_tokens=max_tokens))
    refused = refusal_of(Received(0, "POST", "/v1/messages", {"anthropic-version": "x"}, data), None)
    assert refused is None, refused
    parsed: JsonObject = orjson.loads(data)
    return parsed


def of_messages(*messages: JsonValue) -> JsonObject:
    return sent({"model": "model", "messages": list(messages)})


def text(said: str, **more: JsonValue) -> JsonObject:
    return {"type": "text", "text": said, **more}


def test_the_least_request_is_model_limit_and_turn() -> None:
    assert sent(chat(text="Hi")) == {
        "model": "upstream-model",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": [text("Hi")]}],
    }


FIELDS: dict[str, tuple[JsonObject, JsonObject]] = {
    "our limit, whatever the caller's is called": ({"max_completion_tokens": 9_999}, {"max_tokens": 64}),
    "stream": ({"stream": True, "stream_options": {"include_usage": True}}, {"stream": True}),
    "temperature": ({"temperature": 0.25}, {"temperature": 0.25}),
    "top_p": ({"top_p": 0.5}, {"top_p": 0.5}),
    "one stop": ({"stop": "END"}, {"stop_sequences": ["END"]}),
    "stops": ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
    "effort": ({"reasoning_effort": "high"}, {"output_config": {"effort": "high"}}),
    "no effort": ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
    "thinking": ({"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}}),
    "user": ({"user": "u-1"}, {"metadata": {"user_id": "u-1"}}),
    "user by its new name": ({"safety_identifier": "u-1", "user": "u-1"}, {"metadata": {"user_id": "u-1"}}),
    "tier": ({"service_tier": "default"}, {"service_tier": "standard_only"}),
    "json": ({"response_format": {"type": "json_object"}}, {"system": [text(JSON_PROMPT)]}),
}


@pytest.mark.parametrize(("given", "expected"), FIELDS.values(), ids=FIELDS.keys())
def test_a_field_is_translated(given: JsonObject, expected: JsonObject) -> None:
    assert sent(chat(given, text="Hi")) == {**sent(chat(text="Hi")), **expected}


SAY_NOTHING: list[JsonObject] = [
    {"n": 1}, {"logprobs": False}, {"top_logprobs": 0}, {"frequency_penalty": 0}, {"presence_penalty": 0.0},
    {"logit_bias": {}}, {"seed": None}, {"store": False}, {"metadata": {}}, {"verbosity": "medium"}, {"stop": []},
    {"temperature": 1}, {"top_p": 1.0}, {"response_format": {"type": "text"}}, {"tools": []}, {"functions": []},
    {"tool_choice": "auto"}, {"parallel_tool_calls": True}, {"service_tier": "auto"}, {"modalities": ["text"]},
    {"stream_options": {"include_obfuscation": False}}, {"unknown": None},
]  # fmt: skip


@pytest.mark.parametrize("given", SAY_NOTHING, ids=str)
def test_a_value_that_changes_nothing_passes(given: JsonObject) -> None:
    assert sent(chat(given)) == sent(chat())


REFUSED: dict[str, tuple[JsonObject, str]] = {
    "n": ({"n": 2}, "n"),
    "logprobs": ({"logprobs": True}, "logprobs"),
    "top_logprobs": ({"top_logprobs": 3}, "top_logprobs"),
    "seed": ({"seed": 0}, "seed"),
    "frequency_penalty": ({"frequency_penalty": 0.1}, "frequency_penalty"),
    "presence_penalty": ({"presence_penalty": -1}, "presence_penalty"),
    "logit_bias": ({"logit_bias": {"50256": -100}}, "logit_bias"),
    "store": ({"store": True}, "store"),
    "metadata": ({"metadata": {"a": "b"}}, "metadata"),
    "verbosity": ({"verbosity": "low"}, "verbosity"),
    "prompt_cache_key": ({"prompt_cache_key": "k"}, "prompt_cache_key"),
    "functions": ({"functions": [{"name": "f"}]}, "functions"),
    "function_call": ({"function_call": "auto"}, "function_call"),
    "what nobody knows": ({"top_k": 5}, "top_k"),
    "temperature beyond 1": ({"temperature": 1.01}, "temperature"),
    "minimal effort": ({"reasoning_effort": "minimal"}, "reasoning_effort"),
    "no effort, and how to think": ({"reasoning_effort": "none", "thinking": {}}, "reasoning_effort"),
    "thinking in a word": ({"thinking": "hard"}, "thinking"),
    "a stop of white space": ({"stop": ["a", "\n"]}, "stop"),
    "two names of one": ({"user": "a", "safety_identifier": "b"}, "user"),
    "obfuscation": ({"stream": True, "stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
    "a choice without tools": ({"tool_choice": "required"}, "tool_choice"),
    "a choice of some": ({"tools": [TOOL], "tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}, "tool_choice"),
    "a choice that is none": ({"tools": [TOOL], "tool_choice": "maybe"}, "tool_choice"),
    "a tool that is no function": ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
    "a tool with more": ({"tools": [{**TOOL, "x": 1}]}, "tools[0].x"),
    "a function with more": ({"tools": [{"type": "function", "function": {"name": "a", "x": 1}}]}, "tools[0].function.x"),
    "a strict tool of any keys": (
        {"tools": [{"type": "function", "function": {"name": "a", "strict": True, "parameters": {"type": "object", "additionalProperties": {"type": "string"}}}}]},
        "tools[0].function.parameters",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "param"), REFUSED.values(), ids=REFUSED.keys())
def test_what_has_no_counterpart_is_refused_by_its_name(given: JsonObject, param: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        sent(chat(given))
    assert (raised.value.status, raised.value.param) == (400, param)
    assert param in raised.value.message


def test_every_field_of_openais_request_is_translated_or_refused() -> None:
    tested = {name for given, _ in (*FIELDS.values(), *REFUSED.values()) for name in given}
    elsewhere = {"model", "messages", "max_tokens", "parallel_tool_calls", "steelyard", "response_format"}
    assert set(ChatFields.model_fields) <= tested | elsewhere


def test_system_and_developer_messages_stand_before_all_turns() -> None:
    body = of_messages(
        {"role": "system", "content": "Be brief."},
        USER,
        {"role": "developer", "content": [text("Be kind."), text(" \n")]},
    )
    assert body["system"] == [text("Be brief."), text("Be kind.")]
    assert body["messages"] == [{"role": "user", "content": [text("Hi")]}]


def test_turns_of_one_side_become_one() -> None:
    body = of_messages(
        USER, {"role": "user", "content": "there"}, {"role": "assistant", "content": "Yes?"}, USER
    )
    assert body["messages"] == [
        {"role": "user", "content": [text("Hi"), text("there")]},
        {"role": "assistant", "content": [text("Yes?")]},
        {"role": "user", "content": [text("Hi")]},
    ]


def test_tool_calls_and_their_results_become_blocks_of_two_turns() -> None:
    body = of_messages(
        USER,
        CALLS,
        {"role": "tool", "tool_call_id": "c1", "name": "add", "content": "2"},
        {"role": "tool", "tool_call_id": "c2", "content": [text("no"), text("thing")]},
        USER,
    )
    assert body["messages"] == [
        {"role": "user", "content": [text("Hi")]},
        {
            "role": "assistant",
            "content": [
                text("Let me see."),
                {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}},
                {"type": "tool_use", "id": "c2", "name": "add", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": [text("2")]},
                {"type": "tool_result", "tool_use_id": "c2", "content": [text("no"), text("thing")]},
                text("Hi"),
            ],
        },
    ]


def test_an_answer_of_ours_can_be_sent_back_as_it_came() -> None:
    ours: JsonObject = {
        "role": "assistant", "content": "Hello", "refusal": None, "reasoning_content": "They greet.",
        "tool_calls": None, "function_call": None, "annotations": [], "audio": None,
    }  # fmt: skip
    body = of_messages(USER, ours, USER)
    assert body["messages"] == of_messages(USER, {"role": "assistant", "content": "Hello"}, USER)["messages"]


def test_a_refusal_is_what_the_assistant_said() -> None:
    part: JsonObject = {"type": "refusal", "refusal": "No."}
    expected = of_messages(USER, {"role": "assistant", "content": "No."}, USER)
    assert of_messages(USER, {"role": "assistant", "content": [part]}, USER) == expected
    assert of_messages(USER, {"role": "assistant", "content": None, "refusal": "No."}, USER) == expected


def test_images_are_sent_as_bytes_or_by_address() -> None:
    parts: list[JsonValue] = [
        {"type": "image_url", "image_url": {"url": PNG, "detail": "auto"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        text("What is it?"),
    ]
    body = of_messages({"role": "user", "content": parts})
    assert body["messages"] == [
        {
            "role": "user",
            "content": [
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="},
                },
                {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
                text("What is it?"),
            ],
        }
    ]


@pytest.mark.parametrize("mark", [{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}])
def test_a_cache_mark_is_kept_where_it_stands(mark: JsonObject) -> None:
    body = sent(
        {
            "model": "model",
            "messages": [
                {"role": "system", "content": [text("Rules", cache_control=mark)]},
                {"role": "user", "content": [text("Hi", cache_control=mark)]},
            ],
            "tools": [{**TOOL, "cache_control": mark}],
        }
    )
    assert orjson.dumps(body).count(orjson.dumps({"cache_control": mark})[1:-1]) == 3


def image(**fields: JsonValue) -> JsonObject:
    return {"role": "user", "content": [{"type": "image_url", "image_url": dict(fields)}]}


def called(function: JsonValue, **fields: JsonValue) -> JsonObject:
    call: JsonObject = {"id": "c", "function": function, **fields}
    return {"role": "assistant", "tool_calls": [call]}


BAD_MESSAGES: dict[str, tuple[JsonObject, str]] = {
    "a name": ({**USER, "name": "Ann"}, "messages[1].name"),
    "a cache mark on a message": ({**USER, "cache_control": {"type": "ephemeral"}}, "messages[1].cache_control"),
    "a cache mark that is none": ({"role": "user", "content": [text("x", cache_control={"type": "eternal"})]}, "messages[1].content[0].cache_control"),
    "an unknown lifetime": ({"role": "user", "content": [text("x", cache_control={"type": "ephemeral", "ttl": "1y"})]}, "messages[1].content[0].cache_control"),
    "a part with more": ({"role": "user", "content": [text("x", bold=True)]}, "messages[1].content[0].bold"),
    "an image in a system message": ({"role": "system", "content": [{"type": "image_url", "image_url": {"url": PNG}}]}, "messages[1].content[0].type"),
    "an image by http": (image(url="http://example.org/a.png"), "messages[1].content[0].image_url.url"),
    "an image of another kind": (image(url="data:image/bmp;base64,aGk="), "messages[1].content[0].image_url.url"),
    "an image that is not base64": (image(url="data:image/png,hi"), "messages[1].content[0].image_url.url"),
    "an image without address": (image(), "messages[1].content[0].image_url"),
    "an image in low detail": (image(url=PNG, detail="low"), "messages[1].content[0].image_url.detail"),
    "the old role": ({"role": "function", "name": "f", "content": "x"}, "messages[1].role"),
    "a result of no call": ({"role": "tool", "content": "x"}, "messages[1].tool_call_id"),
    "an empty turn": ({"role": "user", "content": " "}, "messages[1].content"),
    "an empty answer": ({"role": "assistant", "content": ""}, "messages[1].content"),
    "arguments that are no JSON": (called({"name": "f", "arguments": "{a"}), "messages[1].tool_calls[0].function.arguments"),
    "arguments that are no object": (called({"name": "f", "arguments": "[1]"}), "messages[1].tool_calls[0].function.arguments"),
    "a call without a name": (called({"arguments": "{}"}), "messages[1].tool_calls[0].function.name"),
    "a call without an id": (called({"name": "f"}, id=None), "messages[1].tool_calls[0].id"),
    "a call of no function": (called(None, type="custom"), "messages[1].tool_calls[0]"),
    "an old call": ({"role": "assistant", "content": "x", "function_call": {"name": "f"}}, "messages[1].function_call"),
}  # fmt: skip


@pytest.mark.parametrize(("message", "param"), BAD_MESSAGES.values(), ids=BAD_MESSAGES.keys())
def test_a_message_that_cannot_be_said_is_refused_by_its_place(message: JsonObject, param: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        of_messages(USER, message, USER)
    assert raised.value.param == param
    assert "aGk" not in raised.value.message


@pytest.mark.parametrize(
    "messages",
    [[{"role": "system", "content": "x"}], [USER, {"role": "assistant", "content": "And"}]],
    ids=["no turn", "the assistant's turn last"],
)
def test_a_conversation_ends_with_a_users_turn(messages: list[JsonValue]) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        of_messages(*messages)
    assert raised.value.param == "messages"


CHOICES: dict[str, tuple[JsonObject, JsonObject]] = {
    "nothing said": ({}, {}),
    "auto": ({"tool_choice": "auto"}, {"tool_choice": {"type": "auto"}}),
    "required": ({"tool_choice": "required"}, {"tool_choice": {"type": "any"}}),
    "none": ({"tool_choice": "none", "parallel_tool_calls": False}, {"tool_choice": {"type": "none"}}),
    "one at a time": ({"parallel_tool_calls": False}, {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
    "several": ({"parallel_tool_calls": True}, {}),
    "this one, once": (
        {"tool_choice": {"type": "function", "function": {"name": "add"}}, "parallel_tool_calls": False},
        {"tool_choice": {"type": "tool", "name": "add", "disable_parallel_tool_use": True}},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), CHOICES.values(), ids=CHOICES.keys())
def test_tools_and_the_choice_of_one_are_translated(given: JsonObject, expected: JsonObject) -> None:
    body = sent(chat({"tools": [TOOL], **given}))
    assert body["tools"] == [
        {
            "name": "add",
            "description": "Adds.",
            "input_schema": {"type": "object", "properties": {"a": {"type": "number"}}},
        }
    ]
    assert {key: body[key] for key in ("tool_choice",) if key in body} == expected


def test_a_strict_tool_stays_strict_and_its_schema_is_closed() -> None:
    body = sent(
        chat(
            {"tools": [{"type": "function", "function": {"name": "a", "strict": True, "parameters": SCHEMA}}]}
        )
    )
    assert body["tools"] == [
        {
            "name": "a",
            "strict": True,
            "input_schema": {
                "type": "object",
                "properties": {"total": {"type": "string", "description": '{"maxLength":12}'}},
                "additionalProperties": False,
                "required": ["total"],
            },
        }
    ]


def test_a_strict_tool_may_take_nothing() -> None:
    body = sent(chat({"tools": [{"type": "function", "function": {"name": "a", "strict": True}}]}))
    assert body["tools"] == [
        {
            "name": "a",
            "strict": True,
            "input_schema": {"type": "object", "properties": {}, "additionalProperties": False},
        }
    ]


def test_a_schema_is_asked_in_anthropics_own_field_beside_the_effort() -> None:
    body = sent(chat({**SCHEMA_FORMAT, "reasoning_effort": "low"}))
    assert body["output_config"] == {
        "effort": "low",
        "format": {
            "type": "json_schema",
            "schema": {
                "type": "object",
                "properties": {"total": {"type": "string", "description": '{"maxLength":12}'}},
                "required": ["total"],
                "additionalProperties": False,
            },
        },
    }


def test_a_schema_may_be_asked_by_a_tool() -> None:
    body = sent(chat(SCHEMA_FORMAT), asking(SchemaMode.TOOL))
    assert body["tools"] == [{"name": "receipt", "description": "Takes the answer.", "input_schema": SCHEMA}]
    assert body["tool_choice"] == {"type": "tool", "name": "receipt", "disable_parallel_tool_use": True}
    assert "output_config" not in body


def test_a_schema_asked_by_a_tool_leaves_no_room_for_others() -> None:
    with pytest.raises(InvalidRequestError) as raised:
        sent(chat({**SCHEMA_FORMAT, "tools": [TOOL]}), asking(SchemaMode.TOOL))
    assert raised.value.param == "tools"


@pytest.mark.parametrize("mode", [SchemaMode.JSON_OBJECT, SchemaMode.NONE])
def test_a_schema_may_be_asked_in_the_prompt(mode: SchemaMode) -> None:
    body = sent(
        {**SCHEMA_FORMAT, "model": "model", "messages": [{"role": "system", "content": "Be brief."}, USER]},
        asking(mode),
    )
    assert body["system"] == [text(SCHEMA_PROMPT + orjson.dumps(SCHEMA).decode()), text("Be brief.")]


@pytest.mark.parametrize("mode", SchemaMode)
def test_our_own_keywords_are_never_sent(mode: SchemaMode) -> None:
    marked: JsonObject = {**SCHEMA, "x-steelyard-sum": "canary"}
    asked: JsonObject = {"response_format": {"type": "json_schema", "json_schema": {"schema": marked}}}
    for body in (chat(asked), chat(FORCED_TOOL)):
        call = call_of(body)
        call = Call(call.request, replace(ROUTE, schema_mode=mode), 5, "att_1", SCHEMA)
        assert b"canary" not in render_messages(call)
