"""A provider's stream: what the caller sees, what is held back, and what is known at its end.

A server may write JSON as it likes, and a read may end anywhere: every table here is also run byte
by byte, and hypothesis writes the streams of which nobody thought.
"""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.usage import Usage
from router.call import Call
from router.catalog import SchemaMode
from router.errors import UpstreamError, UpstreamInvalidError
from router.json_types import JsonObject, JsonValue
from router.wire.sse import EventCutter, payload_of
from router.wire.upstream_stream import StreamReader
from support.calls import FORCED_TOOL, SCHEMA_FORMAT, asking, call_of, chat
from verifiers.tokens import TokenLogprob

USAGE: JsonObject = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
READ = Usage(input_uncached=10, output_text=4)
DONE = b"data: [DONE]\n\n"
ASKED: JsonObject = {"stream": True, "stream_options": {"include_usage": True}}
NOT_ASKED: JsonObject = {"stream": True}

SPACINGS = {
    "compact": (",", ":"),
    "python's": (", ", ": "),
    "wide": (" , ", " : "),
    "with tabs": (",\t", "\t:\t"),
}


def chunk(delta: JsonObject | None = None, finish: str | None = None, **more: JsonValue) -> JsonObject:
    choice: JsonObject = {"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": finish}
    return {"id": "c-1", "object": "chat.completion.chunk", "model": "served", "choices": [choice], **more}


def usage_chunk(usage: JsonObject) -> JsonObject:
    return {**chunk(), "choices": [], "usage": usage}


def stream_of(*chunks: JsonObject, spacing: tuple[str, str] = (",", ":"), done: bool = True) -> bytes:
    events = (f"data: {json.dumps(each, separators=spacing)}\n\n".encode() for each in chunks)
    return b"".join(events) + (DONE if done else b"")


class Seen:
    """A reader fed with a stream, and what came of it."""

    def __init__(self, data: bytes, call: Call | None = None, *, bytewise: bool = False) -> None:
        self.reader = StreamReader(call or call_of(chat(NOT_ASKED)))
        pieces = [data[at : at + 1] for at in range(len(data))] if bytewise else [data]
        self.raw = b"".join(self.reader.feed(piece).data for piece in pieces) + self.reader.end().data
        self.completion = self.reader.completion()

    @property
    def chunks(self) -> list[JsonObject]:
        """What the caller gets, parsed."""
        cutter = EventCutter()
        return [orjson.loads(payload_of(event)) for event in cutter.feed(self.raw)]

    @property
    def text(self) -> str:
        """The content that the caller gets."""
        deltas = [each["choices"][0]["delta"] for each in self.chunks if each["choices"]]  # type: ignore[index, call-overload]  # a test's own shape
        return "".join(delta.get("content") or "" for delta in deltas)  # type: ignore[union-attr, misc]  # as above


HELLO = (chunk({"role": "assistant", "content": ""}), chunk({"content": "Hel"}), chunk({"content": "lo"}))
ENDINGS: dict[str, tuple[JsonObject, ...]] = {
    "OpenAI: a chunk of its own": (chunk(finish="stop"), usage_chunk(USAGE)),
    "DeepSeek: on the last chunk": (chunk(finish="stop", usage=USAGE),),
    "on the last chunk and in one of its own": (chunk(finish="stop", usage=USAGE), usage_chunk(USAGE)),
    "in two chunks of its own": (chunk(finish="stop"), usage_chunk(USAGE), usage_chunk(USAGE)),
    "before the finish reason": (usage_chunk(USAGE), chunk(finish="stop")),
    "no choices at all": (chunk(finish="stop"), {"id": "c-1", "usage": USAGE}),
    "then nonsense": (chunk(finish="stop", usage=USAGE), usage_chunk({})),
}


