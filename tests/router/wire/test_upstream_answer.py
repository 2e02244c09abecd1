"""A provider's whole answer: passed through, put into the caller's form, or refused as no answer."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.usage import Usage
from router.catalog import SchemaMode
from router.completion import Completion
from router.errors import UpstreamError, UpstreamInvalidError
from router.json_types import JsonObject, JsonValue
from router.wire.upstream_answer import read_answer
from support.calls import FORCED_TOOL, SCHEMA_FORMAT, asking, call_of, chat, outcome_of
from verifiers.tokens import TokenLogprob

USAGE: JsonObject = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
LOGPROBS: JsonObject = {
    "content": [
        {"token": '{"a"', "logprob": -0.5, "bytes": None, "top_logprobs": []},
        {"token": ":1}", "logprob": 0},
    ]
}


def answer(message: JsonObject, *, usage: JsonValue = None, **choice: JsonValue) -> JsonObject:
    first: JsonObject = {"index": 0, "message": message, "finish_reason": "stop", **choice}
    return {"id": "c-1", "model": "served", "system_fingerprint": "fp", "choices": [first], "usage": usage}


def tool(*arguments: str) -> list[JsonValue]:
    return [
        {"id": f"call_{number}", "type": "function", "function": {"name": "receipt", "arguments": text}}
        for number, text in enumerate(arguments)
    ]


def test_an_answer_passes_byte_for_byte() -> None:
    data = b' {"choices" : [ {"message":{"content":"hi"}, "finish_reason":"length"} ], "usage": null, "new": 1e2}'
    completion = read_answer(call_of(), data)
    assert completion.body == data
    assert completion.finish_reason == "length"
    assert completion.usage is None


def test_what_is_known_of_an_answer_is_read() -> None:
    completion = read_answer(call_of(), orjson.dumps(answer({"content": "hi"}, usage=USAGE)))
    assert completion.usage == Usage(input_uncached=10, output_text=4)
    assert (completion.model_served, completion.upstream_id, completion.fingerprint) == (
        "served",
        "c-1",
        "fp",
    )
    assert completion.text is None, "nobody needs it"


def test_without_usage_all_that_was_generated_is_counted() -> None:
    body = answer({"content": "a", "reasoning_content": "thought", "tool_calls": tool("{}", "[]")})
    choices = body["choices"]
    assert isinstance(choices, list)
    choices.append({"index": 1, "message": {"content": "second"}})
    text = read_answer(call_of(), orjson.dumps(body)).text
    assert text is not None
    for part in ("a", "thought", "receipt{}", "receipt[]", "second"):
        assert part in text


@pytest.mark.parametrize("mode", [SchemaMode.JSON_SCHEMA, SchemaMode.JSON_OBJECT, SchemaMode.NONE])
def test_an_extractions_text_is_its_content(mode: SchemaMode) -> None:
    data = orjson.dumps(answer({"content": '{"total":"1"}', "reasoning_content": "hm"}))
    completion = read_answer(call_of(chat(SCHEMA_FORMAT), asking(mode)), data)
    assert (completion.text, completion.body) == ('{"total":"1"}', data)


def test_a_tool_that_stood_for_a_schema_becomes_content() -> None:
    data = orjson.dumps(answer({"content": None, "tool_calls": tool('{"total":"1"}', '{"total":"2"}')},
                               finish_reason="tool_calls"))  # fmt: skip
    completion = read_answer(call_of(chat(SCHEMA_FORMAT), asking(SchemaMode.TOOL)), data)
    (choice,) = orjson.loads(completion.body)["choices"]
    assert choice["message"] == {"content": '{"total":"1"}'}
    assert choice["finish_reason"] == "stop"
    assert completion.text == '{"total":"1"}'


def test_a_model_that_did_not_call_the_tool_keeps_its_content() -> None:
    data = orjson.dumps(answer({"content": "no", "refusal": None}))
    completion = read_answer(call_of(chat(SCHEMA_FORMAT), asking(SchemaMode.TOOL)), data)
    assert orjson.loads(completion.body)["choices"][0]["message"]["content"] == "no"
    assert completion.text == "no"


def test_a_forced_tools_text_is_its_arguments_whatever_was_said_beside() -> None:
    data = orjson.dumps(answer({"content": "Sure, here it is:", "tool_calls": tool('{"total":"1"}')}))
    completion = read_answer(call_of(chat(FORCED_TOOL)), data)
    assert (completion.text, completion.body) == ('{"total":"1"}', data)


@pytest.mark.parametrize("wanted", [True, False])
def test_logprobs_score_the_answer_and_are_shown_to_who_asked(*, wanted: bool) -> None:
    call = call_of(chat({**SCHEMA_FORMAT, "logprobs": wanted}), asking(SchemaMode.JSON_SCHEMA, logprobs=True))
    completion = read_answer(call, orjson.dumps(answer({"content": '{"a":1}'}, logprobs=LOGPROBS)))
    assert completion.tokens == (TokenLogprob('{"a"', -0.5), TokenLogprob(":1}", 0.0))
    assert orjson.loads(completion.body)["choices"][0]["logprobs"] == (LOGPROBS if wanted else None)


@pytest.mark.parametrize(
    "logprobs", [None, {}, {"content": None}, {"content": []}, {"content": [1, {"token": 1}]}]
)
def test_without_logprobs_there_is_no_score(logprobs: JsonValue) -> None:
    call = call_of(chat(SCHEMA_FORMAT), asking(SchemaMode.JSON_SCHEMA, logprobs=True))
    assert read_answer(call, orjson.dumps(answer({"content": "{}"}, logprobs=logprobs))).tokens is None


NO_ANSWER: dict[str, tuple[bytes, str]] = {
    "html": (b"\n<!DOCTYPE html><p>", "HTML"),
    "nothing": (b"", "not JSON"),
    "cut off": (b'{"choices": [', "not JSON"),
    "a list": (b"[1]", "no object"),
    "no choices": (b"{}", "without choices"),
    "empty choices": (b'{"choices": []}', "without choices"),
    "choices that are none": (b'{"choices": [1, "x"]}', "without choices"),
    "no message": (b'{"choices": [{"text": "x"}]}', "without choices"),
}


@pytest.mark.parametrize(("data", "words"), NO_ANSWER.values(), ids=NO_ANSWER.keys())
def test_what_is_no_answer_is_said_to_be_none_and_may_have_cost_money(data: bytes, words: str) -> None:
    with pytest.raises(UpstreamInvalidError, match=words) as raised:
        read_answer(call_of(), data)
    assert raised.value.billable


def test_an_error_with_status_200_is_an_error_and_its_sentence_is_not_repeated() -> None:
    data = orjson.dumps({"error": {"message": "your prompt was: canary", "code": "overloaded"}})
    with pytest.raises(UpstreamError, match=r"\(overloaded\)") as raised:
        read_answer(call_of(), data)
    assert "canary" not in raised.value.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["choices", "message", "delta", "content", "tool_calls", "function", "arguments", "logprobs", "usage", "error", "index"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON, st.sampled_from([SCHEMA_FORMAT, FORCED_TOOL, {}]), st.sampled_from(SchemaMode), st.booleans())
def test_any_json_is_an_answer_or_an_upstreams_error(
    value: JsonValue, fields: JsonObject, mode: SchemaMode, logprobs: bool
) -> None:
    call = call_of(chat(fields), asking(mode, logprobs=logprobs))
    data = orjson.dumps({"choices": [{"message": {}}], **value} if isinstance(value, dict) else value)
    read = outcome_of(lambda: read_answer(call, data))
    if isinstance(read, Completion):
        assert orjson.loads(read.body)
    else:
        assert isinstance(read, UpstreamError)
        assert read.billable
