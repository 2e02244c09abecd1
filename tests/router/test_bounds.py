"""The byte bound must hold against every tokenizer and template that can be had."""

import json
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.bounds import TOKENS_PER_REQUEST, PromptBound, prompt_tokens_bound, tool_arguments, utf8_length
from router.errors import InvalidRequestError
from router.image_tokens import IMAGE_TOKENS_DEAREST
from router.json_types import JsonObject, JsonValue
from support.vocabularies import ENCODINGS, vocabulary

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "deepseek_prompt_tokens.json").read_text())[
    "cases"
]

texts = st.text(max_size=200)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
conversations = st.lists(
    st.tuples(st.sampled_from(["system", "user", "assistant"]), texts), min_size=1, max_size=6
)


def said(turns: list[tuple[str, str]]) -> JsonValue:
    return [{"role": role, "content": text} for role, text in turns]


def text_bound(messages: JsonValue, tools: JsonValue = None, schema: JsonValue = None) -> int:
    return prompt_tokens_bound(messages, tools, schema).text_tokens


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=texts)
@settings(max_examples=100)
def test_no_text_has_more_tokens_than_bytes(encoding: str, text: str) -> None:
    assert vocabulary(encoding)(text) <= utf8_length(text)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(turns=conversations)
@settings(max_examples=60)
def test_a_chatml_prompt_stays_within_its_bound(encoding: str, turns: list[tuple[str, str]]) -> None:
    # Written out, <|im_start|> costs six tokens instead of one: harder than any real template.
    rendered = (
        "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in turns) + "<|im_start|>assistant\n"
    )
    assert vocabulary(encoding)(rendered) <= text_bound(said(turns))


@pytest.mark.parametrize(
    "style", [{}, {"ensure_ascii": False}, {"indent": 4}], ids=["escaped", "spaced", "indented"]
)
@pytest.mark.parametrize("encoding", ENCODINGS)
@given(value=json_values)
@settings(max_examples=60)
def test_a_schema_stays_within_its_bound_however_a_template_writes_it(
    encoding: str, style: dict[str, bool], value: JsonValue
) -> None:
    rendered = json.dumps(value, **style)  # type: ignore[arg-type]  # the keyword arguments differ in type
    bound = text_bound([], schema=value) - TOKENS_PER_REQUEST
    assert value is None or vocabulary(encoding)(rendered) <= bound


@pytest.mark.parametrize("case", VECTORS.values(), ids=VECTORS.keys())
def test_deepseeks_own_encoder_stays_within_the_bound(case: dict[str, JsonValue]) -> None:
    request = case["request"]
    assert isinstance(request, dict)
    bound = text_bound(request["messages"], request.get("tools"), schema_of(request))
    assert max(orjson.loads(orjson.dumps([case["v4"], case["v4_1"]]))) <= bound


def schema_of(request: JsonObject) -> JsonValue:
    wanted = request.get("response_format")
    asked = wanted.get("json_schema") if isinstance(wanted, dict) else None
    return asked.get("schema") if isinstance(asked, dict) else None


def test_a_small_request_is_bounded_by_its_bytes_and_constants() -> None:
    # 160 for the request, 16 for the message, "user", "hi"
    assert prompt_tokens_bound([{"role": "user", "content": "hi"}], None, None) == PromptBound(182, 0, 0)


def test_a_longer_text_is_bounded_by_just_so_many_bytes_more() -> None:
    short = text_bound([{"role": "user", "content": ""}])
    assert text_bound([{"role": "user", "content": "é" * 1_000_000}]) == short + 2_000_000


def test_every_string_of_a_message_counts() -> None:
    plain = text_bound([{"role": "assistant", "content": "a"}])
    named = text_bound([{"role": "assistant", "content": "a", "name": "bob", "reasoning_content": "hm"}])
    assert named == plain + 5


def test_tools_count_with_their_json() -> None:
    tool: JsonObject = {"type": "function", "function": {"name": "f", "parameters": {}}}
    one, two = text_bound([], [tool]), text_bound([], [tool, {**tool, "note": "x" * 100}])
    assert one > text_bound([]) + len(orjson.dumps(tool))
    assert two > one + 100
    assert text_bound([], []) == text_bound([])


@pytest.mark.parametrize(
    ("arguments", "count"),
    [("{}", 0), ('{"a": 1, "b": {"c": 2}}', 2), ('{"a": 1, "b', 1), ("[1]", 1), ("", 0)],
    ids=["none", "two", "cut-off", "no-object", "empty"],
)
def test_the_arguments_of_past_tool_calls_are_numbered(arguments: str, count: int) -> None:
    call: JsonObject = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    assert tool_arguments([call, call]) == 2 * count
    assert tool_arguments({"name": "f", "arguments": arguments}) == count


def test_an_image_counts_by_the_table_and_not_by_its_bytes() -> None:
    image: JsonObject = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    bound = prompt_tokens_bound(
        [{"role": "user", "content": [{"type": "text", "text": "look"}, image, image]}], None, None
    )
    assert (bound.images, bound.image_tokens) == (2, 2 * IMAGE_TOKENS_DEAREST)
    assert bound.text_tokens < 300


@pytest.mark.parametrize(
    ("message", "place"),
    [
        (
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]},
            "messages[0].content[0].type",
        ),
        ({"role": "user", "content": [{"type": "file", "file": {}}]}, "messages[0].content[0].type"),
        ({"role": "user", "content": [{"no": "type"}]}, "messages[0].content[0].type"),
        ({"role": "assistant", "content": "a", "audio": {"id": "audio_1"}}, "messages[0].audio"),
    ],
    ids=["audio", "file", "no-type", "earlier-audio"],
)
def test_what_has_no_bound_is_refused_by_its_place(message: JsonObject, place: str) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be bounded") as refused:
        prompt_tokens_bound([message], None, None)
    assert refused.value.param == place


def test_tools_nested_too_deeply_are_refused() -> None:
    tool: JsonValue = {}
    for _ in range(300):
        tool = {"a": tool}
    with pytest.raises(InvalidRequestError, match="nest it less deeply"):
        prompt_tokens_bound([], [tool], None)


@pytest.mark.parametrize("messages", [None, "text", 7, [None, 1, "x"], [{"content": None}]], ids=str)
def test_nonsense_is_bounded_and_left_for_others_to_refuse(messages: JsonValue) -> None:
    assert text_bound(messages) >= TOKENS_PER_REQUEST


def test_half_a_surrogate_pair_has_a_length() -> None:
    assert utf8_length("a\ud800") == 4
