"""The shared HTTP client against servers that misbehave beneath HTTP."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator

import pytest
from support.upstream_raw import LAST_CHUNK, answer, chunked, running_raw_upstream

from router.errors import UpstreamError, UpstreamInvalidError, UpstreamTimeoutError
from router.providers import pool as pool_module
from router.providers.pool import Pool, deadlines, read_bounded, translated

SHORT_S = 0.2
LONG_S = 20.0


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool()
    yield pool
    await pool.close()


async def fetch(
    pool: Pool, url: str, *, total_s: float = LONG_S, idle_s: float = LONG_S, bytes_max: int = 1 << 20
) -> bytes:
    response = await pool.post("fake", url, {}, b"{}", deadlines(total_s, idle_s))
    try:
        with translated("fake"):
            return await read_bounded("fake", response, bytes_max)
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
    deadlines.cache_clear()
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
    deadlines.cache_clear()
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
        response = await pool.post("fake", upstream.base_url, {}, b"{}", deadlines(LONG_S, LONG_S))
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
    "gzip that is none": [answer(b"not gzip at all", b"content-encoding: gzip")],
}


@pytest.mark.parametrize("parts", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_answer_is_an_upstreams_error_that_may_have_cost_money(
    pool: Pool, parts: list[bytes]
) -> None:
    async with running_raw_upstream(*parts) as upstream:
        with pytest.raises(UpstreamError, match="'fake'") as raised:
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


async def test_no_proxy_of_the_environment_is_used(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        running_raw_upstream(answer(b"proxy")) as trap,
        running_raw_upstream(answer(b"it")) as upstream,
    ):
        monkeypatch.setenv("http_proxy", trap.base_url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert await fetch(pool, upstream.base_url) == b"it"
    assert trap.connections == 0


async def test_no_cookie_is_kept(pool: Pool) -> None:
    async with running_raw_upstream(answer(b"{}", b"set-cookie: a=b")) as upstream:
        await fetch(pool, upstream.base_url)
        assert len(pool._open_session().cookie_jar) == 0


async def test_a_closed_pool_opens_again(pool: Pool) -> None:
    async with running_raw_upstream(answer(b"it")) as upstream:
        await fetch(pool, upstream.base_url)
        await pool.close()
        assert await fetch(pool, upstream.base_url) == b"it"
    assert upstream.connections == 2
