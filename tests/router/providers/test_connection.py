"""One connection after another: what may be used again, whose answer is whose, and who is in time."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from router.errors import UpstreamError
from router.providers.pool import Pool
from router.providers.response import Response
from router.providers.target import Target
from support.upstream_raw import answer, chunked, running_raw_upstream

SHORT_S = 0.2
LONG_S = 20.0


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool()
    yield pool
    await pool.aclose()


@dataclass(slots=True)
class Server:
    """A server that keeps its connections, and lets a test do to them what it likes."""

    url: str = ""
    connections: list[asyncio.StreamWriter] = field(default_factory=list)

    def say(self, data: bytes) -> None:
        """Speak over the newest connection, at once: the client's loop has not seen it yet."""
        os.write(self.connections[-1].get_extra_info("socket").fileno(), data)

    def end(self) -> None:
        """End the newest connection, at once."""
        with socket.socket(fileno=os.dup(self.connections[-1].get_extra_info("socket").fileno())) as same:
            same.shutdown(socket.SHUT_WR)


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def counts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request with its number on this connection."""
    number = 0
    while await reader.readuntil(b"\r\n\r\n{}"):
        number += 1
        writer.write(answer(b"%d" % number))


@contextlib.asynccontextmanager
async def running(handler: Handler = counts) -> AsyncIterator[Server]:
    server = Server()
    ended: list[asyncio.Future[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections.append(writer)
        ended.append(asyncio.get_running_loop().create_future())
        mine = ended[-1]
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await handler(reader, writer)
        finally:
            writer.close()
            mine.set_result(None)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        for writer in server.connections:
            writer.transport.abort()
        await asyncio.gather(*ended)
        listening.close()
        await listening.wait_closed()


async def send(
    pool: Pool, url: str, body: bytes = b"{}", *, total_s: float = LONG_S, idle_s: float = LONG_S
) -> Response:
    return await pool.send(Target.of("it", "POST", url, {}), body, total_s=total_s, idle_s=idle_s)


async def fetch(pool: Pool, url: str, body: bytes = b"{}", *, idle_s: float = LONG_S) -> bytes:
    response = await send(pool, url, body, idle_s=idle_s)
    with contextlib.closing(response):
        return await response.read()


@pytest.mark.parametrize("stray", [answer(b"stray"), b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_words_that_came_unasked_are_never_taken_for_the_next_answer(pool: Pool, stray: bytes) -> None:
    async with running() as server:
        assert await fetch(pool, server.url) == b"1"
        server.say(stray)
        assert await fetch(pool, server.url) == b"1"
        assert len(server.connections) == 2


async def test_a_connection_that_has_just_ended_is_not_used_again(pool: Pool) -> None:
    async with running() as server:
        assert await fetch(pool, server.url) == b"1"
        server.end()
        assert await fetch(pool, server.url) == b"1"
        assert len(server.connections) == 2


async def test_a_request_is_not_sent_again_when_its_connection_ends_on_the_way(pool: Pool) -> None:
    """The server may have taken it, and it costs money."""
    arrived: list[bytes] = []

    async def ends_at_the_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await reader.readuntil(b"\r\n\r\n{}"))
        writer.write(answer(b"it"))
        arrived.append(await reader.readuntil(b"\r\n\r\n{}"))

    async with running(ends_at_the_second) as server:
        assert await fetch(pool, server.url) == b"it"
        with pytest.raises(UpstreamError, match="ended too early") as raised:
            await fetch(pool, server.url)
        assert raised.value.billable
        assert (len(arrived), len(server.connections)) == (2, 1)


async def test_an_answer_that_came_before_its_request_was_taken_ends_the_connection(pool: Pool) -> None:
    async def answers_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"it"))
        await writer.wait_closed()

    long = b"x" * 30_000_000
    async with running(answers_at_once) as server:
        assert [await fetch(pool, server.url, long) for _ in range(2)] == [b"it", b"it"]
        assert len(server.connections) == 2


async def test_a_connection_is_not_used_again_once_its_server_may_be_closing_it(pool: Pool) -> None:
    async def tells(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for timeout in (b"60", b"1"):
            await reader.readuntil(b"\r\n\r\n{}")
            writer.write(answer(timeout, b"Keep-Alive: max=9, timeout=" + timeout))
        await writer.wait_closed()

    async with running(tells) as server:
        assert [await fetch(pool, server.url) for _ in range(3)] == [b"60", b"1", b"60"]
        assert len(server.connections) == 2


async def test_trailers_are_no_headers_of_the_next_answer(pool: Pool) -> None:
    async def trails(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(b"".join(chunked(b"it")) + b"0\r\nx-trailer: 1\r\ncontent-encoding: br\r\n\r\n")
        await counts(reader, writer)

    async with running(trails) as server:
        assert [await fetch(pool, server.url) for _ in range(2)] == [b"it", b"1"]
        assert len(server.connections) == 1


UNORDERLY: dict[str, tuple[str, list[bytes]]] = {
    "a body before the answer": (
        "it sent a body before its answer",
        [b"HTTP/1.1 199 x\r\ncontent-length: 3\r\n\r\nabc" + answer(b"it")],
    ),
    "a status that is none": ("its status is none", [b"HTTP/1.1 099 x\r\ncontent-length: 0\r\n\r\n"]),
    "two lengths": (
        "HttpParserError",
        [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nit"],
    ),
    "a length and chunks": (
        "HttpParserError",
        [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nit\r\n0\r\n\r\n"],
    ),
    "chunks that are not the last coding": (
        "it ended too early",
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip\r\n\r\n2\r\nit\r\n0\r\n\r\n"],
    ),
    "a trailer without an end": (
        "its headers have no end",
        [*chunked(b"it"), b"0\r\nx: ", *[b"y" * 65_536] * 20],
    ),
}


@pytest.mark.parametrize(("why", "parts"), UNORDERLY.values(), ids=UNORDERLY.keys())
async def test_an_answer_whose_bounds_are_unclear_is_none(pool: Pool, why: str, parts: list[bytes]) -> None:
    async with running_raw_upstream(*parts) as upstream:
        with pytest.raises(UpstreamError, match=rf"to it broke \({why}\)") as raised:
            await fetch(pool, upstream.base_url)
    assert raised.value.billable


async def test_a_server_that_takes_a_long_request_slowly_is_silent_only_from_its_end_on(pool: Pool) -> None:
    """The last of it is taken shortly before the second look, and the answer comes shortly after."""
    long = b"x" * 30_000_000
    idle_s = 2 * SHORT_S

    async def takes_its_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(long) // 3)
        await pause(begun + 1.5 * idle_s - loop.time())
        await reader.readexactly(len(long) - len(long) // 3)
        await pause(begun + 2.5 * idle_s - loop.time())
        writer.write(answer(b"it"))

    async with running(takes_its_time) as server:
        assert await fetch(pool, server.url, long, idle_s=idle_s) == b"it"


async def pause(seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().create_future()


async def test_an_answer_can_be_left_twice(pool: Pool) -> None:
    async with running_raw_upstream(*chunked(b"it"), hangs=True) as upstream:
        response = await send(pool, upstream.base_url)
        response.leave(0.0)
        response.leave(0.0)
        async with asyncio.timeout(LONG_S):
            await upstream.left.wait()
        assert not response.complete


@pytest.mark.parametrize("is_cut", [False, True], ids=["closed in order", "cut"])
async def test_a_body_without_a_length_is_whole_only_if_its_end_was_said_within_tls(
    pool: Pool, is_cut: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listening, context.wrap_socket(listening.accept()[0], server_side=True) as connection:
            while not connection.recv(65_536).endswith(b"{}"):
                continue
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nit")
            if is_cut:
                connection.shutdown(socket.SHUT_WR)
            else:
                connection.unwrap()

    serving = asyncio.get_running_loop().run_in_executor(None, serve)
    read = fetch(pool, f"https://localhost:{listening.getsockname()[1]}/v1")
    if is_cut:
        with pytest.raises(UpstreamError, match="ended too early"):
            await read
    else:
        assert await read == b"it"
    await serving
