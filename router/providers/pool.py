"""The pooled HTTP client that all providers share.

Our own, on httptools: a request costs a third of what it costs with aiohttp (docs/benchmarks.md).
HTTP/1.1, keep-alive, TLS, deadlines for connecting, for silence and for the whole. No redirects, no
environment proxies, no cookies: an address comes from the configuration and from nowhere else.
"""

import asyncio
import contextlib
import ssl
from collections import deque
from dataclasses import dataclass, field

from router.errors import UpstreamError, UpstreamTimeoutError
from router.providers.addresses import Addresses
from router.providers.connection import Connection
from router.providers.response import Response
from router.providers.target import Origin, Target

CONNECT_TIMEOUT_S = 10.0
CONNECTIONS_PER_ORIGIN_MAX = 512


@dataclass(slots=True)
class _Connections:
    """What is open to one server. Who waits is handed a connection or the room for one, in the order of
    coming: nobody who comes later can take it in between."""

    addresses: Addresses
    all: set[Connection] = field(default_factory=set)
    free: list[Connection] = field(default_factory=list)
    """The one last used is used next, so that what is not needed grows old and closes."""
    connecting: int = 0
    """Those on their way, and the room that was promised."""
    waiting: deque[asyncio.Future[Connection | None]] = field(default_factory=deque)
    """Given a connection, or None for the room to open one."""
    is_closed: bool = False

    @property
    def have_room(self) -> bool:
        """Whether another one may be opened."""
        return len(self.all) + self.connecting < CONNECTIONS_PER_ORIGIN_MAX

    def give_back(self, connection: Connection) -> None:
        """Take a connection that can be used again."""
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self.free.append(connection)

    def forget(self, connection: Connection) -> None:
        """A connection has ended."""
        self.all.discard(connection)
        if connection in self.free:
            self.free.remove(connection)
        self.promise_room()

    def take_free(self) -> Connection | None:
        """A connection that is open and idle."""
        while self.free:
            connection = self.free.pop()
            if connection.usable_again:
                return connection
            connection.abort()
        return None

    def promise_room(self) -> None:
        """Let those who wait open connections where there is room."""
        while self.waiting and self.have_room:
            self._promise()

    def leave(self, waiter: asyncio.Future[Connection | None]) -> None:
        """Wait no longer: what was meant for `waiter` is for the next one."""
        if waiter.cancelled():
            with contextlib.suppress(ValueError):  # passed over already
                self.waiting.remove(waiter)
            return
        connection = waiter.result()
        if connection is None:
            self.connecting -= 1
            self.promise_room()
        elif connection.usable:
            self.give_back(connection)

    def close(self) -> None:
        """End them all. Who waits is woken to hear of it."""
        self.is_closed = True
        while self.waiting:
            self._promise()
        for connection in tuple(self.all):
            connection.abort()

    def _promise(self) -> None:
        waiter = self.waiting.popleft()
        if not waiter.done():
            self.connecting += 1
            waiter.set_result(None)


class Pool:
    """Keeps connections open, and gives each request one."""

    def __init__(self) -> None:
        self._origins: dict[Origin, _Connections] = {}
        self._tls: ssl.SSLContext | None = None

    async def send(self, target: Target, body: bytes | None, *, total_s: float, idle_s: float) -> Response:
        """Send `body` to `target`; return the response once its head is there. The caller closes it.

        `total_s` bounds the whole exchange, `idle_s` the silence between two reads. Raises
        UpstreamTimeoutError or UpstreamError; `billable` is False only if no byte of the request can
        have arrived. Nothing is sent twice: a connection may end on the way of a request that was
        already taken, and nobody can tell (RFC 9110, 9.2.2).
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + total_s
        connections = self._origins.get(target.origin)
        if connections is None:
            addresses = Addresses(target.origin.host, target.origin.port)
            connections = self._origins[target.origin] = _Connections(addresses)
        connection = connections.take_free() or await self._connection(connections, target, deadline)
        response = connection.send(target, body, total_s, deadline, idle_s)
        try:
            await response.head()
        except BaseException:
            response.close()
            raise
        return response

    async def aclose(self) -> None:
        """Close all connections; who waits for one gets none. A later request opens others."""
        origins, self._origins = self._origins, {}
        for connections in origins.values():
            connections.close()

    async def _connection(self, connections: _Connections, target: Target, deadline: float) -> Connection:
        """Wait for a connection that comes free, or open one where there is room."""
        has_waited = False
        while not connections.have_room:
            connection = await self._turn(connections, target, deadline, is_first=has_waited)
            if connection is None:
                return await self._connect(connections, target, deadline)
            if connection.usable_again:
                return connection
            connection.abort()  # it ended on its way here
            has_waited = True
        connections.connecting += 1
        return await self._connect(connections, target, deadline)

    async def _turn(
        self, connections: _Connections, target: Target, deadline: float, *, is_first: bool
    ) -> Connection | None:
        """Wait for a connection, or for None: the room to open one. Who came in vain goes first."""
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        if is_first:
            connections.waiting.appendleft(waiter)
        else:
            connections.waiting.append(waiter)
        try:
            async with asyncio.timeout_at(deadline):
                return await waiter
        except TimeoutError:
            connections.leave(waiter)
            raise _unreachable(
                target, f"had no free connection in time: all {CONNECTIONS_PER_ORIGIN_MAX} are in use"
            ) from None
        except asyncio.CancelledError:
            connections.leave(waiter)
            raise

    async def _connect(self, connections: _Connections, target: Target, deadline: float) -> Connection:
        """Open a connection into the room that was taken for it."""
        patience_s = min(CONNECT_TIMEOUT_S, deadline - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(patience_s):
                connection = await self._open(connections, target)
        except TimeoutError:
            raise _unreachable(target, f"did not accept a connection in {patience_s:.3g} s") from None
        except (OSError, UnicodeError) as error:
            raise _closed(target, f"cannot be reached ({type(error).__name__})") from error
        else:
            connections.all.add(connection)
        finally:
            connections.connecting -= 1
            connections.promise_room()
        return connection

    async def _open(self, connections: _Connections, target: Target) -> Connection:
        loop = asyncio.get_running_loop()
        if connections.is_closed:
            raise _closed(target, "is asked no more: the pool was closed")
        tls = self._tls_context() if target.origin.tls else None
        _, connection = await loop.create_connection(
            lambda: Connection(loop, connections.give_back, connections.forget),
            sock=await connections.addresses.connect(),
            ssl=tls,
            server_hostname=target.origin.host if tls is not None else None,
        )
        if connections.is_closed or not connection.usable:
            connection.abort()
            raise _closed(target, "closed the connection at once, or the pool was closed")
        return connection

    def _tls_context(self) -> ssl.SSLContext:
        """Certificates are checked against the system's authorities."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def _unreachable(target: Target, why: str) -> UpstreamTimeoutError:
    return UpstreamTimeoutError(f"{target.name} {why}", code="upstream_unreachable", billable=False)


def _closed(target: Target, what: str) -> UpstreamError:
    return UpstreamError(f"{target.name} {what}", code="upstream_unreachable", billable=False)
