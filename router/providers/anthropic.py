"""Anthropic's Messages API, and servers that speak it. Callers still speak OpenAI's format."""

from ledger.clock import Clock
from router.call import Call
from router.completion import Completion, CompletionStream
from router.providers.exchange import EventStream, expect_events, read_whole
from router.providers.pool import Pool
from router.providers.response import Response
from router.providers.target import Target
from router.wire.anthropic_answer import read_message
from router.wire.anthropic_request import render_messages
from router.wire.anthropic_stream import MessageStreamReader
from router.wire.stream_limits import stream_bytes_max

VERSION = "2023-06-01"
"""Of the API: it names the shapes that the readers here know, and is the only one since then."""


class Anthropic:
    """One provider. `api_key` comes from the environment; None where the server wants none.

    `base_url` may end with /v1, as our other providers' do, or leave it out, as Anthropic's own
    clients do.
    """

    def __init__(self, name: str, base_url: str, api_key: str | None, pool: Pool, clock: Clock) -> None:
        self._name = name
        self._pool = pool
        self._clock = clock
        headers = {
            "content-type": "application/json",
            "accept-encoding": "identity",
            "anthropic-version": VERSION,
        }
        if api_key is not None:
            headers["x-api-key"] = api_key
        url = f"{base_url.rstrip('/').removesuffix('/v1')}/v1/messages"
        self._target = Target.of(f"provider '{name}'", "POST", url, headers)

    async def complete(self, call: Call) -> Completion:
        """Answer whole."""
        response = await self._post(call)
        return read_message(call, await read_whole(self._name, response), self._now_s())

    async def stream(self, call: Call) -> CompletionStream:
        """Begin to answer in pieces."""
        response = await self._post(call)
        await expect_events(self._name, response)
        return EventStream(response, MessageStreamReader(call, self._now_s()), stream_bytes_max(call))

    async def _post(self, call: Call) -> Response:
        route = call.route
        return await self._pool.send(
            self._target, render_messages(call), total_s=route.deadline_s, idle_s=route.idle_timeout_s
        )

    def _now_s(self) -> int:
        """OpenAI's answers say when they were made, Anthropic's do not."""
        return self._clock() // 1_000_000

    async def close(self) -> None:
        """The pool is closed by who made it."""
