"""What is checked of a chat request, what it becomes, and that nothing else can come of any JSON."""

from dataclasses import replace
from functools import partial

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.facts import TaskKind
from router.call import Call
from router.catalog import Dialect, SchemaMode
from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue
from router.request import AnswerShape, ChatRequest
from router.wire.chat_request import read_chat_request
from router.wire.upstream_chat import render_chat
from support.calls import FORCED_TOOL, ROUTE, SCHEMA, SCHEMA_FORMAT, chat, outcome_of, read

ALLOWED: list[tuple[str, JsonValue]] = [
    ("model", "x" * 256),
    ("stream", None),
    ("stream", True),
    ("stream_options", {"include_usage": True, "include_obfuscation": False}),
    ("max_tokens", 1),
    ("max_tokens", 10_000_000),
    ("max_completion_tokens", 1),
    ("n", 1),
    ("n", 16),
    ("logprobs", False),
    ("temperature", 0),
    ("temperature", 2.0),
    ("top_p", 0),
    ("top_p", 1),
    ("response_format", {"type": "text"}),
    ("response_format", {"type": "json_object"}),
    ("tools", []),
    ("tool_choice", "auto"),
    ("tool_choice", {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}),
    ("tool_choice", {"type": "custom", "custom": {"name": "x"}}),
    ("steelyard", None),
    ("steelyard", {}),
    ("steelyard", {"task": "x" * 64, "purpose": "y" * 64, "conversation": "z" * 128, "label": "public"}),
    ("steelyard", {"document": {"message": 0}, "return": True}),
    ("stop", "END"),
    ("stop", ["a", "b"]),
    ("stop", None),
    ("top_logprobs", 5),
    ("seed", -1),
    ("frequency_penalty", -2),
    ("presence_penalty", 2.0),
    ("logit_bias", {"50256": -100, "1": 0.5}),
    ("parallel_tool_calls", False),
    ("reasoning_effort", "high"),
    ("user", ""),
    ("metadata", {"a": "b"}),
    ("function_call", "auto"),
    ("function_call", {"name": "x"}),
    ("something_new", {"deeply": [{"nested": None}]}),
]


@pytest.mark.parametrize(("name", "value"), ALLOWED, ids=lambda value: str(value)[:40])
def test_a_field_at_its_bound_is_taken(name: str, value: JsonValue) -> None:
    assert isinstance(read(chat({name: value})), ChatRequest)


