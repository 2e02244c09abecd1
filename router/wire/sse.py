"""Server-sent events: cut a byte stream into whole events, and write our own.

Source: the WHATWG's server-sent events. Only `data:` matters to the APIs that we speak, and that an
event is named `error`.
"""

from router.errors import UpstreamInvalidError

EVENT_BYTES_MAX = 8 * 1024 * 1024
DONE = b"data: [DONE]\n\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventCutter:
    """Collects bytes and gives back whole events, each with its closing blank line.

    Line ends become line feeds, however they were written and wherever a read cut them.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._held_return = False
        self._begun = False

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes; return the events that are complete now. Raises UpstreamInvalidError for one too large."""
        if self._held_return or b"\r" in data:
            data = self._with_line_feeds(data)
        rest = self._rest
        if rest:
            searched = len(rest) - 1
            rest += data
            if rest.find(b"\n\n", searched) < 0:
                return self._within_limit([])
            data = bytes(rest)
            rest.clear()
        parts = data.split(b"\n\n")
        rest += parts.pop()
        if not self._begun and parts:
            self._begun = True
            parts[0] = parts[0].removeprefix(_BYTE_ORDER_MARK)
        return self._within_limit([part.lstrip(b"\n") + b"\n\n" for part in parts if part.strip()])

    def end(self) -> list[bytes]:
        """The event that the stream's end left without its blank line: none, or one."""
        rest = bytes(self._rest)
        self._rest.clear()
        return [rest.strip(b"\n") + b"\n\n"] if rest.strip() else []

    def _with_line_feeds(self, data: bytes) -> bytes:
        if self._held_return:
            data = b"\r" + data
        self._held_return = data.endswith(b"\r")  # its line feed may come with the next read
        if self._held_return:
            data = data[:-1]
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _within_limit(self, events: list[bytes]) -> list[bytes]:
        if len(self._rest) > EVENT_BYTES_MAX or any(len(event) > EVENT_BYTES_MAX for event in events):
            raise UpstreamInvalidError(
                f"the provider sent an event larger than {EVENT_BYTES_MAX >> 20} MiB", billable=True
            )
        return events


def is_one_line(event: bytes) -> bool:
    """Whether an event is one `data:` line and nothing else, as all but odd ones are."""
    return event.startswith(b"data:") and event.count(b"\n") == 2


def payload_of(event: bytes) -> bytes:
    """The data of an event, its lines joined; b"" for a comment or another field."""
    if is_one_line(event):
        return event[5:].strip()
    return b"\n".join(line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:"))


def names_an_error(event: bytes) -> bool:
    """Whether an event's own name says that it is an error."""
    return any(line.startswith(b"event:") and line[6:].strip() == b"error" for line in event.split(b"\n"))


def event_of(payload: bytes) -> bytes:
    """Write one event."""
    return b"data: " + payload + b"\n\n"
