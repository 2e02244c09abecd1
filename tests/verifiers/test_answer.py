"""The strict JSON reader must agree with Python's, and say where each value stands."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.answer import DEPTH_MAX, LEAVES_MAX, PATH_CHARS_MAX, Leaf, NotJsonError, read_answer
from verifiers.json_types import JsonValue

keys = st.text(st.characters(exclude_characters=".[]"), min_size=1, max_size=6)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
layouts = st.sampled_from([{}, {"ensure_ascii": False}, {"indent": 2}, {"separators": (",", ":")}])


def refuse(name: str) -> None:
    """NaN and the infinities are no JSON, though Python's reader takes them."""
    raise ValueError(name)


def leaves_of(value: JsonValue, path: str = "") -> list[tuple[str, Leaf]]:
    if isinstance(value, dict):
        return [
            leaf
            for key, inner in value.items()
            for leaf in leaves_of(inner, f"{path}.{key}" if path else key)
        ]
    if isinstance(value, list):
        return [leaf for index, inner in enumerate(value) for leaf in leaves_of(inner, f"{path}[{index}]")]
    return [(path, value)]


@given(value=json_values, layout=layouts)
def test_it_finds_the_leaves_that_json_finds(value: JsonValue, layout: dict[str, object]) -> None:
    text = json.dumps(value, **layout)  # type: ignore[arg-type]  # a table of keyword arguments

    answer = read_answer(text)

    assert [(leaf.path, leaf.value) for leaf in answer.leaves] == leaves_of(value)
    assert answer.duplicate_keys == ()


@given(value=json_values, layout=layouts)
def test_the_span_of_a_leaf_reads_as_its_value(value: JsonValue, layout: dict[str, object]) -> None:
    text = json.dumps(value, **layout)  # type: ignore[arg-type]  # a table of keyword arguments

    for leaf in read_answer(text).leaves:
        assert json.loads(text[leaf.start : leaf.end]) == leaf.value
        assert leaf.raw == text[leaf.start : leaf.end]


@given(text=st.text(alphabet='{}[]",:0123-.eE \ntruefalsn\\ud8', max_size=30))
def test_it_accepts_exactly_what_json_accepts(text: str) -> None:
    try:
        expected: JsonValue = json.loads(text, parse_constant=refuse)
    except ValueError:
        with pytest.raises(NotJsonError):
            read_answer(text)
    else:
        assert dict(leaves_of(expected)) == {leaf.path: leaf.value for leaf in read_answer(text).leaves}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("NaN", id="NaN"),
        pytest.param("-Infinity", id="infinity"),
        pytest.param('{"a": 01}', id="leading zero"),
        pytest.param('{"a": 1,}', id="trailing comma"),
        pytest.param('{"a" 1}', id="no colon"),
        pytest.param("{'a': 1}", id="single quotes"),
        pytest.param('{"a": 1} thanks', id="words after it"),
        pytest.param("```json\n{}\n```", id="fenced"),
        pytest.param('{"a": "b', id="cut in a string"),
        pytest.param('["a', id="cut in an array"),
        pytest.param('"line\nbreak"', id="control character"),
        pytest.param("[" * 100_000, id="100,000 brackets"),
        pytest.param('{"a":' * (DEPTH_MAX + 2) + "1" + "}" * (DEPTH_MAX + 2), id="too deep"),
        pytest.param("1" * 65, id="endless number"),
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(NotJsonError):
        read_answer(text)


def test_a_key_that_stands_twice_is_remembered() -> None:
    answer = read_answer('{"total": 1, "items": [{"a": 1, "a": 2}], "total": 2}')

    assert answer.duplicate_keys == ("items[0].a", "total")


def test_a_lone_surrogate_is_read_as_python_reads_it() -> None:
    assert read_answer('["\\ud800"]').leaves[0].value == "\ud800"


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        pytest.param("1.234", {Decimal("1.234")}, id="a number means itself"),
        pytest.param("1e2", {Decimal(100)}, id="exponent"),
        pytest.param("-5", {Decimal(-5)}, id="negative"),
        pytest.param('"1.234"', {Decimal("1.234"), Decimal(1234)}, id="a text has two readings"),
        pytest.param("true", set(), id="a truth value is no amount"),
        pytest.param("null", set(), id="nor is nothing"),
    ],
)
def test_a_leaf_knows_the_amounts_that_it_may_mean(text: str, amounts: set[Decimal]) -> None:
    assert read_answer(text).leaves[0].amounts == amounts


@pytest.mark.parametrize("item", ["1", '"a"', "[]", "{}"])
def test_only_the_first_leaves_of_a_large_answer_are_read(item: str) -> None:
    whole = read_answer(f"[{','.join([item] * LEAVES_MAX)}]")
    cut = read_answer(f"[{','.join([item] * 100_000)}]")

    assert whole.is_whole
    assert not cut.is_whole
    assert len(cut.leaves) + len(cut.empty_arrays) + len(cut.empty_objects) == LEAVES_MAX


def test_what_is_empty_is_remembered_by_its_path() -> None:
    answer = read_answer('{"a": [], "b": {"c": {}}, "d": [[]]}')

    assert (answer.empty_arrays, answer.empty_objects) == (("a", "d[0]"), ("b.c",))


def test_a_path_has_a_bound() -> None:
    with pytest.raises(NotJsonError, match="path"):
        read_answer(json.dumps({"x" * (PATH_CHARS_MAX + 1): 1}))
