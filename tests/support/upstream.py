"""A fake provider with a known bill: a real HTTP server in a thread of its own, which speaks OpenAI's
chat completions, Anthropic's Messages and Bedrock's Converse, each at its path.

It keeps every request as it arrived and a line of the bill for each, and misbehaves as a test's
script says. Raw streams, because it must cut, reset and stall a connection where a framework would
mend it. Nothing here waits by sleeping for another party: what hangs is let go by `release()`, and
a test waits by `wait_for_requests` and `wait_for_charges`.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import SupportsIndex

from support.upstream_answers import model_list
from support.upstream_bill import NOTHING, Charge, Ending, FakeUsage, TokenPrices, total_usage
from support.upstream_connection import Connection
from support.upstream_script import Behaviour, Received

Behave = Callable[[Received], Behaviour]
PATIENCE_S = 20.0
"""How long a test waits for what should come at once, before it fails."""


class _Overheard(asyncio.StreamReader):
    """A reader that keeps all that it is fed."""

    def __init__(self, heard: bytearray) -> None:
        super().__init__()
        self._kept = heard

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        """Keep it, and go on."""
        self._kept.extend(data)
        super().feed_data(data)


class Upstream:
    """The provider as a test sees it."""

    def __init__(
        self,
        behave: Behave,
        *,
        prices: Mapping[str, TokenPrices] | TokenPrices,
        deepseek: bool,
        api_key: str | None,
        models: tuple[str, ...],
    ) -> None:
        self.behave = behave
        """May be replaced while the server runs: it is asked once per request."""
        self.deepseek = deepseek
        self.api_key = api_key
        self.failures: list[BaseException] = []
        self.model_list = model_list(models)
        self._prices = prices
        self._requests: list[Received] = []
        self._charges: list[Charge] = []
        self._changed = threading.Condition()
        self._released = asyncio.Event()
        self._stopped = asyncio.Event()
        self._heard: list[bytearray] = []
        self._connections: dict[asyncio.StreamWriter, asyncio.Future[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._port = 0
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """What a client is configured with."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def requests(self) -> tuple[Received, ...]:
        """All requests so far, in order of arrival; `GET /v1/models` is among them."""
        with self._changed:
            return tuple(self._requests)

    @property
    def heard(self) -> tuple[bytes, ...]:
        """Every byte that has arrived, headers and requests that were cut off too, by connection; one that
        brought nothing is b""."""
        with self._changed:
            return tuple(map(bytes, self._heard))

    @property
    def bill(self) -> tuple[Charge, ...]:
        """The bill so far: one line for each chat request that has ended."""
        with self._changed:
            return tuple(self._charges)

    @property
    def cost_nano_usd(self) -> int:
        """The bill's sum."""
        return sum(charge.cost_nano_usd for charge in self.bill)

    @property
    def usage(self) -> FakeUsage:
        """All tokens on the bill."""
        return total_usage(self.bill)

    def release(self) -> None:
        """Let go whatever hangs, now and from now on."""
        self._call(self._released.set)

    def hold_again(self) -> None:
        """Let later requests hang again."""
        self._call(self._released.clear)

    def wait_for_requests(self, count: int) -> tuple[Received, ...]:
        """Block until `count` requests have arrived. From a coroutine: `await asyncio.to_thread(...)`."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._requests) >= count, PATIENCE_S):
                raise AssertionError(f"{len(self._requests)} requests of {count} came")
            return tuple(self._requests)

    def wait_for_charges(self, count: int) -> tuple[Charge, ...]:
        """Block until `count` chat requests have ended, one way or the other."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._charges) >= count, PATIENCE_S):
                raise AssertionError(f"{len(self._charges)} requests of {count} ended")
            return tuple(self._charges)

    # What the connections call, in the server's thread.

    def arrived(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Received:
        """Keep a request."""
        with self._changed:
            request = Received(len(self._requests), method, path, headers, body)
            self._requests.append(request)
            self._changed.notify_all()
            return request

    def charge(self, request: Received, usage: FakeUsage | None, ending: Ending, *, told: bool) -> None:
        """Write a line of the bill; `usage` None: nothing is charged."""
        prices = self._prices
        if not isinstance(prices, TokenPrices):
            prices = prices.get(request.model, TokenPrices())
        used = usage or NOTHING
        with self._changed:
            self._charges.append(
                Charge(request.number, request.model, used, prices.cost_nano_usd(used), told, ending)
            )
            self._changed.notify_all()

    async def released(self) -> None:
        """Wait for `release()`."""
        await self._released.wait()

    # The server's life.

    def start(self) -> None:
        """Listen on a free port of the loopback."""
        port: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, args=(port,), name="fake-upstream", daemon=True)
        self._thread.start()
        self._port = port.result(PATIENCE_S)

    def stop(self) -> None:
        """Break all connections and end the thread. Raises what went wrong inside the fake itself."""
        self._call(self._stopped.set)
        if self._thread is not None:
            self._thread.join(PATIENCE_S)
        if self.failures:
            raise ExceptionGroup(
                "the fake upstream failed", [error for error in self.failures if isinstance(error, Exception)]
            )

    def _call(self, function: Callable[[], None]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(function)

    def _run(self, port: Future[int]) -> None:
        asyncio.run(self._serve(port))

    async def _serve(self, port: Future[int]) -> None:
        self._loop = asyncio.get_running_loop()
        server = await self._loop.create_server(self._connected, "127.0.0.1", 0, backlog=1024)
        async with server:
            port.set_result(server.sockets[0].getsockname()[1])
            await self._stopped.wait()
        ends = list(self._connections.values())
        for writer in self._connections:
            writer.transport.abort()
        await asyncio.gather(*ends)

    def _connected(self) -> asyncio.StreamReaderProtocol:
        heard = bytearray()
        with self._changed:
            self._heard.append(heard)
        return asyncio.StreamReaderProtocol(_Overheard(heard), self._accept)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = self._connections[writer] = asyncio.get_running_loop().create_future()
        try:
            await Connection(self, reader, writer).serve()
        except Exception as error:  # noqa: BLE001 - a task boundary: `stop` raises it
            self.failures.append(error)
        finally:
            writer.transport.abort()
            del self._connections[writer]
            ended.set_result(None)


@contextmanager
def running_upstream(
    behaviour: Behaviour | None = None,
    *,
    behave: Behave | None = None,
    by_model: Mapping[str, Behaviour] | None = None,
    prices: Mapping[str, TokenPrices] | TokenPrices | None = None,
    deepseek: bool = False,
    api_key: str | None = None,
    models: tuple[str, ...] = ("fake-model",),
) -> Iterator[Upstream]:
    """Run a provider that does what `behave` says, or `by_model`, or else `behaviour`, for every request.

    `prices` are for all models or by model's name (a model without one is free). `deepseek` refuses
    what DeepSeek's API refuses and tells usage as it does. With `api_key`, other keys get 401.
    """
    usual = behaviour or Behaviour()
    named = by_model or {}

    def by_name(request: Received) -> Behaviour:
        return named.get(request.model, usual)

    upstream = Upstream(
        behave or by_name, prices=prices or TokenPrices(), deepseek=deepseek, api_key=api_key, models=models
    )
    upstream.start()
    try:
        yield upstream
    finally:
        upstream.stop()
