"""One HTTP/1.1 connection to a provider, used for one exchange after another (RFC 9112).

httptools parses; what stands here is what a parser does not know: deadlines, bounds, a slow reader,
and when a connection can be used again. A whole answer wakes its reader once. One timer belongs to
the connection and not to the exchange: it looks, when it fires, whether anything is overdue, so
that a request in the common case sets none.
"""

import asyncio
import math
import re
import select
import ssl
from collections.abc import Callable
from typing import cast

import httptools

from router.errors import UpstreamTimeoutError
from router.providers.response import Response, broken
from router.providers.target import Target

HEAD_BYTES_MAX = 65_536
_ENDLESS = "its headers have no end"
KEEP_ALIVE_S = 15.0
"""How long a connection may wait for its next request; servers close theirs after 5 to 75 s."""
KEEP_ALIVE_MARGIN_S = 1.0
"""So much earlier than the server says: what we send then must not meet its closing on the way."""
_TIMEOUT = re.compile(rb"timeout=(\d{1,6})\b")
LONG_BODY_BYTES = 65_536
"""A request up to here is gone as soon as it is written; a longer one may take its time."""


class _OutOfOrderError(Exception):
    """What the parser takes and we do not."""


class Connection(asyncio.Protocol):
    """A socket, a parser, and the response that is being read."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        give_back: Callable[["Connection"], None],
        forget: Callable[["Connection"], None],
    ) -> None:
        """`give_back` takes the connection when it can be used again, `forget` notes its end."""
        self._loop = loop
        self._give_back = give_back
        self._forget = forget
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._response: Response | None = None
        self._incoming = select.poll()
        self._headers: dict[bytes, bytes] = {}
        self._head_bytes = 0
        self._bodiless_bytes = 0
        self._has_body = False
        self._told_length = False
        self._told_end = False
        self._keeps_alive = False
        self._keep_alive_s = KEEP_ALIVE_S
        self._timer: asyncio.Handle | None = None
        self._looks_at = math.inf  # uvloop's timer cannot be asked: one that is due at once is none
        self._total_s = 0.0
        self._idle_s = 0.0
        self._deadline = 0.0
        self._heard_at = 0.0
        self._unsent_bytes = 0

    def send(
        self, target: Target, body: bytes | None, total_s: float, deadline: float, idle_s: float
    ) -> Response:
        """Send a request; return its response, whose head is still to come. The connection must be free."""
        transport = self._transport
        if transport is None:
            raise RuntimeError("a request was sent over a connection that has ended")
        response = self._response = Response(
            self._loop, target.name, self.abort, self._resume, self._finish_within
        )
        self._headers, self._head_bytes, self._bodiless_bytes, self._has_body = {}, 0, 0, False
        now = self._loop.time()
        self._total_s, self._idle_s, self._deadline, self._heard_at = total_s, idle_s, deadline, now
        if body is None:
            transport.write(target.head + b"\r\n")
        else:
            head = b"%bcontent-length: %d\r\n\r\n" % (target.head, len(body))
            transport.writelines((head, body))
        is_long = body is not None and len(body) > LONG_BODY_BYTES
        self._unsent_bytes = transport.get_write_buffer_size() if is_long else 0
        self._watch(min(deadline, now + idle_s))
        return response

    @property
    def usable(self) -> bool:
        """Whether a request can be sent."""
        return self._response is None and self._transport is not None and not self._transport.is_closing()

    @property
    def usable_again(self) -> bool:
        """Whether another request can be sent. Asks the socket, too: what has come in while the loop was
        busy is the server's end of the connection, or words that would be taken for the next answer."""
        return self.usable and not self._incoming.poll(0)

    def abort(self) -> None:
        """Break the connection off; whatever is being read fails."""
        if self._transport is not None:
            self._transport.abort()
        self._end("it was broken off")

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own are none by inheritance
        self._incoming.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Bytes from the server."""
        response = self._response
        self._heard_at = self._loop.time()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if response is not None and not response.complete:
                response.fail(broken(response.name, _why(error)))
            self.abort()
            return
        if response is None:
            self.abort()
            return
        if response.status:
            response.wake()
        if response.complete:
            self._complete(response)
        elif self._has_body:
            self._has_body, self._bodiless_bytes = False, 0
            if response.is_full and self._transport is not None:
                self._transport.pause_reading()
                response.paused = True
        else:
            self._bodiless_bytes += len(data)  # of several heads, or of a header or trailer that has no end
            if self._bodiless_bytes > HEAD_BYTES_MAX:
                response.fail(broken(response.name, _ENDLESS))
                self.abort()

    def eof_received(self) -> None:
        """The server has nothing more to say; beneath TLS that counts only if it was said within (RFC 9112, 9.8)."""
        tls = self._transport.get_extra_info("ssl_object") if self._transport is not None else None
        self._told_end = tls is None or _has_ended(tls)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, by the server, by the network or by us."""
        response = self._response
        is_end = exc is None and self._told_end and not self._told_length
        if is_end and response is not None and response.status:
            response.complete = True  # the end of the connection is the end of such an answer
            response.wake()
            self._response = None
        self._end(type(exc).__name__ if exc is not None else "it ended too early")

    # httptools' side

    def on_message_begin(self) -> None:
        """A response begins."""
        if self._response is None or self._response.complete:
            raise _OutOfOrderError("it speaks unasked")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header is whole."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES_MAX:
            raise _OutOfOrderError(_ENDLESS)
        name = name.lower()
        headers = self._headers
        headers[name] = headers[name] + b", " + value if name in headers else value

    def on_headers_complete(self) -> None:
        """The head is whole; one with a status below 200 is followed by another."""
        status = self._parser.get_status_code()
        if status < 100:
            raise _OutOfOrderError("its status is none")
        headers, self._headers = self._headers, {}
        if status < 200 or self._response is None:
            return
        self._told_length = (
            b"content-length" in headers
            or b"chunked" in headers.get(b"transfer-encoding", b"").lower()
            or status in (204, 304)
        )
        told = headers.get(b"keep-alive")
        self._keep_alive_s = KEEP_ALIVE_S if told is None else _kept_alive_s(told)
        self._response.begin(status, headers)

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        if self._response is None or not self._response.status:
            raise _OutOfOrderError("it sent a body before its answer")
        self._has_body = True
        self._response.add(data)

    def on_message_complete(self) -> None:
        """The response is whole."""
        if self._response is not None and self._response.status:
            self._response.complete = True
            # the parser has forgotten it afterwards
            self._keeps_alive = self._parser.should_keep_alive() and self._keep_alive_s > 0

    # our side

    def _complete(self, response: Response) -> None:
        """Go home, if the answer left the connection as it must be."""
        self._response = None
        transport = self._transport
        if transport is None:
            return
        if not self._keeps_alive or transport.get_write_buffer_size():
            self.abort()
            return
        if response.paused:
            self._resume(response)
        self._watch(self._heard_at + self._keep_alive_s)
        self._give_back(self)

    def _finish_within(self, seconds: float) -> None:
        """Let what is left of the answer come, unread, for so long: then the connection can be used again."""
        self._deadline = min(self._deadline, self._loop.time() + seconds)
        self._watch(self._deadline)

    def _resume(self, response: Response) -> None:
        response.paused = False
        self._heard_at = self._loop.time()  # the silence was the reader's, not the server's
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _end(self, why: str) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.fail(broken(response.name, why))
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._looks_at = None, math.inf
        if self._transport is not None:
            self._transport = None
            self._forget(self)

    def _watch(self, at: float) -> None:
        """Look at `at` whether anything is overdue, or earlier."""
        if at >= self._looks_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._looks_at = self._loop.call_at(at, self._look), at

    def _look(self) -> None:
        self._timer, self._looks_at = None, math.inf
        now = self._loop.time()
        response = self._response
        if response is None:
            if now - self._heard_at >= self._keep_alive_s:
                self.abort()
            else:
                self._watch(self._heard_at + self._keep_alive_s)
            return
        if response.paused or self._is_sending():
            self._heard_at = now
        due = min(self._deadline, self._heard_at + self._idle_s)
        if now < due:
            self._watch(due)
            return
        what = (
            f"did not finish in {self._total_s:g} s" if now >= self._deadline else "was silent for too long"
        )
        response.fail(UpstreamTimeoutError(f"{response.name} {what}", billable=True))
        self.abort()

    def _is_sending(self) -> bool:
        """Whether the server has taken more of a long request since the last look, the last of it included."""
        unsent = self._transport.get_write_buffer_size() if self._transport is not None else 0
        before, self._unsent_bytes = self._unsent_bytes, unsent
        return before > 0 and unsent != before


def _kept_alive_s(told: bytes) -> float:
    timeout = _TIMEOUT.search(told)
    return KEEP_ALIVE_S if timeout is None else min(KEEP_ALIVE_S, int(timeout[1]) - KEEP_ALIVE_MARGIN_S)


def _has_ended(tls: ssl.SSLObject) -> bool:
    try:
        return tls.read(1) == b""
    except ssl.SSLError:
        return False  # it waits for more: only the connection beneath has ended


def _why(error: Exception) -> str:
    if isinstance(error, httptools.HttpParserUpgrade):
        return "it asked for another protocol"
    cause = error.__context__
    return str(cause) if isinstance(cause, _OutOfOrderError) else type(error).__name__
