"""What a caller declares: in the body or in headers, the stricter of two labels, and words alone."""

import orjson
import pytest

from policies.facts import Label
from router.errors import InvalidRequestError
from router.wire.chat_request import read_chat_request
from support.calls import chat


@pytest.mark.parametrize(
    ("in_body", "in_header", "expected"),
    [
        (None, b"public", "public"),
        ("public", b"confidential", "confidential"),
        ("confidential", b"public", "confidential"),
    ],
)
def test_of_two_labels_the_stricter_counts(in_body: str | None, in_header: bytes, expected: str) -> None:
    body = chat({"steelyard": {"label": in_body}} if in_body else {})
    request = read_chat_request(orjson.dumps(body), {b"x-steelyard-label": in_header})
    assert request.declared.label == Label(expected)


@pytest.mark.parametrize("name", [b"x-steelyard-task", b"x-steelyard-purpose", b"x-steelyard-conversation"])
@pytest.mark.parametrize("value", [b"", b"x" * 129, b"a\tb", b"\x01"])
def test_a_header_that_is_no_word_is_refused_by_its_name(name: bytes, value: bytes) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_chat_request(orjson.dumps(chat()), {name: value})
    assert refused.value.param == name.decode()