@pytest.mark.parametrize("bytewise", [False, True], ids=["at once", "bytewise"])
@pytest.mark.parametrize("spacing", SPACINGS.values(), ids=SPACINGS.keys())
@pytest.mark.parametrize("asked", [True, False], ids=["asked", "not asked"])
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_usage_is_counted_once_and_kept_for_one_last_event(
    ending: tuple[JsonObject, ...], *, asked: bool, spacing: tuple[str, str], bytewise: bool
) -> None:
    data = stream_of(*HELLO, *ending, spacing=spacing)
    seen = Seen(data, call_of(chat(ASKED if asked else NOT_ASKED)), bytewise=bytewise)
    assert seen.completion.usage == READ
    assert seen.text == "Hello"
    assert all(not each.get("usage") for each in seen.chunks)
    assert all(each["choices"] for each in seen.chunks)
    if not asked:
        assert all("usage" not in each for each in seen.chunks)
    event = orjson.loads(seen.completion.usage_event)
    assert event["choices"] == []
    assert event["usage"] == USAGE
    assert event["id"] == "c-1"


@pytest.mark.parametrize("asked", [True, False], ids=["asked", "not asked"])
def test_usage_told_on_every_chunk_counts_the_last_time(*, asked: bool) -> None:
    """vLLM's `continuous_usage_stats`."""
    told: list[JsonObject] = [
        {"prompt_tokens": 10, "completion_tokens": count, "total_tokens": 10 + count} for count in range(5)
    ]
    chunks: list[JsonObject] = [
        {**each, "usage": usage} for each, usage in zip((*HELLO, chunk(finish="stop")), told, strict=False)
    ]
    seen = Seen(stream_of(*chunks, usage_chunk(USAGE)), call_of(chat(ASKED if asked else NOT_ASKED)))
    assert seen.completion.usage == READ
    assert seen.text == "Hello"
    assert [each.get("usage", "absent") for each in seen.chunks] == [None if asked else "absent"] * 4


def test_null_usage_on_every_chunk_is_openais_way_and_passes() -> None:
    chunks = [{**each, "usage": None} for each in (*HELLO, chunk(finish="stop"))]
    data = stream_of(*chunks)
    seen = Seen(data + b"", call_of(chat(ASKED)))
    assert seen.raw == data.removesuffix(DONE)
    assert seen.completion.usage is None
    assert seen.completion.usage_event == b""


TRICKY = [
    '"usage":{"prompt_tokens":1}', '{"usage": {}}', "[DONE]", "data: [DONE]\n\n", '"finish_reason":"stop"',
    '"error"', '{"error":{"code":1}}', "\\", '\\"', "a\\", '"', "\u2028\x00\ud83c\udf89", "usage", "content",
    'x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}',
]  # fmt: skip


@pytest.mark.parametrize("spacing", SPACINGS.values(), ids=SPACINGS.keys())
@pytest.mark.parametrize("text", TRICKY)
def test_a_content_that_looks_like_the_formats_own_words_passes_untouched(
    text: str, spacing: tuple[str, str]
) -> None:
    texts = [text, "plain", text, text]
    chunks = [chunk({"content": each}) for each in texts]
    data = stream_of(*chunks, chunk(finish="length"), spacing=spacing)
    seen = Seen(data)
    assert seen.raw == data.removesuffix(DONE), "byte for byte"
    assert seen.completion.finish_reason == "length"
    assert seen.completion.usage is None
    assert seen.reader.received_text() == "".join(texts).encode("utf-16", "surrogatepass").decode("utf-16")


