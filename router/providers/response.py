"""What a provider answers, while it comes in: a head, and a body read whole or in parts."""

import asyncio
from collections.abc import AsyncIterator, Callable

from router.errors import UpstreamError, UpstreamInvalidError
from router.providers.content_encoding import unpacked

ANSWER_BYTES_MAX = 64 * 1024 * 1024
BUFFER_BYTES_MAX = 256 * 1024
"""What may lie here unread before the server is made to wait."""


class Response:
    """One answer. The connection feeds it; whoever asked reads it, and closes it in the end."""

    __slots__ = (
        "_abort", "_error", "_finish_within", "_loop", "_parts", "_resume", "_size", "_waiter",
        "complete", "headers", "name", "paused", "status",
    )  # fmt: skip

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        name: str,
        abort: Callable[[], None],
        resume: Callable[["Response"], None],
        finish_within: Callable[[float], None],
    ) -> None:
        self.name = name
        """What errors call the server."""
        self.status = 0
        """0 until the head is there."""
        self.headers: dict[bytes, bytes] = {}
        """By name in lower case."""
        self.complete = False
        """Whether all of the body has come."""
        self.paused = False
        """Whether the server was made to wait."""
        self._loop = loop
        self._abort = abort
        self._resume = resume
        self._finish_within = finish_within
        self._parts: list[bytes] = []
        self._size = 0
        self._error: UpstreamError | None = None
        self._waiter: asyncio.Future[None] | None = None

    # read by whoever asked

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")

    async def head(self) -> None:
        """Wait for the status and the headers. Raises UpstreamError or UpstreamTimeoutError."""
        while not self.status:
            if self._error is not None:
                raise self._error
            await self._change()

    async def read(self, bytes_max: int = ANSWER_BYTES_MAX) -> bytes:
        """Read the whole body. Raises UpstreamError, or UpstreamInvalidError if it has more than
        `bytes_max` once it is unpacked."""
        if self.complete and b"content-encoding" not in self.headers:
            if self._size > bytes_max:
                raise too_large(self.name, bytes_max)
            return b"".join(self._parts)
        body = bytearray()  # and no list of parts: of tiny ones it would hold twenty times their bytes
        async for part in self.parts():
            if len(body) + len(part) > bytes_max:
                raise too_large(self.name, bytes_max)
            body += part
        return bytes(body)

    def parts(self) -> AsyncIterator[bytes]:
        """Give the body as it comes, unpacked. Raises UpstreamError."""
        encoding = self.headers.get(b"content-encoding", b"identity").strip().lower()
        return self if encoding == b"identity" else unpacked(self.name, encoding, self)

    def __aiter__(self) -> "Response":
        """The body as it comes, as it is. No generator: one that is left early costs the loop a task."""
        return self

    async def __anext__(self) -> bytes:
        """What has come since the last call, once there is something. Raises UpstreamError."""
        while not self._parts:
            if self.complete:
                raise StopAsyncIteration
            if self._error is not None:
                raise self._error
            await self._change()
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts, self._size = [], 0
        if self.paused:
            self._resume(self)
        return data

    def leave(self, seconds: float) -> None:
        """Have no more of it, but let its end come for so long, so that the connection can be used again."""
        if not self.complete and self._error is None:
            if self.paused:
                self._resume(self)
            self._finish_within(seconds)

    def close(self) -> None:
        """Have no more of it: an answer that is not complete is broken off, connection and all."""
        if not self.complete and self._error is None:
            self._abort()

    async def _change(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    # fed by the connection

    @property
    def is_full(self) -> bool:
        """Whether more lies here than should."""
        return self._size > BUFFER_BYTES_MAX and not self.paused

    def begin(self, status: int, headers: dict[bytes, bytes]) -> None:
        """The head has come."""
        self.status = status
        self.headers = headers

    def add(self, data: bytes) -> None:
        """A part of the body has come."""
        self._parts.append(data)
        self._size += len(data)

    def fail(self, error: UpstreamError) -> None:
        """Nothing more will come, and it was not all. The first error is the one that is told."""
        if not self.complete and self._error is None:
            self._error = error
        self.wake()

    def wake(self) -> None:
        """Tell the reader that something changed."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def broken(name: str, why: str) -> UpstreamError:
    """The connection broke after something was sent."""
    return UpstreamError(f"the connection to {name} broke ({why})", code="upstream_broken", billable=True)


def too_large(name: str, bytes_max: int) -> UpstreamInvalidError:
    """The answer has no end, or one that is too far away."""
    return UpstreamInvalidError(f"{name} sent more than {bytes_max >> 20} MiB", billable=True)
