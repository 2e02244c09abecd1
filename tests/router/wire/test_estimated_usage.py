"""An estimate stands where a provider's usage would, and says what is charged."""

import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from ledger.usage import Usage
from router.completion import Completion
from router.json_types import JsonValue
from router.wire.estimated_usage import generated_text, with_estimate
from router.wire.openai_usage import read_usage
from router.wire.sse import event_of
from router.wire.upstream_answer import read_answer
from router.wire.upstream_stream import StreamReader
from support.calls import call_of, chat

ESTIMATE = Usage(input_uncached=12, output_text=5)
NONSENSE: dict[str, JsonValue] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
HEAD: dict[str, JsonValue] = {"id": "chatcmpl-7", "created": 7, "model": "served"}


def whole(usage: JsonValue) -> Completion:
    message: JsonValue = {"role": "assistant", "content": "Four.", "reasoning_content": "Two and two"}
    choices: JsonValue = [{"index": 0, "message": message, "finish_reason": "stop"}]
    body = {**HEAD, "object": "chat.completion", "choices": choices}
    return read_answer(call_of(), orjson.dumps(body if usage is None else {**body, "usage": usage}))


def streamed(usage: JsonValue) -> Completion:
    reader = StreamReader(call_of(chat({"stream": True, "stream_options": {"include_usage": True}})))
    head = {**HEAD, "object": "chat.completion.chunk"}
    said: JsonValue = [{"index": 0, "delta": {"content": "Four."}, "finish_reason": "stop"}]
    reader.feed(event_of(orjson.dumps({**head, "choices": said})))
    if usage is not None:
        reader.feed(event_of(orjson.dumps({**head, "choices": [], "usage": usage})))
    reader.feed(b"data: [DONE]\n\n")
    reader.end()
    return reader.completion()


@pytest.mark.parametrize("usage", [None, NONSENSE], ids=["none", "one that makes no sense"])
def test_a_whole_answer_gets_the_estimate_and_keeps_all_else(usage: JsonValue) -> None:
    completion = whole(usage)
    assert completion.usage is None
    before = ChatCompletion.model_validate_json(completion.body)
    after = ChatCompletion.model_validate_json(with_estimate(completion, ESTIMATE, 9).body)
    assert after.model_copy(update={"usage": before.usage}) == before
    assert read_usage(orjson.loads(with_estimate(completion, ESTIMATE, 9).body)["usage"]) == ESTIMATE


@pytest.mark.parametrize("usage", [None, NONSENSE], ids=["none", "one that makes no sense"])
def test_a_stream_ends_with_an_event_of_its_own_head(usage: JsonValue) -> None:
    completion = streamed(usage)
    assert completion.usage is None
    event = ChatCompletionChunk.model_validate_json(with_estimate(completion, ESTIMATE, 7).usage_event)
    assert (event.id, event.created, event.model, event.choices) == ("chatcmpl-7", 7, "served", [])
    assert event.usage is not None
    assert (event.usage.prompt_tokens, event.usage.completion_tokens, event.usage.total_tokens) == (12, 5, 17)


def test_thoughts_are_counted() -> None:
    assert generated_text(whole(None).body) == "Four.Two and two"
