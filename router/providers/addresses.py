"""One server's addresses: looked up once for all who connect, and each of them tried.

The next one is tried soon after the one before and not only once that is given up (RFC 8305): of a
name with two addresses, one may swallow all that is sent to it.
"""

import asyncio
import math
import socket
from collections import deque
from typing import Any

KNOWN_S = 10.0
"""How long addresses are used again without another look."""
NEXT_ADDRESS_S = 0.25
"""RFC 8305, 8: the recommended delay."""

_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""What getaddrinfo gives; the last is what connect takes, whatever the family wants it to be."""


class Addresses:
    """The addresses of a host's name."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._known: list[_Address] = []
        self._known_until = -math.inf
        self._lookup: asyncio.Task[None] | None = None

    async def connect(self) -> socket.socket:
        """Connect to one of them, whichever is first to answer. Raises OSError or UnicodeError."""
        waiting = deque(await self._addresses())
        if len(waiting) == 1:
            return await _connected(waiting[0])
        error: BaseException = OSError("the name has no address")
        attempts: set[asyncio.Task[socket.socket]] = set()
        try:
            while waiting or attempts:
                if waiting:
                    attempts.add(asyncio.ensure_future(_connected(waiting.popleft())))
                await asyncio.wait(
                    attempts,
                    timeout=NEXT_ADDRESS_S if waiting else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for attempt in [each for each in attempts if each.done()]:
                    attempts.remove(attempt)
                    failure = attempt.exception()
                    if failure is None:
                        return attempt.result()
                    error = failure
            raise error
        finally:
            await _give_up(attempts)

    async def _addresses(self) -> list[_Address]:
        now = asyncio.get_running_loop().time()
        if now >= self._known_until:
            if self._lookup is None or self._lookup.done():
                self._lookup = asyncio.ensure_future(self._look_up())
                self._lookup.add_done_callback(_heed)
            await asyncio.shield(self._lookup)  # it goes on for the others when one of them leaves
        return self._known

    async def _look_up(self) -> None:
        loop = asyncio.get_running_loop()
        self._known = [*await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)]
        self._known_until = loop.time() + KNOWN_S


def _heed(lookup: asyncio.Task[None]) -> None:
    """Take note of a failure that nobody may be left to hear of."""
    if not lookup.cancelled():
        lookup.exception()


async def _connected(address: _Address) -> socket.socket:
    family, kind, protocol, _, where = address
    connecting = socket.socket(family, kind, protocol)
    try:
        connecting.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connecting, where)
    except BaseException:
        connecting.close()
        raise
    return connecting


async def _give_up(attempts: set[asyncio.Task[socket.socket]]) -> None:
    for attempt in attempts:
        attempt.cancel()
    for result in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(result, socket.socket):
            result.close()
