"""The shared HTTP client against servers that misbehave beneath HTTP."""

import asyncio
import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import trustme

from router.errors import UpstreamError, UpstreamInvalidError, UpstreamTimeoutError
from router.providers import connection as connection_module
from router.providers import pool as pool_module
from router.providers.pool import Pool
from router.providers.response import Response
from router.providers.target import Target
from support.upstream import running_upstream
from support.upstream_raw import LAST_CHUNK, answer, chunked, running_raw_upstream

SHORT_S = 0.2
LONG_S = 20.0


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool()
    yield pool
    await pool.aclose()


async def post(pool: Pool, url: str, *, total_s: float = LONG_S, idle_s: float = LONG_S) -> Response:
    return await pool.send(Target.of("it", "POST", url, {}), b"{}", total_s=total_s, idle_s=idle_s)


async def fetch(
    pool: Pool, url: str, *, total_s: float = LONG_S, idle_s: float = LONG_S, bytes_max: int = 1 << 20
) -> bytes:
    response = await post(pool, url, total_s=total_s, idle_s=idle_s)
    try:
        return await response.read(bytes_max)
    finally:
        response.close()


async def test_a_refused_connection_cannot_have_cost_anything(pool: Pool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(UpstreamError, match="cannot be reached") as raised:
        await fetch(pool, f"http://127.0.0.1:{port}/v1")
    assert (raised.value.code, raised.value.billable) == ("upstream_unreachable", False)


async def test_a_connection_that_nobody_accepts_times_out_unbilled(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "CONNECT_TIMEOUT_S", SHORT_S)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(4)]  # the queue of those who wait is full
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        with pytest.raises(UpstreamTimeoutError, match="did not accept") as raised:
            await fetch(pool, f"http://127.0.0.1:{address[1]}/v1")
        for each in waiting:
            each.close()
    assert (raised.value.code, raised.value.billable) == ("upstream_unreachable", False)


