"""The three callables of ASGI, typed, and the few things that every plain endpoint does with them.

Source: the ASGI specification, version 3.0.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from router.errors import BodyTooLargeError, GatewayError, InvalidRequestError
from router.wire.json_error import error_body

Scope = MutableMapping[str, Any]  # the specification's own type
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

BODY_TIMEOUT_S = 60.0
JSON_HEADER: Header = (b"content-type", b"application/json")


class DisconnectedError(Exception):
    """The client left before its request was complete."""


async def read_body(scope: Scope, receive: Receive, bytes_max: int) -> bytes:
    """Read a request's body. Raises BodyTooLargeError, InvalidRequestError or DisconnectedError."""
    declared = dict(scope["headers"]).get(b"content-length")
    if declared is not None and declared.isdigit() and int(declared) > bytes_max:
        raise _too_large(bytes_max)
    first = await _receive(receive)
    if not first.get("more_body"):
        body: bytes = first.get("body", b"")
        if len(body) > bytes_max:
            raise _too_large(bytes_max)
        return body
    parts = [first.get("body", b"")]
    size = len(parts[0])
    while True:
        message = await _receive(receive)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > bytes_max:
            raise _too_large(bytes_max)
        if not message.get("more_body"):
            return b"".join(parts)


async def _receive(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            message = await receive()
    except TimeoutError:
        raise InvalidRequestError(
            f"the body did not arrive in {BODY_TIMEOUT_S:g} s", code="body_timeout"
        ) from None
    if message["type"] == "http.disconnect":
        raise DisconnectedError
    return message


def _too_large(bytes_max: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the body is larger than {bytes_max // 1_000_000} MB; send less, or raise server.max_body_mb",
    )


async def send_bytes(send: Send, status: int, headers: Iterable[Header], body: bytes) -> None:
    """Send a whole response."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def send_error(send: Send, error: GatewayError, headers: Iterable[Header] = ()) -> None:
    """Send `error` in OpenAI's shape."""
    await send_bytes(send, error.status, (JSON_HEADER, *error.headers, *headers), error_body(error))
