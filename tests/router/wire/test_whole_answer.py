"""A whole completion in another form, read back by the official client's own types."""

import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from router.json_types import JsonObject
from router.request import AnswerShape
from router.wire.whole_answer import events_of, with_answer

USAGE: JsonObject = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
CALL: JsonObject = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "bill", "arguments": '{"total":"1"}'},
}


def body(*choices: JsonObject, **more: object) -> bytes:
    return orjson.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": "m",
            "choices": [
                {"index": index, "finish_reason": "stop", **choice} for index, choice in enumerate(choices)
            ],
            **more,
        }
    )


def said(content: str) -> JsonObject:
    return {"message": {"role": "assistant", "content": content, "refusal": None}}


TOOL: JsonObject = {
    "message": {"role": "assistant", "content": None, "tool_calls": [CALL]},
    "finish_reason": "tool_calls",
}


@pytest.mark.parametrize(
    ("whole", "shape"), [(body(said("{}"), said("b")), AnswerShape.CONTENT), (body(TOOL), AnswerShape.TOOL)]
)
def test_another_answer_stands_where_the_first_stood_and_nothing_else_changes(
    whole: bytes, shape: AnswerShape
) -> None:
    corrected = with_answer(whole, '{"total":"2"}', shape)
    before, after = ChatCompletion.model_validate_json(whole), ChatCompletion.model_validate_json(corrected)
    message = after.choices[0].message
    if shape is AnswerShape.TOOL:
        assert message.tool_calls is not None
        assert message.tool_calls[0].type == "function"
        assert message.tool_calls[0].function.arguments == '{"total":"2"}'
        assert message.content is None
    else:
        assert message.content == '{"total":"2"}'
    assert after.choices[1:] == before.choices[1:]
    assert (after.id, after.model) == (before.id, before.model)


def test_a_tools_answer_that_came_as_content_is_replaced_as_content() -> None:
    corrected = with_answer(body(said("{}")), '{"a":1}', AnswerShape.TOOL)
    assert ChatCompletion.model_validate_json(corrected).choices[0].message.content == '{"a":1}'


def chunks(events: bytes) -> list[ChatCompletionChunk]:
    parts = events.split(b"\n\n")
    assert parts.pop() == b""
    return [ChatCompletionChunk.model_validate_json(part.removeprefix(b"data: ")) for part in parts]


def test_a_stream_of_a_whole_answer_says_the_same() -> None:
    events, usage = events_of(body(said("hi"), said("ho"), usage=USAGE, system_fingerprint="fp"))
    found = chunks(events)
    texts = {0: "", 1: ""}
    for chunk in found:
        assert (chunk.id, chunk.model, chunk.object) == ("chatcmpl-1", "m", "chat.completion.chunk")
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == {0: "hi", 1: "ho"}
    assert [choice.finish_reason for chunk in found for choice in chunk.choices] == [None, "stop"] * 2
    assert found[0].choices[0].delta.role == "assistant"
    last = ChatCompletionChunk.model_validate_json(usage)
    assert last.usage is not None
    assert (last.choices, last.usage.total_tokens) == ([], 7)


def test_a_stream_of_a_tools_call_numbers_it() -> None:
    events, usage = events_of(body(TOOL))
    first, second = chunks(events)
    calls = first.choices[0].delta.tool_calls
    assert calls is not None
    assert calls[0].index == 0
    assert calls[0].function is not None
    assert calls[0].function.arguments == '{"total":"1"}'
    assert second.choices[0].finish_reason == "tool_calls"
    assert usage == b""


def test_the_log_probabilities_of_what_was_replaced_go_with_it() -> None:
    logprobs: JsonObject = {"content": [{"token": "{}", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}
    whole = body({**said("{}"), "logprobs": logprobs}, {**said("b"), "logprobs": logprobs})
    first, second = ChatCompletion.model_validate_json(with_answer(whole, "[]", AnswerShape.CONTENT)).choices
    assert first.logprobs is None
    assert second.logprobs is not None
