"""Anthropic's usage, as disjoint classes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.usage import Usage
from router.json_types import JsonObject, JsonValue
from router.wire.anthropic_usage import joined_usage, read_message_usage
from router.wire.openai_usage import read_usage, usage_object

COUNT = st.integers(0, 10**6)
READ: dict[str, tuple[JsonValue, Usage | None]] = {
    "the least": ({"input_tokens": 3, "output_tokens": 2}, Usage(input_uncached=3, output_text=2)),
    "nothing said": ({"input_tokens": 3, "output_tokens": 0}, Usage(input_uncached=3)),
    "all from a cache": ({"input_tokens": 0, "cache_read_input_tokens": 9, "output_tokens": 1}, Usage(cache_read=9, output_text=1)),
    "written, no lifetime told": ({"input_tokens": 1, "cache_creation_input_tokens": 5, "output_tokens": 1}, Usage(input_uncached=1, cache_write_5m=5, output_text=1)),
    "written, by lifetime": (
        {"input_tokens": 1, "cache_creation_input_tokens": 5, "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3}, "output_tokens": 1},
        Usage(input_uncached=1, cache_write_5m=2, cache_write_1h=3, output_text=1),
    ),
    "written, by lifetime alone": ({"input_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 3}, "output_tokens": 1}, Usage(input_uncached=1, cache_write_1h=3, output_text=1)),
    "thoughts": ({"input_tokens": 1, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}, Usage(input_uncached=1, output_text=5, output_reasoning=4)),
    "nulls": ({"input_tokens": 1, "output_tokens": 9, "cache_read_input_tokens": None, "cache_creation_input_tokens": None, "cache_creation": None, "output_tokens_details": None}, Usage(input_uncached=1, output_text=9)),
    "parts that are not the whole": ({"input_tokens": 1, "cache_creation_input_tokens": 6, "cache_creation": {"ephemeral_5m_input_tokens": 2}, "output_tokens": 1}, None),
    "more thoughts than output": ({"input_tokens": 1, "output_tokens": 3, "output_tokens_details": {"thinking_tokens": 4}}, None),
    "no prompt": ({"input_tokens": 0, "output_tokens": 3}, None),
    "no output told": ({"input_tokens": 3}, None),
    "below zero": ({"input_tokens": -3, "output_tokens": 3}, None),
    "a switch for a number": ({"input_tokens": True, "output_tokens": 3}, None),
    "absent": (None, None),
    "a list": ([], None),
}  # fmt: skip


@pytest.mark.parametrize(("told", "read"), READ.values(), ids=READ.keys())
def test_usage_is_read_as_disjoint_classes_or_not_at_all(told: JsonValue, read: Usage | None) -> None:
    assert read_message_usage(told) == read


def test_what_a_stream_tells_later_replaces_what_it_told_before() -> None:
    begun: JsonObject = {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 1}
    ended: JsonObject = {"output_tokens": 25, "input_tokens": 10, "cache_read_input_tokens": None}
    joined = joined_usage(joined_usage(begun, {"output_tokens": 12}), ended)
    assert read_message_usage(joined) == Usage(input_uncached=10, cache_read=4, output_text=25)


@given(COUNT, COUNT, COUNT, COUNT, COUNT)
def test_openais_reader_finds_the_same_tokens_in_what_we_write(
    fresh: int, read: int, written: int, text: int, thoughts: int
) -> None:
    usage = Usage(
        input_uncached=fresh + 1, cache_read=read, cache_write_5m=written, output_text=text, output_reasoning=thoughts
    )  # fmt: skip
    assert read_usage(usage_object(usage)) == usage
