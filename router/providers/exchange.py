"""What providers over HTTP share, whatever they speak: refusals in words, and a stream being read."""

import contextlib
import re
from collections.abc import AsyncIterator
from typing import Protocol

import orjson

from router.completion import Completion, Piece
from router.errors import UpstreamError, UpstreamInvalidError
from router.providers.base import error_of_status
from router.providers.response import Response, too_large

ERROR_BYTES_MAX = 65_536
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
ENDING_S = 1.0
"""How long a connection may take to end after an answer's last event, so that it can be used again."""


async def read_whole(provider: str, response: Response) -> bytes:
    """Read an answer to its end; raises UpstreamError, and breaks the connection off then."""
    try:
        if response.status != 200:
            await _refuse(provider, response)
        return await response.read()
    except BaseException:
        response.close()
        raise


async def expect_events(provider: str, response: Response) -> None:
    """Return if an event stream has begun; else raises UpstreamError, and breaks the connection off."""
    try:
        await _refuse_all_but_events(provider, response)
    except BaseException:
        response.close()
        raise


class EventReader(Protocol):
    """Turns a provider's bytes into what the caller gets."""

    done: bool
    """Whether the provider has said that nothing more will come."""

    def feed(self, data: bytes) -> Piece:
        """Take bytes; return what goes to the caller. Raises UpstreamError."""

    def end(self) -> Piece:
        """The stream has ended. Raises UpstreamInvalidError if it was cut short."""

    def received_text(self) -> str:
        """All text so far."""

    def completion(self) -> Completion:
        """What was said at the end."""


class EventStream:
    """A response being read, event by event: a `CompletionStream`."""

    def __init__(self, response: Response, reader: EventReader, bytes_max: int) -> None:
        self._response = response
        self._reader = reader
        self._bytes_max = bytes_max
        self._is_whole = False

    async def __aiter__(self) -> AsyncIterator[Piece]:
        """Give the pieces as they come. Raises UpstreamError, also for a stream that is too long."""
        left = self._bytes_max
        async for data in self._response.parts():
            left -= len(data)
            if left < 0:
                raise too_large(self._response.name, self._bytes_max)
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


async def _refuse_all_but_events(provider: str, response: Response) -> None:
    if response.status != 200:
        await _refuse(provider, response)
    if response.media_type != "text/event-stream":
        raise UpstreamInvalidError(
            f"provider '{provider}' answered a streaming request with {response.media_type[:60]}",
            billable=True,
        )


async def _refuse(provider: str, response: Response) -> None:
    retry_after = response.headers.get(b"retry-after", b"")
    code: str | None = None
    with contextlib.suppress(UpstreamError):
        # the status is the answer: it stands although its body breaks off
        code = _code_of(await response.read(ERROR_BYTES_MAX))
    raise error_of_status(
        provider,
        response.status,
        code,
        retry_after if retry_after.isdigit() else None,
    )


def _code_of(data: bytes) -> str | None:
    """A provider's error code: a short word, never its sentence, which may repeat the prompt."""
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    error = body.get("error") if isinstance(body, dict) else None
    for key in ("code", "type"):  # vLLM's code is a number, Anthropic has none; the type says more
        code = error.get(key) if isinstance(error, dict) else None
        if isinstance(code, str) and _CODE.fullmatch(code):
            return code
    return None