REFUSED: list[tuple[str, JsonValue, str]] = [
    ("model", "", "model"),
    ("model", "x" * 257, "model"),
    ("model", None, "model"),
    ("model", ["x"], "model"),
    ("messages", [], "messages"),
    ("messages", None, "messages"),
    ("messages", {}, "messages"),
    ("messages", [{"role": "user", "content": "x"}] * 4_097, "messages"),
    ("messages", ["x"], "messages[0]"),
    ("messages", [{"content": "x"}], "messages[0].role"),
    ("messages", [{"role": "User", "content": "x"}], "messages[0].role"),
    ("messages", [{"role": "user", "content": 1}], "messages[0].content"),
    ("messages", [{"role": "user", "content": None}], "messages[0].content"),
    ("messages", [{"role": "user", "content": []}], "messages[0].content"),
    ("messages", [{"role": "user", "content": [1]}], "messages[0].content[0]"),
    ("messages", [{"role": "user", "content": [{"text": "x"}]}], "messages[0].content[0].type"),
    ("messages", [{"role": "user", "content": [{"type": "text", "text": 1}]}], "messages[0].content[0].text"),
    ("messages", [{"role": "user", "content": [{"type": "file"}]}], "messages[0].content[0].type"),
    ("stream", "true", "stream"),
    ("stream", 1, "stream"),
    ("stream_options", {"include_usage": "yes"}, "stream_options.include_usage"),
    ("stream_options", [], "stream_options"),
    ("max_tokens", 0, "max_tokens"),
    ("max_tokens", -1, "max_tokens"),
    ("max_tokens", 10_000_001, "max_tokens"),
    ("max_tokens", 1e30, "max_tokens"),
    ("max_tokens", 2.5, "max_tokens"),
    ("max_tokens", "7", "max_tokens"),
    ("max_tokens", True, "max_tokens"),
    ("max_completion_tokens", 0, "max_completion_tokens"),
    ("n", 0, "n"),
    ("n", 17, "n"),
    ("n", True, "n"),
    ("logprobs", 1, "logprobs"),
    ("temperature", -0.01, "temperature"),
    ("temperature", 2.01, "temperature"),
    ("temperature", "1", "temperature"),
    ("temperature", True, "temperature"),
    ("top_p", 1.1, "top_p"),
    ("top_p", [], "top_p"),
    ("response_format", "json", "response_format"),
    ("response_format", {}, "response_format.type"),
    ("response_format", {"type": "yaml"}, "response_format.type"),
    ("response_format", {"type": "json_schema"}, "response_format.json_schema.schema"),
    (
        "response_format",
        {"type": "json_schema", "json_schema": {"schema": []}},
        "response_format.json_schema.schema",
    ),
    ("tools", {}, "tools"),
    ("tools", ["x"], "tools[0]"),
    ("tool_choice", 1, "tool_choice"),
    ("tool_choice", {}, "tool_choice.function.name"),
    ("tool_choice", {"type": "function", "function": {"name": "absent"}}, "tool_choice.function.name"),
    ("steelyard", [], "steelyard"),
    ("steelyard", {"lable": "public"}, "steelyard.lable"),
    ("steelyard", {"my-key": 1}, "steelyard.my-key"),
    ("steelyard", {"x" * 1_000: 1}, "steelyard." + "x" * 190),
    ("steelyard", {"label": "secret"}, "steelyard.label"),
    ("steelyard", {"task": ""}, "steelyard.task"),
    ("steelyard", {"task": "x" * 65}, "steelyard.task"),
    ("steelyard", {"purpose": 1}, "steelyard.purpose"),
    ("steelyard", {"conversation": "x" * 129}, "steelyard.conversation"),
    ("steelyard", {"conversation": "a\r\nset-cookie: b"}, "steelyard.conversation"),
    ("steelyard", {"return": 1}, "steelyard.return"),
    ("steelyard", {"document": {"message": -1}}, "steelyard.document.message"),
    ("steelyard", {"document": {"message": 1}}, "steelyard.document.message"),
    ("steelyard", {"document": {"message": 0, "page": 1}}, "steelyard.document.page"),
    ("stop", 1, "stop"),
    ("stop", {"a": 1}, "stop"),
    ("stop", ["a", 1], "stop[1]"),
    ("stop", ["a", None], "stop[1]"),
    ("top_logprobs", "x", "top_logprobs"),
    ("top_logprobs", 2.5, "top_logprobs"),
    ("top_logprobs", True, "top_logprobs"),
    ("seed", "7", "seed"),
    ("seed", 1.5, "seed"),
    ("seed", True, "seed"),
    ("frequency_penalty", "1", "frequency_penalty"),
    ("frequency_penalty", 2.1, "frequency_penalty"),
    ("frequency_penalty", False, "frequency_penalty"),
    ("presence_penalty", [], "presence_penalty"),
    ("presence_penalty", -2.1, "presence_penalty"),
    ("logit_bias", [], "logit_bias"),
    ("logit_bias", {"50256": "x"}, "logit_bias.50256"),
    ("logit_bias", {"50256": None}, "logit_bias.50256"),
    ("parallel_tool_calls", "yes", "parallel_tool_calls"),
    ("reasoning_effort", 1, "reasoning_effort"),
    ("verbosity", 1, "verbosity"),
    ("user", 1, "user"),
    ("store", "true", "store"),
    ("metadata", "x", "metadata"),
    ("prompt_cache_key", 1, "prompt_cache_key"),
    ("safety_identifier", {}, "safety_identifier"),
    ("functions", {}, "functions"),
    ("functions", ["x"], "functions[0]"),
    ("function_call", 1, "function_call"),
]


