"""The pooled HTTP client that all providers share.

Our own, on httptools: a request costs a third of what it costs with aiohttp (docs/benchmarks.md).
HTTP/1.1, keep-alive, TLS, deadlines for connecting, for silence and for the whole. No redirects, no
environment proxies, no cookies: an address comes from the configuration and from nowhere else.
"""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass, field

from router.errors import UpstreamError, UpstreamTimeoutError
from router.providers.connection import Connection
from router.providers.response import Response
from router.providers.target import Origin, Target

CONNECT_TIMEOUT_S = 10.0
CONNECTIONS_PER_ORIGIN_MAX = 512


@dataclass(slots=True)
class _Connections:
    """What is open to one server."""

    all: set[Connection] = field(default_factory=set)
    free: list[Connection] = field(default_factory=list)
    """The one last used is used next, so that what is not needed grows old and closes."""
    connecting: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    def give_back(self, connection: Connection) -> None:
        """Take a connection that can be used again."""
        self.free.append(connection)
        self.call_next()

    def forget(self, connection: Connection) -> None:
        """A connection has ended."""
        self.all.discard(connection)
        if connection in self.free:
            self.free.remove(connection)
        self.call_next()

    def take_free(self) -> Connection | None:
        """A connection that is open and idle."""
        while self.free:
            connection = self.free.pop()
            if connection.usable:
                return connection
        return None

    def call_next(self) -> None:
        """Wake one of those who wait for a connection."""
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return


class Pool:
    """Keeps connections open, and gives each request one."""

    def __init__(self) -> None:
        self._origins: dict[Origin, _Connections] = {}
        self._tls: ssl.SSLContext | None = None

    async def send(self, target: Target, body: bytes | None, *, total_s: float, idle_s: float) -> Response:
        """Send `body` to `target`; return the response once its head is there. The caller closes it.

        `total_s` bounds the whole exchange, `idle_s` the silence between two reads. Raises
        UpstreamTimeoutError or UpstreamError; `billable` is False only if no byte of the request can
        have arrived.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + total_s
        connections = self._origins.get(target.origin)
        if connections is None:
            connections = self._origins[target.origin] = _Connections()
        connection = connections.take_free() or await self._connection(connections, target, deadline)
        response = connection.send(target, body, total_s, deadline, idle_s)
        try:
            await response.head()
        except BaseException:
            response.close()
            raise
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for connections in self._origins.values():
            for connection in tuple(connections.all):
                connection.abort()
        self._origins.clear()

    async def _connection(self, connections: _Connections, target: Target, deadline: float) -> Connection:
        """Wait for a connection that comes free, or open one where there is room."""
        loop = asyncio.get_running_loop()
        while len(connections.all) + connections.connecting >= CONNECTIONS_PER_ORIGIN_MAX:
            waiter: asyncio.Future[None] = loop.create_future()
            connections.waiting.append(waiter)
            try:
                async with asyncio.timeout_at(deadline):
                    await waiter
            except TimeoutError:
                raise _unreachable(
                    target, f"had no free connection in time: all {CONNECTIONS_PER_ORIGIN_MAX} are in use"
                ) from None
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    connections.call_next()  # what was meant for us is for the next one
                raise
            free = connections.take_free()
            if free is not None:
                return free
        return await self._connect(connections, target, deadline)

    async def _connect(self, connections: _Connections, target: Target, deadline: float) -> Connection:
        loop = asyncio.get_running_loop()
        origin = target.origin
        connections.connecting += 1
        try:
            async with asyncio.timeout_at(min(deadline, loop.time() + CONNECT_TIMEOUT_S)):
                _, connection = await loop.create_connection(
                    lambda: Connection(loop, connections.give_back, connections.forget),
                    origin.host,
                    origin.port,
                    ssl=self._tls_context() if origin.tls else None,
                )
        except TimeoutError:
            raise _unreachable(target, f"did not accept a connection in {CONNECT_TIMEOUT_S:g} s") from None
        except (OSError, UnicodeError) as error:
            raise UpstreamError(
                f"{target.name} cannot be reached ({type(error).__name__})",
                code="upstream_unreachable",
                billable=False,
            ) from error
        finally:
            connections.connecting -= 1
            connections.call_next()  # there is room again if it failed; if not, they look in vain
        if not connection.usable:
            raise UpstreamError(
                f"{target.name} closed the connection at once", code="upstream_unreachable", billable=False
            )
        connections.all.add(connection)
        return connection

    def _tls_context(self) -> ssl.SSLContext:
        """Certificates are checked against the system's authorities."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def _unreachable(target: Target, why: str) -> UpstreamTimeoutError:
    return UpstreamTimeoutError(f"{target.name} {why}", code="upstream_unreachable", billable=False)
