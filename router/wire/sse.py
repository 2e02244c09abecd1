"""Server-sent events: cut a byte stream into whole events, and write our own.

Source: the WHATWG's server-sent events. Only `data:` matters to the APIs that we speak.
"""

from router.errors import UpstreamInvalidError

EVENT_BYTES_MAX = 8 * 1024 * 1024
DONE = b"data: [DONE]\n\n"


class EventCutter:
    """Collects bytes and gives back whole events, each with its closing blank line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes; return the events that are complete now."""
        data = self._rest + data if self._rest else data
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        parts = data.split(b"\n\n")
        self._rest = parts.pop()
        if len(self._rest) > EVENT_BYTES_MAX:
            raise UpstreamInvalidError("the provider sent an event larger than 8 MiB", billable=True)
        return [part + b"\n\n" for part in parts if part.strip()]


def payload_of(event: bytes) -> bytes:
    """The data of an event; b"" for a comment or a bare field."""
    if event.startswith(b"data:") and event.count(b"\n") == 2:
        return event[5:].strip()
    lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines)


def event_of(payload: bytes) -> bytes:
    """Write one event."""
    return b"data: " + payload + b"\n\n"
