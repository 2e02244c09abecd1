"""A body that is no JSON object is refused with the place of the fault, and nothing else happens."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import InvalidRequestError
from router.wire.json_body import DEPTH_MAX, read_json_object
from support.calls import outcome_of

REFUSED: dict[str, tuple[bytes, str, str, str | None]] = {
    "empty": (b"  ", "invalid_request", "empty", None),
    "text": (b"hello", "invalid_json", "not JSON at line 1 column 1", None),
    "cut off": (b'{"a": 1', "invalid_json", "not JSON at line 1", None),
    "a list": (b"[1]", "invalid_request", "must be a JSON object", None),
    "a number": (b"1", "invalid_request", "must be a JSON object", None),
    "not a number": (b'{"a": NaN}', "invalid_json", "not JSON", None),
    "infinity": (b'{"a": -Infinity}', "invalid_json", "not JSON", None),
    "too great a number": (b'{\n"a": 1e400}', "invalid_json", "beyond a double's range at line 2", None),
    "too many digits": (b'{"a": ' + b"9" * 5_000 + b"}", "invalid_json", "beyond a double's range", None),
    "bytes that are no UTF-8": (b'{"a": "\xff"}', "invalid_json", "UTF-8", None),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "invalid_json", "UTF-8", None),
    "a comma too many": (b'{"a": 1,}', "invalid_json", "not JSON", None),
    "half a character": (b'{"a": [{"b": "\\ud800"}]}', "invalid_unicode", "a\\[0\\].b", "a[0].b"),
    "half a character in a key": (b'{"\\udfff": 1}', "invalid_unicode", "a string", None),
    "deep lists": (b'{"a": ' + b"[" * 1_000 + b"]" * 1_000 + b"}", "too_deep", "nested deeper", None),
    "deeper than is read": (b"[" * 100_000, "too_deep", "nested deeper", None),
    "deep objects": (b'{"a":' * 300 + b"1" + b"}" * 300, "too_deep", "nested deeper", None),
}


@pytest.mark.parametrize(("body", "code", "words", "param"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_read_is_refused_by_place(
    body: bytes, code: str, words: str, param: str | None
) -> None:
    with pytest.raises(InvalidRequestError, match=words) as refused:
        read_json_object(body)
    assert (refused.value.code, refused.value.param) == (code, param)


def test_of_a_key_written_twice_the_last_value_counts() -> None:
    assert read_json_object(b'{"a": 1, "a": 2}') == {"a": 2}


def test_what_is_as_deep_as_allowed_can_be_written_again_deeper() -> None:
    body = read_json_object(b'{"a":' + b"[" * (DEPTH_MAX - 1) + b"]" * (DEPTH_MAX - 1) + b"}")
    assert orjson.dumps({"tools": [{"function": {"parameters": {"x": [body]}}}]})


def test_many_brackets_that_are_not_deep_are_no_fault() -> None:
    assert read_json_object(b'{"a": [' + b"[],{}," * 500 + b'"[[[["]}')


@given(st.binary(max_size=40))
def test_any_bytes_are_an_object_or_refused(body: bytes) -> None:
    assert isinstance(outcome_of(lambda: read_json_object(body)), (dict, InvalidRequestError))
