"""Bounds the bodies that FastAPI reads, which by itself reads any."""

from router.asgi import App, DisconnectedError, Message, Receive, Scope, Send, read_body
from router.body_room import BodyRoom, Claim


class BoundedBodies:
    """An ASGI application around another: it reads the body of whoever has a key, and hands it on whole."""

    def __init__(self, inner: App, bytes_max: int, room: BodyRoom) -> None:
        self._inner = inner
        self._bytes_max = bytes_max
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises GatewayError for a body that is not read."""
        holder = scope.get("steelyard.key") or scope.get("steelyard.caller")
        if holder is None or not _announces_body(scope):
            await self._inner(scope, receive, send)
            return
        claim = Claim(self._room, holder.key_id)
        try:
            body = await read_body(scope, receive, self._bytes_max, claim)
            await self._inner(scope, _handed_on(body, receive), send)
        except DisconnectedError:
            return
        finally:
            claim.release()


def _announces_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


def _handed_on(body: bytes, receive: Receive) -> Receive:
    """The body as one message, then what comes."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_next() -> Message:
        return left.pop() if left else await receive()

    return receive_next