FIRST: dict[str, tuple[JsonObject, bool]] = {
    "a role": ({"role": "assistant"}, False),
    "a role and an empty content": ({"role": "assistant", "content": ""}, False),
    "null": ({"content": None, "reasoning_content": None, "tool_calls": None}, False),
    "content": ({"content": "x"}, True),
    "thoughts": ({"reasoning_content": "x"}, True),
    "thoughts as vLLM calls them": ({"reasoning": "x"}, True),
    "a tool's name": ({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": ""}}]}, True),
    "a refusal": ({"refusal": "no"}, True),
}


@pytest.mark.parametrize("spacing", SPACINGS.values(), ids=SPACINGS.keys())
@pytest.mark.parametrize(("delta", "expected"), FIRST.values(), ids=FIRST.keys())
def test_the_first_token_is_the_first_that_was_generated(
    delta: JsonObject, spacing: tuple[str, str], *, expected: bool
) -> None:
    reader = StreamReader(call_of(chat(NOT_ASKED)))
    assert reader.feed(stream_of(chunk(delta), spacing=spacing, done=False)).has_content is expected
    assert reader.feed(stream_of(chunk({"content": "y"}), spacing=spacing)).has_content


def test_a_rewritten_streams_first_token_is_found_too() -> None:
    reader = StreamReader(call_of(chat({**SCHEMA_FORMAT, **NOT_ASKED}), asking(SchemaMode.TOOL)))
    assert not reader.feed(stream_of(chunk({"role": "assistant", "content": None}), done=False)).has_content
    call: JsonObject = {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}
    assert reader.feed(stream_of(chunk(call), done=False)).has_content


ODD: dict[str, bytes] = {
    "comments": b": hi\n\n: OPENROUTER PROCESSING\n\ndata: %b\n\n:x\ndata: %b\n\ndata: [DONE]\n\n",
    "named events": b"event: message\ndata: %b\n\nevent: chunk\nid: 4\ndata: %b\n\ndata: [DONE]\n\n",
    "fields alone": b"retry: 1000\n\ndata: %b\n\nid: 1\n\ndata: %b\n\ndata: [DONE]\n\n",
    "no spaces": b"data:%b\n\ndata:%b\n\ndata:[DONE]\n\n",
    "a byte order mark": b"\xef\xbb\xbfdata: %b\n\ndata: %b\n\ndata: [DONE]\n\n",
    "returns": b"data: %b\r\n\r\ndata: %b\r\n\r\ndata: [DONE]\r\n\r\n",
    "no end": b"data: %b\n\ndata: %b\n\n",
    "no last blank line": b"data: %b\n\ndata: %b",
    "a done without a blank line": b"data: %b\n\ndata: %b\n\ndata: [DONE]",
    "more after the end": b"data: %b\n\ndata: %b\n\ndata: [DONE]\n\ndata: {broken\n\n",
}


@pytest.mark.parametrize("bytewise", [False, True], ids=["at once", "bytewise"])
@pytest.mark.parametrize("stream", ODD.values(), ids=ODD.keys())
def test_odd_streams_are_read_and_the_caller_gets_plain_ones(stream: bytes, *, bytewise: bool) -> None:
    first, last = orjson.dumps(chunk({"content": "hi"})), orjson.dumps(chunk(finish="stop"))
    seen = Seen(stream % (first, last), bytewise=bytewise)
    assert seen.text == "hi"
    assert seen.completion.finish_reason == "stop"
    assert seen.raw.replace(b"data:{", b"data: {").rstrip() == b"data: " + first + b"\n\ndata: " + last


def test_data_over_several_lines_becomes_one() -> None:
    pretty = json.dumps(chunk({"content": "hi"}), indent=1).replace("\n", "\ndata: ").encode()
    seen = Seen(b"data: " + pretty + b"\n\n" + stream_of(chunk(finish="stop")))
    assert seen.text == "hi"
    assert seen.raw.count(b"\n") == 4


CUT: dict[str, bytes] = {
    "in the middle": stream_of(*HELLO, done=False),
    "within an event": stream_of(*HELLO, chunk(finish="stop"), done=False)[:-40],
    "at once": b"",
    "after a comment": b": hello\n\n",
    "with an empty finish reason": stream_of(*HELLO, chunk(finish=""), done=False),
}


@pytest.mark.parametrize("data", CUT.values(), ids=CUT.keys())
def test_a_stream_that_was_cut_short_is_said_to_be(data: bytes) -> None:
    with pytest.raises(UpstreamInvalidError) as raised:
        Seen(data)
    assert (raised.value.code, raised.value.billable) == ("upstream_truncated", True)


def test_an_end_without_an_answer_is_none() -> None:
    with pytest.raises(UpstreamInvalidError, match="without an answer"):
        Seen(DONE)


def test_a_usage_event_that_was_cut_off_leaves_the_answer_whole_and_the_usage_unknown() -> None:
    data = stream_of(*HELLO, chunk(finish="stop"), usage_chunk(USAGE), done=False)
    seen = Seen(data[:-20])
    assert seen.text == "Hello"
    assert seen.completion.usage is None


def test_each_of_several_choices_must_end() -> None:
    second: JsonObject = {
        **chunk(),
        "choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": None}],
    }
    last: JsonObject = {**chunk(), "choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]}
    call = call_of(chat({**NOT_ASKED, "n": 2}))
    with pytest.raises(UpstreamInvalidError, match="in the middle"):
        Seen(stream_of(*HELLO, second, chunk(finish="stop"), done=False), call)
    seen = Seen(stream_of(*HELLO, second, last, chunk(finish="stop"), done=False), call)
    assert seen.completion.finish_reason == "stop", "the first choice's"


BROKEN: dict[str, tuple[bytes, str]] = {
    "an error object": (
        b'data: {"error": {"message": "canary", "code": "overloaded"}}\n\n',
        r"error \(overloaded\)",
    ),
    "a named error": (b'event: error\ndata: {"message": "canary"}\n\n', "with an error"),
    "no json": (b"data: canary\n\n", "not JSON"),
    "cut json": (b'data: {"choices":[{"delta":{"content":"\n\n', "not JSON"),
    "no object": (b"data: [1]\n\n", "no object"),
    "html": (b"data: <html>canary\n\n", "not JSON"),
}


@pytest.mark.parametrize("after", [False, True], ids=["at first", "later"])
@pytest.mark.parametrize(("event", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_stream_that_breaks_is_an_error_that_repeats_nothing(
    event: bytes, words: str, *, after: bool
) -> None:
    reader = StreamReader(call_of(chat(NOT_ASKED)))
    if after:
        reader.feed(stream_of(*HELLO, done=False))
    with pytest.raises(UpstreamError, match=words) as raised:
        reader.feed(event)
    assert "canary" not in raised.value.message
    assert raised.value.billable
    assert reader.received_text() == ("Hello" if after else "")


def test_an_estimate_counts_thoughts_tools_and_every_choice() -> None:
    second: JsonObject = {
        **chunk(),
        "choices": [{"index": 1, "delta": {"content": "two"}, "finish_reason": "stop"}],
    }
    calls: JsonObject = {"tool_calls": [{"index": 1, "function": {"name": "fn", "arguments": "{}"}}]}
    reader = StreamReader(call_of(chat(NOT_ASKED)))
    reader.feed(
        stream_of(chunk({"reasoning_content": "hm"}), chunk({"content": "one"}), chunk(calls), second)
    )
    assert reader.received_text() == "hmonefn{}two"


def test_a_tool_that_stood_for_a_schema_streams_as_content() -> None:
    def part(text: str, index: int = 0) -> JsonObject:
        return {"tool_calls": [{"index": index, "function": {"arguments": text}}]}

    call = call_of(chat({**SCHEMA_FORMAT, **NOT_ASKED}), asking(SchemaMode.TOOL))
    parts = [
        chunk({"role": "assistant", "content": None}),
        *(chunk(part(text)) for text in ('{"total"', ':"1"}')),
    ]
    seen = Seen(stream_of(*parts, chunk(part("{}", 1)), chunk(finish="tool_calls"), usage_chunk(USAGE)), call)
    assert seen.text == '{"total":"1"}'
    assert b"tool_calls" not in seen.raw
    assert (
        orjson.loads(payload_of(seen.raw.split(b"\n\n")[-2] + b"\n\n"))["choices"][0]["finish_reason"]
        == "stop"
    )
    assert seen.completion.text == '{"total":"1"}'
    assert seen.completion.usage == READ


def test_a_forced_tools_text_is_the_first_tools_arguments() -> None:
    parts = [
        chunk({"content": "Let me see."}),
        chunk({"tool_calls": [{"index": 0, "function": {"name": "receipt", "arguments": '{"total":'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"1"}'}}]}),
        chunk({"tool_calls": [{"index": 1, "function": {"name": "receipt", "arguments": '{"total":"2"}'}}]}),
        chunk(finish="tool_calls"),
    ]
    data = stream_of(*parts)
    seen = Seen(data, call_of(chat({**FORCED_TOOL, **NOT_ASKED})))
    assert seen.completion.text == '{"total":"1"}'
    assert seen.raw == data.removesuffix(DONE)


@pytest.mark.parametrize("wanted", [True, False])
def test_logprobs_score_the_answer_and_are_shown_to_who_asked(*, wanted: bool) -> None:
    logprobs: JsonObject = {"content": [{"token": "{", "logprob": -0.25, "bytes": [123], "top_logprobs": []}]}
    spoken = chunk({"content": "{"})
    spoken["choices"] = [{"index": 0, "delta": {"content": "{"}, "logprobs": logprobs, "finish_reason": None}]
    call = call_of(
        chat({**SCHEMA_FORMAT, **NOT_ASKED, "logprobs": wanted}),
        asking(SchemaMode.JSON_SCHEMA, logprobs=True),
    )
    seen = Seen(stream_of(spoken, spoken, chunk(finish="stop")), call)
    assert seen.completion.tokens == (TokenLogprob("{", -0.25),) * 2
    assert (b'"logprob":-0.25' in seen.raw) is wanted


LETTERS = st.text(alphabet='ab"\\{}[]:,\n\u00e9\U0001f389 ', max_size=6)
DELTAS: st.SearchStrategy[JsonObject] = st.one_of(
    st.fixed_dictionaries({"content": LETTERS}),
    st.fixed_dictionaries({"content": st.sampled_from(TRICKY[:6])}),
    st.fixed_dictionaries({"reasoning_content": LETTERS}),
    st.just({}),
)
TOLD = st.one_of(
    st.none(),
    st.builds(
        lambda p, c: {"prompt_tokens": p, "completion_tokens": c}, st.integers(1, 9), st.integers(0, 9)
    ),
)


@given(
    st.lists(st.tuples(DELTAS, TOLD, st.booleans()), max_size=8),
    st.sampled_from(list(SPACINGS.values())),
    st.booleans(),
    st.booleans(),
    st.integers(1, 60),
)
def test_any_stream_shows_its_text_and_hides_its_usage(
    parts: list[tuple[JsonObject, JsonObject | None, bool]],
    spacing: tuple[str, str],
    ascii_only: bool,
    asked: bool,
    step: int,
) -> None:
    chunks: list[JsonObject] = []
    for delta, usage, null in [*parts, ({}, None, False)]:
        each = chunk(delta)
        if usage is not None or null:
            each["usage"] = usage
        chunks.append(dict(reversed(each.items())) if null else each)
    chunks[-1] = chunk(finish="stop")
    data = b"".join(
        f"data: {json.dumps(each, separators=spacing, ensure_ascii=ascii_only)}\n\n".encode()
        for each in chunks
    )
    reader = StreamReader(call_of(chat(ASKED if asked else NOT_ASKED)))
    raw = (
        b"".join(reader.feed(data[at : at + step]).data for at in range(0, len(data), step))
        + reader.end().data
    )
    seen = [orjson.loads(payload_of(event)) for event in EventCutter().feed(raw)]
    assert [each["choices"] for each in seen] == [each["choices"] for each in chunks]
    assert not any(each.get("usage") for each in seen)
    told = [usage for _, usage, _ in parts if usage is not None]
    event = reader.completion().usage_event
    assert (orjson.loads(event)["usage"] if event else None) == (told[-1] if told else None)


@pytest.mark.parametrize("spacing", SPACINGS.values(), ids=SPACINGS.keys())
def test_chunks_that_differ_in_their_content_alone_pass_unparsed(spacing: tuple[str, str]) -> None:
    reader = StreamReader(call_of(chat(NOT_ASKED)))
    reader.feed(stream_of(*HELLO[:2], spacing=spacing, done=False))
    mould = reader._mould
    assert mould is not None
    for text in ("lo", "", " \u4e16", "\\n"):
        assert mould.fits(stream_of(chunk({"content": text}), spacing=spacing, done=False))
    for other in (
        chunk({"content": 'x"y'}),
        chunk({"content": "x"}, "stop"),
        chunk({"content": "x"}, usage=USAGE),
    ):
        assert not mould.fits(stream_of(other, spacing=spacing, done=False))
