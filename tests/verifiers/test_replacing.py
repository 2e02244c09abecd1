"""New values stand in an answer's text, and every other byte of it is as it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.answer import read_answer
from verifiers.auditor import AskedField
from verifiers.replacing import replaced


def put(text: str, **values: str) -> str:
    """Replace the values of these fields; those that are not there are added."""
    leaves = {leaf.path: leaf for leaf in read_answer(text).leaves}
    return replaced(text, [(AskedField(path, path, leaves.get(path)), raw) for path, raw in values.items()])


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        pytest.param('{"a": 1, "b": 2}', {}, '{"a": 1, "b": 2}', id="nothing"),
        pytest.param('{"a":1,\n\t"b" : 2 }\n', {"b": "30"}, '{"a":1,\n\t"b" : 30 }\n', id="one"),
        pytest.param(
            '{"a": 1, "b": 2}', {"b": "20000", "a": '"x"'}, '{"a": "x", "b": 20000}', id="longer and shorter"
        ),
        pytest.param('{"合": "é", "b": "\\u00e9"}', {"b": '"e"'}, '{"合": "é", "b": "e"}', id="no ASCII"),
        pytest.param('{"a": 1}', {"b": "2"}, '{"a": 1, "b": 2}', id="one that was left out"),
        pytest.param('{"a": 1 }\n', {"b": "2", "c": "3"}, '{"a": 1, "b": 2, "c": 3}', id="two of them"),
        pytest.param("{}", {"b": "2"}, '{"b": 2}', id="where nothing was"),
        pytest.param(" {\n} ", {"b": "2", "c": "3"}, ' {"b": 2, "c": 3}', id="where only a space was"),
        pytest.param('{"a": {}}', {"b": "2"}, '{"a": {}, "b": 2}', id="behind an empty object"),
        pytest.param('{"a": 1}', {"a": "7", "b": "2"}, '{"a": 7, "b": 2}', id="one of each"),
        pytest.param('{"a": 1}', {'q"\\': "2"}, '{"a": 1, "q\\"\\\\": 2}', id="a name with signs"),
    ],
)
def test_values_take_the_places_of_the_old_ones(text: str, values: dict[str, str], expected: str) -> None:
    assert put(text, **values) == expected


values = st.none() | st.integers() | st.text(max_size=9)


@given(
    answer=st.dictionaries(st.sampled_from("abcdef"), values, min_size=1),
    changes=st.dictionaries(st.sampled_from("abcdefgh"), values),
    indent=st.none() | st.integers(0, 3),
)
def test_what_is_read_again_is_the_answer_with_the_changes(
    answer: dict[str, object], changes: dict[str, object], indent: int | None
) -> None:
    raw = {name: json.dumps(value) for name, value in changes.items()}
    assert json.loads(put(json.dumps(answer, indent=indent), **raw)) == {**answer, **changes}
