"""A server with several addresses, or with a slow name."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from router.errors import UpstreamError
from router.providers.pool import Pool
from router.providers.target import Target
from support.upstream_raw import answer, running_raw_upstream

LONG_S = 20.0


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool()
    yield pool
    await pool.aclose()


Addresses = list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]]


class Names:
    """What the name `it.example` stands for on the running loop. A lookup waits until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
        self.addresses = addresses
        self.lookups = 0
        self.asked = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        loop = asyncio.get_running_loop()
        self._others = loop.getaddrinfo
        monkeypatch.setattr(loop, "getaddrinfo", self._getaddrinfo)

    async def _getaddrinfo(self, host: str, port: int, **hints: int) -> Addresses:
        if host != "it.example":  # uvloop asks for what is an address already, too
            others: Addresses = await self._others(host, port, **hints)  # type: ignore[assignment]  # also IPv6's
            return others
        self.lookups += 1
        self.asked.set()
        await self.may_go_on.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in self.addresses]


@pytest.fixture
def swallows() -> Iterator[tuple[str, int]]:
    """An address that neither takes nor refuses a connection: the queue of those who wait is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(server.getsockname())
        yield server.getsockname()
        for each in waiting:
            each.close()


@pytest.fixture
def refuses() -> tuple[str, int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address: tuple[str, int] = server.getsockname()
    return address


async def fetch(pool: Pool) -> bytes:
    target = Target.of("it", "POST", "http://it.example/v1", {})
    response = await pool.send(target, b"{}", total_s=LONG_S, idle_s=LONG_S)
    return await response.read()


def address_of(url: str) -> tuple[str, int]:
    return "127.0.0.1", int(url.rsplit(":", 1)[1].removesuffix("/v1"))


@pytest.mark.parametrize("first", ["swallows", "refuses"])
async def test_each_address_is_tried(
    pool: Pool, first: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_raw_upstream(answer(b"it")) as upstream:
        Names(monkeypatch, request.getfixturevalue(first), address_of(upstream.base_url))
        assert await fetch(pool) == b"it"
        assert upstream.connections == 1


async def test_a_server_none_of_whose_addresses_answers_cannot_have_cost_anything(
    pool: Pool, refuses: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    Names(monkeypatch, refuses, refuses)
    with pytest.raises(UpstreamError, match="cannot be reached") as raised:
        await fetch(pool)
    assert not raised.value.billable


async def test_a_name_is_looked_up_once_for_all_who_wait_for_it_although_the_first_leaves(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_raw_upstream(answer(b"it")) as upstream:
        names = Names(monkeypatch, address_of(upstream.base_url))
        names.may_go_on.clear()
        fetching = [asyncio.create_task(fetch(pool)) for _ in range(4)]
        await names.asked.wait()
        fetching[0].cancel()
        await asyncio.sleep(0)
        names.may_go_on.set()
        assert await asyncio.gather(*fetching[1:]) == [b"it"] * 3
        assert await fetch(pool) == b"it"
        assert names.lookups == 1
