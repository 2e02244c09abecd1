"""Whatever an Anthropic-shaped provider sends, whole or as events: an answer, or an error of ours."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.call import Call
from router.catalog import SchemaMode
from router.completion import Completion
from router.errors import GatewayError, InvalidRequestError, UpstreamInvalidError
from router.json_types import JsonObject, JsonValue
from router.wire.anthropic_answer import read_message
from router.wire.anthropic_request import render_messages
from router.wire.anthropic_stream import MessageStreamReader
from support.calls import FORCED_TOOL, SCHEMA_FORMAT, asking, call_of, chat, outcome_of

WORDS = [
    "type", "text", "thinking", "tool_use", "content", "input", "id", "name", "index", "delta", "message", "usage",
    "text_delta", "input_json_delta", "partial_json", "thinking_delta", "content_block", "stop_reason", "end_turn",
    "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
    "message_stop", "ping", "error", "input_tokens", "output_tokens", "cache_creation", "role", "tool_calls",
    "function", "arguments", "tool", "user", "assistant", "image_url", "url", "cache_control", "refusal", "format",
]  # fmt: skip
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-3, 2**60)
    | st.floats(allow_nan=False)
    | st.sampled_from([*WORDS, ""])
)
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5), max_leaves=12
)  # fmt: skip
OBJECT = st.dictionaries(st.sampled_from(WORDS), JSON, max_size=6)
CALLS = [
    call_of(chat()),
    call_of(chat(FORCED_TOOL)),
    *(call_of(chat(SCHEMA_FORMAT), asking(mode)) for mode in SchemaMode),
]
DEEP = b"[" * 300 + b"]" * 300


@given(st.sampled_from(CALLS), OBJECT)
def test_any_json_is_an_answer_or_an_error_of_ours(call: Call, body: JsonObject) -> None:
    found = outcome_of(lambda: read_message(call, orjson.dumps({"content": [], **body}), 1))
    assert isinstance(found, Completion | GatewayError)


@given(st.sampled_from(CALLS), st.lists(OBJECT, max_size=8))
def test_any_events_are_chunks_or_an_error_of_ours(call: Call, events: list[JsonObject]) -> None:
    reader = MessageStreamReader(call, 1)
    data = b"".join(
        b"data: " + orjson.dumps(event) + b"\n\n" for event in [{"type": "message_start"}, *events]
    )

    def read() -> Completion:
        for line in (reader.feed(data).data + reader.end().data).split(b"\n\n"):
            assert not line or orjson.loads(line[6:])["object"] == "chat.completion.chunk"
        return reader.completion()

    assert isinstance(outcome_of(read), Completion | GatewayError)


MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool"])},
    optional=dict.fromkeys(("content", "tool_calls", "name", "refusal", "tool_call_id"), JSON),
)


@given(st.lists(MESSAGE, min_size=1, max_size=4))
def test_any_conversation_is_translated_or_refused(messages: list[JsonValue]) -> None:
    found = outcome_of(lambda: render_messages(call_of({"model": "model", "messages": messages})))
    assert isinstance(found, bytes | InvalidRequestError)


def test_arguments_nested_too_deeply_are_an_error_both_ways() -> None:
    content = b'{"content":[{"type":"tool_use","id":"t","name":"f","input":{"a":' + DEEP + b"}}]}"
    with pytest.raises(UpstreamInvalidError, match="nested too deeply"):
        read_message(CALLS[0], content, 1)
    call: JsonObject = {"id": "t", "function": {"name": "f", "arguments": f'{{"a":{DEEP.decode()}}}'}}
    messages: list[JsonValue] = [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "t", "content": "x"},
    ]
    with pytest.raises(InvalidRequestError) as raised:
        render_messages(call_of({"model": "model", "messages": messages}))
    assert raised.value.param == "messages[0].tool_calls[0].function.arguments"
