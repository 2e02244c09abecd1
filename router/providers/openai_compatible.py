"""Any server that speaks OpenAI's chat completions: OpenAI, DeepSeek's API, vLLM, SGLang ..."""

import contextlib
import re
from collections.abc import AsyncIterator

import orjson

from router.call import Call
from router.completion import Completion, CompletionStream, Piece
from router.errors import UpstreamError, UpstreamInvalidError
from router.providers.base import error_of_status
from router.providers.pool import Pool
from router.providers.response import Response
from router.providers.target import Target
from router.wire.upstream_answer import read_answer
from router.wire.upstream_chat import render_chat
from router.wire.upstream_stream import StreamReader

ERROR_BYTES_MAX = 65_536
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
ENDING_S = 1.0
"""How long a connection may take to end after [DONE], so that it can be used again."""


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
        try:
            if response.status != 200:
                await self._refuse(response)
            data = await response.read()
        except BaseException:
            response.close()
            raise
        return read_answer(call, data)

    async def stream(self, call: Call) -> CompletionStream:
        """Begin to answer in pieces."""
        response = await self._post(call)
        try:
            await self._refuse_all_but_events(response)
        except BaseException:
            response.close()
            raise
        return _Stream(call, response)

    async def _post(self, call: Call) -> Response:
        route = call.route
        return await self._pool.send(
            self._target, render_chat(call), total_s=route.deadline_s, idle_s=route.idle_timeout_s
        )

    async def close(self) -> None:
        """The pool is closed by who made it."""

    async def _refuse_all_but_events(self, response: Response) -> None:
        if response.status != 200:
            await self._refuse(response)
        if response.media_type != "text/event-stream":
            raise UpstreamInvalidError(
                f"provider '{self._name}' answered a streaming request with {response.media_type[:60]}",
                billable=True,
            )

    async def _refuse(self, response: Response) -> None:
        retry_after = response.headers.get(b"retry-after", b"")
        code: str | None = None
        with contextlib.suppress(UpstreamError):
            # the status is the answer: it stands although its body breaks off
            code = _code_of(await response.read(ERROR_BYTES_MAX))
        raise error_of_status(
            self._name,
            response.status,
            code,
            retry_after if retry_after.isdigit() else None,
        )


class _Stream:
    """A response being read, event by event."""

    def __init__(self, call: Call, response: Response) -> None:
        self._response = response
        self._reader = StreamReader(call)
        self._is_whole = False

    async def __aiter__(self) -> AsyncIterator[Piece]:
        """Give the pieces as they come."""
        async for data in self._response.parts():
            yield self._reader.feed(data)
            if self._reader.done:
                break
        yield self._reader.end()
        self._is_whole = self._reader.done

    def received_text(self) -> str:
        """All text so far."""
        return self._reader.received_text()

    def completion(self) -> Completion:
        """What was said at the end."""
        return self._reader.completion()

    async def aclose(self) -> None:
        """Break the connection off if the answer is not complete. One that was read to its end may take a
        moment to end, and nobody waits for it."""
        if self._is_whole:
            self._response.leave(ENDING_S)
        else:
            self._response.close()


def _code_of(data: bytes) -> str | None:
    """A provider's error code: a short word, never its sentence, which may repeat the prompt."""
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    error = body.get("error") if isinstance(body, dict) else None
    for key in ("code", "type"):  # vLLM's code is a number; its type says more
        code = error.get(key) if isinstance(error, dict) else None
        if isinstance(code, str) and _CODE.fullmatch(code):
            return code
    return None
