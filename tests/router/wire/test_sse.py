"""Events are cut as the standard says, wherever a read ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import UpstreamInvalidError
from router.wire import sse
from router.wire.sse import EventCutter, event_of, names_an_error, payload_of

STREAMS: dict[str, tuple[bytes, list[bytes]]] = {
    "line feeds": (b"data: 1\n\ndata: 2\n\n", [b"1", b"2"]),
    "carriage returns and line feeds": (b"data: 1\r\n\r\ndata: 2\r\n\r\n", [b"1", b"2"]),
    "carriage returns": (b"data: 1\r\rdata: 2\r\r", [b"1", b"2"]),
    "mixed": (b"data: 1\r\n\ndata: 2\n\r\n", [b"1", b"2"]),
    "no space": (b"data:1\n\n", [b"1"]),
    "several lines of data": (b"data: {\ndata: }\n\n", [b"{\n}"]),
    "other fields": (b"event: message\nid: 7\ndata: 1\nretry: 5\n\n", [b"1"]),
    "a comment alone": (b": keep-alive\n\ndata: 1\n\n", [b"", b"1"]),
    "a comment in an event": (b": note\ndata: 1\n\n", [b"1"]),
    "a byte order mark": (b"\xef\xbb\xbfdata: 1\n\ndata: 2\n\n", [b"1", b"2"]),
    "too many blank lines": (b"\n\ndata: 1\n\n\n\n\ndata: 2\n\n\n", [b"1", b"2"]),
    "the last blank line is missing": (b"data: 1\n\ndata: 2\n", [b"1", b"2"]),
    "the last line is open": (b"data: 1\n\ndata: 2", [b"1", b"2"]),
    "nothing": (b"", []),
    "a name that only begins like data": (b"database: 1\n\n", [b""]),
}


def payloads(pieces: list[bytes]) -> list[bytes]:
    cutter = EventCutter()
    found = [event for piece in pieces for event in cutter.feed(piece)]
    return [payload_of(event) for event in [*found, *cutter.end()]]


@pytest.mark.parametrize(("data", "expected"), STREAMS.values(), ids=STREAMS.keys())
def test_a_stream_is_cut_into_its_events(data: bytes, expected: list[bytes]) -> None:
    assert payloads([data]) == expected


@pytest.mark.parametrize(("data", "expected"), STREAMS.values(), ids=STREAMS.keys())
def test_it_does_not_matter_where_reads_end(data: bytes, expected: list[bytes]) -> None:
    assert payloads([data[at : at + 1] for at in range(len(data))]) == expected
    for at in range(len(data)):
        assert payloads([data[:at], data[at:]]) == expected


@given(
    st.lists(st.binary(max_size=8).filter(lambda text: not set(text) & set(b"\r\n")), max_size=6), st.data()
)
def test_any_payloads_come_back_from_any_reads(texts: list[bytes], data: st.DataObject) -> None:
    end = data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    stream = b"".join(b"data: x" + text + end + end for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert payloads(pieces) == [(b"x" + text).strip() for text in texts]


@pytest.mark.parametrize("closed", [True, False], ids=["whole", "unfinished"])
def test_an_event_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch, *, closed: bool) -> None:
    monkeypatch.setattr(sse, "EVENT_BYTES_MAX", 1_000)
    cutter = EventCutter()
    assert cutter.feed(b"data: " + b"x" * 900 + b"\n\n")
    with pytest.raises(UpstreamInvalidError, match="larger than"):
        cutter.feed(b"data: " + b"x" * 1_000 + (b"\n\n" if closed else b""))


def test_an_event_beyond_the_limit_is_refused_in_small_reads_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "EVENT_BYTES_MAX", 1_000)
    cutter = EventCutter()
    for _ in range(100):
        assert cutter.feed(b"0123456789") == []
    with pytest.raises(UpstreamInvalidError):
        cutter.feed(b"0")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (b"event: error\ndata: {}\n\n", True),
        (b"event:error\ndata: {}\n\n", True),
        (b"event: message\ndata: {}\n\n", False),
        (b'data: "event: error"\n\n', False),
    ],
)
def test_only_the_events_own_name_says_that_it_is_an_error(event: bytes, *, expected: bool) -> None:
    assert names_an_error(event) is expected


def test_what_is_written_can_be_read() -> None:
    assert payload_of(event_of(b'{"a": 1}')) == b'{"a": 1}'
