"""Any server that speaks OpenAI's chat completions: OpenAI, DeepSeek's API, vLLM, SGLang ..."""

from router.call import Call
from router.completion import Completion, CompletionStream
from router.providers.exchange import EventStream, expect_events, read_whole
from router.providers.pool import Pool
from router.providers.response import Response
from router.providers.target import Target
from router.wire.stream_limits import stream_bytes_max
from router.wire.upstream_answer import read_answer
from router.wire.upstream_chat import render_chat
from router.wire.upstream_stream import StreamReader


class OpenAICompatible:
    """One provider. `api_key` comes from the environment; None where the server wants none."""

    def __init__(self, name: str, base_url: str, api_key: str | None, pool: Pool) -> None:
        self._name = name
        self._pool = pool
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if api_key is not None:
            headers["authorization"] = f"Bearer {api_key}"
        url = f"{base_url.rstrip('/')}/chat/completions"
        self._target = Target.of(f"provider '{name}'", "POST", url, headers)

    async def complete(self, call: Call) -> Completion:
        """Answer whole."""
        response = await self._post(call)
        return read_answer(call, await read_whole(self._name, response))

    async def stream(self, call: Call) -> CompletionStream:
        """Begin to answer in pieces."""
        response = await self._post(call)
        await expect_events(self._name, response)
        return EventStream(response, StreamReader(call), stream_bytes_max(call))

    async def _post(self, call: Call) -> Response:
        route = call.route
        return await self._pool.send(
            self._target, render_chat(call), total_s=route.deadline_s, idle_s=route.idle_timeout_s
        )

    async def close(self) -> None:
        """The pool is closed by who made it."""