@pytest.mark.parametrize(
    ("name", "value", "param"), REFUSED, ids=[f"{name}={str(value)[:40]}" for name, value, _ in REFUSED]
)
def test_a_field_beyond_its_bound_is_refused_by_its_path(name: str, value: JsonValue, param: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read(chat({name: value}))
    assert refused.value.param == param


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read(chat({"messages": [{"role": "canary-role", "content": "canary"}]}))
    assert "canary" not in refused.value.message


def test_what_we_do_not_know_is_forwarded_untouched_and_our_own_object_is_not() -> None:
    unknown: JsonObject = {"top_k": 7, "nested": {"a": [None, 1.5, "ü"]}, "zero": 0.0}
    request = read(chat({**unknown, "steelyard": {"task": "x"}}))
    assert request.body == chat(unknown)


def test_an_unknown_field_counts_for_the_bound_with_its_bytes() -> None:
    plain, more = read(chat()), read(chat({"mystery": "x" * 500}))
    assert more.bound.text_tokens - plain.bound.text_tokens >= 500


def test_the_lower_of_two_limits_counts() -> None:
    assert read(chat({"max_tokens": 7, "max_completion_tokens": 9})).max_tokens == 7
    assert read(chat()).max_tokens is None


def test_a_schema_makes_an_extraction() -> None:
    request = read(chat(SCHEMA_FORMAT))
    assert request.kind is TaskKind.EXTRACTION
    assert request.schema is not None
    assert (request.schema.name, request.schema.schema, request.schema.shape) == (
        "receipt", SCHEMA, AnswerShape.CONTENT,
    )  # fmt: skip


def test_a_forced_tool_makes_an_extraction_and_a_free_one_does_not() -> None:
    forced = read(chat(FORCED_TOOL))
    assert forced.schema is not None
    assert forced.schema.shape is AnswerShape.TOOL
    assert read(chat({**FORCED_TOOL, "tool_choice": "auto"})).kind is TaskKind.GENERATION


def test_the_document_is_the_users_text_or_the_message_that_is_named() -> None:
    messages: list[JsonValue] = [
        {"role": "system", "content": "rules"},
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
        {"role": "assistant", "content": None},
        {"role": "user", "content": "three"},
    ]
    assert read(chat({"messages": messages})).document == "one\ntwo\nthree"
    named = chat({"messages": messages, "steelyard": {"document": {"message": 1}}})
    assert read(named).document == "one\ntwo"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.-[é", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "model",
        "messages",
        "stream",
        "stream_options",
        "max_tokens",
        "n",
        "temperature",
        "response_format",
        "tools",
        "tool_choice",
        "steelyard",
        "logprobs",
        "functions",
        "service_tier",
        "web_search_options",
        "best_of",
        "modalities",
        "stop",
        "logit_bias",
        "x",
    ]
)
PIECES = st.sampled_from([*(value for _, value in ALLOWED), *(value for _, value, _ in REFUSED)])
NEARLY: st.SearchStrategy[JsonObject] = st.dictionaries(FIELDS, JSON | PIECES, max_size=5).map(chat)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=3) | NEARLY)
def test_any_json_is_a_request_that_can_be_sent_on_or_is_refused(body: JsonObject) -> None:
    request = outcome_of(lambda: read_chat_request(orjson.dumps(body), {}))
    if not isinstance(request, ChatRequest):
        assert isinstance(request, InvalidRequestError)
        return
    plain = request.schema.schema if request.schema is not None else None
    for mode in SchemaMode:
        for dialect in Dialect:
            route = replace(ROUTE, schema_mode=mode, dialect=dialect)
            call = Call(request, route, 5, "att_1", plain)
            sent = outcome_of(partial(render_chat, call))
            if isinstance(sent, bytes):
                assert orjson.loads(sent)["model"] == route.upstream_model
            else:
                assert isinstance(sent, InvalidRequestError)
                assert sent.param == "tools"


DEEP = 150


@pytest.mark.parametrize("field", ["metadata", "mystery", "tools", "response_format"])
def test_what_is_deep_but_allowed_can_be_sent_on(field: str) -> None:
    deep: JsonValue = "x"
    for _ in range(DEEP):
        deep = {"a": deep}
    values: dict[str, JsonValue] = {
        "tools": [{"type": "function", "function": {"name": "x", "parameters": deep}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": deep}},
    }
    request = read(chat({field: values.get(field, deep)}))
    plain = request.schema.schema if request.schema is not None else None
    for mode in SchemaMode:
        call = Call(request, replace(ROUTE, schema_mode=mode), 5, "att_1", plain)
        assert b'{"a":' * DEEP in render_chat(call).replace(b'\\"', b'"')


@pytest.mark.parametrize(
    "number",
    ["1e400", "-1e999", "NaN", "Infinity", "9" * 400, "123456789012345678901234567890", "1E-400", "-0"],
)
@pytest.mark.parametrize("field", ["max_tokens", "temperature", "seed", "n", "mystery"])
def test_a_strange_number_is_taken_or_refused_and_never_breaks_anything(number: str, field: str) -> None:
    body = orjson.dumps(chat({field: 424_242})).replace(b"424242", number.encode())
    request = outcome_of(lambda: read_chat_request(body, {}))
    if isinstance(request, ChatRequest):
        assert b"null" not in render_chat(Call(request, ROUTE, 5, "att_1"))
    else:
        assert isinstance(request, InvalidRequestError)
        assert request.code == "invalid_json" or request.param == field
