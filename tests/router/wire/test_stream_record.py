"""A long stream is kept as text, not as bytes, and none of it is lost."""

import orjson
import pytest

from router.catalog import SchemaMode
from router.wire import stream_record
from router.wire.sse import event_of
from router.wire.stream_record import StreamRecord
from support.calls import SCHEMA_FORMAT, asking, call_of, chat


@pytest.mark.parametrize("limit", [0, 500, 1_000_000])
def test_nothing_is_lost_however_long_the_stream(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(stream_record, "UNREAD_BYTES_MAX", limit)
    record = StreamRecord(call_of(chat(SCHEMA_FORMAT), asking(SchemaMode.JSON_SCHEMA, logprobs=True)))
    for number in range(100):
        logprobs = {"content": [{"token": str(number), "logprob": -1}]}
        choice = {"index": 0, "delta": {"content": f"{number},"}, "logprobs": logprobs}
        record.add(event_of(orjson.dumps({"choices": [choice]})))
    text = "".join(f"{number}," for number in range(100))
    assert record.everything() == text
    assert record.answer() == text
    assert [token.text for token in record.tokens()] == [str(number) for number in range(100)]


def test_what_is_no_chunk_is_passed_over() -> None:
    record = StreamRecord(call_of())
    for event in (b"data: {\n\n", b"data: 1\n\n", b": x\n\n", b'data: {"choices": 1}\n\n'):
        record.add(event)
    assert record.everything() == ""
