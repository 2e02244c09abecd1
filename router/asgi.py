"""The three callables of ASGI, typed, and the few things that every plain endpoint does with them.

Source: the ASGI specification, version 3.0.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from router.body_room import SMALL_BYTES, Claim
from router.errors import BodyTooLargeError, GatewayError, InvalidRequestError, UnsupportedEncodingError
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


async def read_body(scope: Scope, receive: Receive, bytes_max: int, claim: Claim | None = None) -> bytes:
    """Read a request's body, within `claim` if it is not small.

    Raises BodyTooLargeError, UnsupportedEncodingError, BusyError, InvalidRequestError or DisconnectedError.
    """
    declared = _declared_bytes(scope)
    if declared > bytes_max:
        raise _too_large(bytes_max)
    first = await _receive(receive)
    part: bytes = first.get("body", b"")
    if not first.get("more_body") and len(part) <= SMALL_BYTES:
        if len(part) > bytes_max:
            raise _too_large(bytes_max)
        return part
    if claim is not None:
        claim.cover(declared)
    body = bytearray(part)  # and no list of parts: of tiny ones it would hold forty times their bytes
    message = first
    while True:
        if len(body) > bytes_max:
            raise _too_large(bytes_max)
        if claim is not None:
            claim.cover(len(body))
        if not message.get("more_body"):
            return bytes(body)
        message = await _receive(receive)
        body += message.get("body", b"")


def _declared_bytes(scope: Scope) -> int:
    """The length that a body declares, or 0. Raises UnsupportedEncodingError for one that is packed."""
    declared = 0
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            declared = int(value)
        elif name == b"content-encoding" and value.strip().lower() != b"identity":
            raise UnsupportedEncodingError(value.decode("latin-1"))
    return declared


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
