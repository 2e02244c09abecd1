"""What went over the wire for one request to litellm, noted where its HTTP clients send.

litellm's own exceptions do not tell it: an answer that it cannot read is a 422 to it, a broken connection a
500. And it asks a second time by itself when a connection breaks, whatever its settings say; that is refused
here, since the gateway counts attempts and the first may have been billed.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpx

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")


class AskedTwiceError(Exception):
    """litellm would have sent the same request again."""


@dataclass
class Wire:
    """One request's traffic."""

    sent: set[str] = field(default_factory=set)
    status: int | None = None
    """Of the last response; None before the first."""
    retry_after: str | None = None
    code: str | None = None
    """The provider's own word for what is wrong, where a header tells it."""
    failure: Exception | None = None
    """Why the last one got no response."""

    def begin(self, request: httpx.Request) -> None:
        """A request is about to be sent. Raises AskedTwiceError."""
        place = f"{request.method} {request.url}"
        if place in self.sent:
            raise AskedTwiceError
        self.sent.add(place)

    def answered(self, response: httpx.Response) -> None:
        """A response has come."""
        self.status = response.status_code
        self.retry_after = response.headers.get("retry-after")
        code = response.headers.get("x-amzn-errortype", "").partition(":")[0]
        self.code = code if _CODE.fullmatch(code) else None


_current: ContextVar[Wire | None] = ContextVar("wire", default=None)


@contextmanager
def watched() -> Iterator[Wire]:
    """Note what is sent in this block, and in the tasks and threads that it starts."""
    wire = Wire()
    token = _current.set(wire)
    try:
        yield wire
    finally:
        _current.reset(token)


_send = httpx.AsyncClient.send


async def _noted(client: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:
    wire = _current.get()
    if wire is None:
        return await _send(client, request, **options)
    wire.begin(request)
    try:
        response = await _send(client, request, **options)
    except Exception as error:
        wire.failure = error
        raise
    wire.answered(response)
    return response


def watch() -> None:
    """Have every client of httpx note what it sends: litellm makes its own, and some by classes of theirs."""
    httpx.AsyncClient.send = _noted  # type: ignore[method-assign, assignment]  # its options are any
