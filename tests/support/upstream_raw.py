"""A server that says exactly the bytes that a test gives it, right or wrong: for faults beneath HTTP.

It lives in the test's own loop. What hangs is let go when the server ends.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

PATIENCE_S = 20.0


@dataclass(slots=True)
class RawUpstream:
    """The server as a test sees it."""

    base_url: str = ""
    connections: int = 0
    paths: list[bytes] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client closed its side while it was answered."""


@contextlib.asynccontextmanager
async def running_raw_upstream(
    *parts: bytes, pace_s: float = 0.0, hangs: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawUpstream]:
    """Answer every request with `parts`, `pace_s` apart; then close, or hang."""
    upstream, released = RawUpstream(), asyncio.Event()
    serving: dict[asyncio.Future[None], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream.connections += 1
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        serving[ended] = writer
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            upstream.paths.append(head.split(b" ")[1])
            leaving = asyncio.ensure_future(_until_left(reader, upstream.left))
            try:
                for part in parts:
                    if writer.is_closing():
                        break  # uvloop refuses to write then
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(pace_s)
                if hangs:
                    await asyncio.wait(
                        (leaving, asyncio.ensure_future(released.wait())),
                        return_when=asyncio.FIRST_COMPLETED,
                    )
            finally:
                leaving.cancel()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        ended.set_result(None)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    upstream.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield upstream
    finally:
        released.set()
        for writer in serving.values():
            writer.transport.abort()
        await asyncio.gather(*serving)
        server.close()
        await server.wait_closed()


async def _until_left(reader: asyncio.StreamReader, left: asyncio.Event) -> None:
    """Read the request's body away until the client closes."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(65_536):
            continue
    left.set()


def answer(
    body: bytes, *headers: bytes, status: bytes = b"200 OK", kind: bytes = b"application/json"
) -> bytes:
    """A whole HTTP answer."""
    lines = [b"HTTP/1.1 " + status, b"content-type: " + kind, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


def chunked(*parts: bytes, kind: bytes = b"text/event-stream") -> list[bytes]:
    """The beginning of a chunked answer: its head and its parts, without the end."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head, *(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)]


LAST_CHUNK = b"0\r\n\r\n"