SILENT: dict[str, list[bytes]] = {
    "before its first byte": [],
    "within its headers": [b"HTTP/1.1 200 OK\r\ncontent-"],
    "before its body": [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"],
    "within its body": [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab"],
    "within a chunk": chunked(b"abc"),
}


@pytest.mark.parametrize("parts", SILENT.values(), ids=SILENT.keys())
async def test_a_silent_server_is_given_up_and_may_have_cost_something(
    pool: Pool, parts: list[bytes]
) -> None:
    async with running_raw_upstream(*parts, hangs=True) as upstream:
        with pytest.raises(UpstreamTimeoutError) as raised:
            await fetch(pool, upstream.base_url, idle_s=SHORT_S)
        async with asyncio.timeout(LONG_S):
            await upstream.left.wait()
    assert (raised.value.code, raised.value.billable) == ("upstream_timeout", True)


@pytest.mark.parametrize(
    "parts",
    [[b"HTTP/1.1 200 OK\r\n", b"x-slow: 1\r\n"], chunked(b"abc")],
    ids=["headers", "a body"],
)
async def test_a_server_that_drips_is_given_up_at_the_deadline(pool: Pool, parts: list[bytes]) -> None:
    """Each byte comes in time, the whole never does."""
    async with running_raw_upstream(parts[0], *parts[1:] * 50, pace_s=SHORT_S / 8) as upstream:
        with pytest.raises(UpstreamTimeoutError) as raised:
            await fetch(pool, upstream.base_url, total_s=SHORT_S, idle_s=LONG_S)
    assert raised.value.billable


@pytest.mark.parametrize("status", [b"301 x", b"302 x", b"303 x", b"307 x", b"308 x"])
async def test_a_redirect_is_never_followed(pool: Pool, status: bytes) -> None:
    async with running_raw_upstream(answer(b"moved", b"location: /elsewhere", status=status)) as upstream:
        response = await post(pool, upstream.base_url)
        assert response.status == int(status[:3])
        response.close()
    assert upstream.paths == [b"/v1"]


BROKEN: dict[str, list[bytes]] = {
    "it closes at once": [],
    "it speaks something else": [b"SSH-2.0-OpenSSH\r\n\r\n"],
    "headers without a colon": [b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"],
    "headers beyond all bounds": [b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n"],
    "less than it promised": [b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nabc"],
    "no last chunk": chunked(b"abc"),
    "chunks without a size": [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nabc\r\n"],
    "another protocol": [b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"],
    "early hints for ever": [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"] * 4_000,
    "gzip that is none": [answer(b"not gzip at all", b"content-encoding: gzip")],
    "gzip that is cut short": [answer(gzip.compress(b"x" * 500)[:-9], b"content-encoding: gzip")],
    "packed in a way nobody asked for": [answer(b"x", b"content-encoding: br")],
}


@pytest.mark.parametrize("parts", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_answer_is_an_upstreams_error_that_may_have_cost_money(
    pool: Pool, parts: list[bytes]
) -> None:
    async with running_raw_upstream(*parts) as upstream:
        with pytest.raises(UpstreamError, match=r"to it broke|answer of it|it packed") as raised:
            await fetch(pool, upstream.base_url)
    assert (raised.value.status, raised.value.billable) == (502, True)


LARGE: dict[str, list[bytes]] = {
    "and says so": [answer(b"x" * 2_000)],
    "in chunks": [*chunked(b"x" * 600, b"x" * 600), LAST_CHUNK],
    "for ever": chunked(*[b"x" * 600] * 50),
    "once it is unpacked": [answer(gzip.compress(b"x" * 500_000), b"content-encoding: gzip")],
}


@pytest.mark.parametrize("parts", LARGE.values(), ids=LARGE.keys())
async def test_a_body_beyond_its_bound_is_refused(pool: Pool, parts: list[bytes]) -> None:
    async with running_raw_upstream(*parts) as upstream:
        with pytest.raises(UpstreamInvalidError, match="sent more than"):
            await fetch(pool, upstream.base_url, bytes_max=1_000)


async def test_a_body_at_its_bound_is_read(pool: Pool) -> None:
    async with running_raw_upstream(answer(b"x" * 1_000)) as upstream:
        assert await fetch(pool, upstream.base_url, bytes_max=1_000) == b"x" * 1_000


WHOLE: dict[str, list[bytes]] = {
    "as long as it says": [answer(b"it")],
    "in chunks": [*chunked(b"i", b"t"), LAST_CHUNK],
    "to the end of the connection": [b"HTTP/1.1 200 OK\r\n\r\n", b"i", b"t"],
    "after early hints": [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", answer(b"it")],
    "byte by byte": [bytes([byte]) for byte in answer(b"it")],
    "gzip": [answer(gzip.compress(b"it"), b"content-encoding: gzip")],
    "gzip in several members": [
        answer(gzip.compress(b"i") + gzip.compress(b"t") + b"\0\0", b"content-encoding: gzip")
    ],
    "deflate": [answer(zlib.compress(b"it"), b"content-encoding: Deflate")],
    "gzip in chunks": [
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n",
        *(b"1\r\n%c\r\n" % byte for byte in gzip.compress(b"it")),
        LAST_CHUNK,
    ],
    "with words after it": [answer(b"it") + b"HTTP/1.1 200 OK\r\n\r\nmore"],
}


@pytest.mark.parametrize("parts", WHOLE.values(), ids=WHOLE.keys())
async def test_a_body_is_read_however_it_comes(pool: Pool, parts: list[bytes]) -> None:
    async with running_raw_upstream(*parts) as upstream:
        assert await fetch(pool, upstream.base_url) == b"it"


SPENT: dict[str, list[bytes]] = {
    "it says so": [answer(b"it", b"connection: close")],
    "it speaks HTTP/1.0": [answer(b"it").replace(b"1.1", b"1.0", 1)],
    "it goes on speaking": [answer(b"it") + answer(b"more")],
    "it goes on with noise": [answer(b"it") + b"\0\0"],
    "it speaks again later": [answer(b"it"), answer(b"more")],
    "it is not needed for a while": [answer(b"it")],
}


@pytest.mark.parametrize("parts", SPENT.values(), ids=SPENT.keys())
async def test_a_connection_that_cannot_be_used_again_is_closed(
    pool: Pool, parts: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "KEEP_ALIVE_S", SHORT_S)
    async with running_raw_upstream(*parts, pace_s=SHORT_S / 8, hangs=True) as upstream:
        assert await fetch(pool, upstream.base_url) == b"it"
        async with asyncio.timeout(LONG_S):
            await upstream.left.wait()


async def test_more_requests_than_connections_wait_for_one_and_not_for_ever(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "CONNECTIONS_PER_ORIGIN_MAX", 1)
    async with running_raw_upstream(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", hangs=True) as upstream:
        first = await post(pool, upstream.base_url)
        with pytest.raises(UpstreamTimeoutError, match="no free connection") as raised:
            await fetch(pool, upstream.base_url, total_s=SHORT_S)
        second = asyncio.create_task(post(pool, upstream.base_url))
        third = asyncio.create_task(post(pool, upstream.base_url))
        await asyncio.sleep(0)  # both wait now
        second.cancel()
        first.close()
        (await third).close()
        with pytest.raises(asyncio.CancelledError):
            await second
    assert (raised.value.code, raised.value.billable) == ("upstream_unreachable", False)
    assert upstream.connections == 2


HANGS = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


async def test_a_connection_meant_for_one_whose_time_is_over_goes_to_the_next(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "CONNECTIONS_PER_ORIGIN_MAX", 1)
    async with running_raw_upstream(HANGS, hangs=True) as upstream:
        first = await post(pool, upstream.base_url)
        late = asyncio.create_task(post(pool, upstream.base_url, total_s=SHORT_S))
        next_one = asyncio.create_task(post(pool, upstream.base_url))
        await asyncio.sleep(0)  # both wait now

        def close_late() -> None:
            """Hold the loop until the first one's time is over: both happen in the same turn."""
            threading.Event().wait(2 * SHORT_S)
            first.close()

        asyncio.get_running_loop().call_soon(close_late)
        with pytest.raises(UpstreamTimeoutError):
            await late
        async with asyncio.timeout(LONG_S / 2):
            (await next_one).close()


async def test_who_waits_for_a_connection_is_served_before_who_comes_later(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "CONNECTIONS_PER_ORIGIN_MAX", 1)
    served: list[str] = []
    with running_upstream() as upstream:
        target = Target.of("it", "POST", f"{upstream.base_url}/chat/completions", {})
        body = orjson.dumps({"model": "m", "messages": []})

        async def ask(who: str) -> None:
            response = await pool.send(target, body, total_s=LONG_S, idle_s=LONG_S)
            served.append(who)
            await response.read()

        async def ask_for_ever() -> None:
            for _ in range(20):
                await ask("greedy")

        greedy = asyncio.create_task(ask_for_ever())
        await asyncio.sleep(0)
        await asyncio.gather(greedy, *(ask(f"patient {number}") for number in range(3)))
    assert [who for who in served[:5] if who != "greedy"] == ["patient 0", "patient 1", "patient 2"]


async def test_nobody_is_left_over_in_the_queue_or_in_the_count(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waits are broken off at every point of theirs; then all connections can be had."""
    monkeypatch.setattr(pool_module, "CONNECTIONS_PER_ORIGIN_MAX", 2)
    async with running_raw_upstream(HANGS, hangs=True) as upstream:
        for turns in range(40):
            held = [asyncio.create_task(post(pool, upstream.base_url)) for _ in range(6)]
            for _ in range(turns):
                await asyncio.sleep(0)
            for each in held:
                each.cancel()
            for ended in await asyncio.gather(*held, return_exceptions=True):
                if isinstance(ended, Response):
                    ended.close()
        async with asyncio.timeout(LONG_S / 2):
            held_now = await asyncio.gather(*(post(pool, upstream.base_url) for _ in range(2)))
        (connections,) = pool._origins.values()
        assert (len(connections.all), connections.connecting, len(connections.waiting)) == (2, 0, 0)
        for response in held_now:
            response.close()


async def test_a_pool_that_is_closed_gives_nobody_a_connection_who_waited(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "CONNECTIONS_PER_ORIGIN_MAX", 1)
    async with running_raw_upstream(HANGS, hangs=True) as upstream:
        connecting = asyncio.create_task(post(pool, upstream.base_url))
        waiting = asyncio.create_task(post(pool, upstream.base_url))
        await asyncio.sleep(0)  # one connects and one waits now
        await pool.aclose()
        for each in (connecting, waiting):
            with pytest.raises(UpstreamError, match="the pool was closed") as raised:
                await each
            assert not raised.value.billable
        assert upstream.connections <= 1


async def test_a_stream_that_is_left_early_leaves_no_task_behind(pool: Pool) -> None:
    async with running_raw_upstream(*chunked(b"it"), hangs=True) as upstream:
        response = await post(pool, upstream.base_url)
        async for part in response.parts():
            assert part == b"it"
            break
        before = asyncio.all_tasks()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() <= before
        response.close()


async def test_connections_are_used_again(pool: Pool) -> None:
    with running_upstream() as upstream:
        body = orjson.dumps({"model": "m", "messages": []})
        target = Target.of("it", "POST", f"{upstream.base_url}/chat/completions", {})
        for _ in range(2):
            sent = [pool.send(target, body, total_s=LONG_S, idle_s=LONG_S) for _ in range(3)]
            assert {len(await each.read()) > 2 for each in await asyncio.gather(*sent)} == {True}
        assert len(upstream._connections) == 3


async def test_a_slow_reader_makes_the_server_wait_and_is_not_taken_for_a_silent_server(pool: Pool) -> None:
    part, waited = b"x" * 65_536, asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (len(part) * 1_000))
        for _ in range(1_000):
            writer.write(part)
            while True:
                try:
                    await asyncio.wait_for(writer.drain(), 2 * SHORT_S)
                    break
                except TimeoutError:
                    waited.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        response = await post(pool, url, idle_s=SHORT_S)
        async with asyncio.timeout(LONG_S):
            await waited.wait()
        size = 0
        async for data in response.parts():
            size += len(data)
    assert size == len(part) * 1_000


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
async def test_a_server_with_tls_must_show_a_certificate_that_is_known(
    pool: Pool, is_known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    if is_known:
        authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    async with running_raw_upstream(answer(b"it"), tls=context) as upstream:
        url = upstream.base_url.replace("http://127.0.0.1", "https://localhost")
        if is_known:
            assert await fetch(pool, url) == b"it"
            return
        with pytest.raises(UpstreamError, match="cannot be reached") as raised:
            await fetch(pool, url)
    assert (raised.value.code, raised.value.billable) == ("upstream_unreachable", False)


async def test_no_proxy_of_the_environment_is_used(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        running_raw_upstream(answer(b"proxy")) as trap,
        running_raw_upstream(answer(b"it")) as upstream,
    ):
        monkeypatch.setenv("http_proxy", trap.base_url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert await fetch(pool, upstream.base_url) == b"it"
    assert trap.connections == 0


async def test_a_closed_pool_opens_again(pool: Pool) -> None:
    async with running_raw_upstream(answer(b"it")) as upstream:
        await fetch(pool, upstream.base_url)
        await pool.aclose()
        assert await fetch(pool, upstream.base_url) == b"it"
    assert upstream.connections == 2
