"""A gateway with one fault that nobody expects: once a provider has answered, our side of it fails.

Run as `steelyard` is: `python failing_gateway.py serve --config FILE --port 0`. The error's own message holds what the provider was asked.
"""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

from router.app import Gateway, build
from router.call import Call
from router.completion import Completion, CompletionStream, Piece
from router.providers.base import Provider
from router.server import serve
from router.settings import Settings, load_settings


class FailingProvider:
    """Another provider, whose answers are lost by us: a whole one at its end, a stream after its first content."""

    def __init__(self, inner: Provider) -> None:
        self._inner = inner

    async def complete(self, call: Call) -> Completion:
        """Have it answered, and fail."""
        await self._inner.complete(call)
        raise KeyError(str(call.request.body))

    async def stream(self, call: Call) -> CompletionStream:
        """Have it begun."""
        return FailingStream(await self._inner.stream(call), str(call.request.body))

    async def close(self) -> None:
        """Close the other one."""
        await self._inner.close()


class FailingStream:
    """Another stream, up to its first content."""

    def __init__(self, inner: CompletionStream, asked: str) -> None:
        self._inner = inner
        self._asked = asked

    async def __aiter__(self) -> AsyncIterator[Piece]:
        """Give the first pieces, and fail."""
        async for piece in self._inner:
            yield piece
            if piece.has_content:
                raise KeyError(self._asked)

    def received_text(self) -> str:
        """The other one's."""
        return self._inner.received_text()

    def completion(self) -> Completion:
        """The other one's."""
        return self._inner.completion()

    async def aclose(self) -> None:
        """Close the other one."""
        await self._inner.aclose()


def failing(settings: Settings) -> Gateway:
    """Build the gateway with that fault."""
    gateway = build(settings)
    for name, provider in gateway.providers.items():
        gateway.providers[name] = FailingProvider(provider)
    return gateway


def say(url: str) -> None:
    """Say where it answers, as `steelyard serve` does."""
    sys.stdout.write(f"steelyard answers at {url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(load_settings(Path(sys.argv[3]), port=0), say, make=failing)
