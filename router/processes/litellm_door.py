"""The worker's one path, in OpenAI's format: what the gateway's own readers of that format then read."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import orjson

from router.asgi import JSON_HEADER, Receive, Scope, Send, read_body, send_bytes
from router.json_types import JsonObject
from router.processes import litellm_answers
from router.processes.litellm_cause import CAUSE_HEADER
from router.processes.litellm_failure import Failure, StreamCutError, failure_of
from router.processes.litellm_settings import LitellmSettings
from router.processes.litellm_wire import Wire, watched
from router.wire.sse import DONE, event_of

BODY_BYTES_MAX = 512 * 1024 * 1024
"""The gateway has its own limit; a body is never so long."""


class Door:
    """The ASGI application."""

    def __init__(self, settings: LitellmSettings) -> None:
        """Raises UnknownVendorError."""
        litellm_answers.set_up(settings)
        self._settings = settings
        self._shown = f"Bearer {settings.door_key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; when the gateway leaves, litellm's work ends."""
        if scope["type"] != "http":
            return
        if not secrets.compare_digest(dict(scope["headers"]).get(b"authorization", b""), self._shown):
            await send_bytes(send, 401, (), b"")
            return
        body: JsonObject = orjson.loads(await read_body(scope, receive, BODY_BYTES_MAX))
        work = asyncio.ensure_future(self._answer(body, send))
        left = asyncio.ensure_future(receive())  # after a body, the next message is that the gateway left
        try:
            await asyncio.wait((work, left), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, left):
                task.cancel()
            await asyncio.gather(work, left, return_exceptions=True)

    async def _answer(self, body: JsonObject, send: Send) -> None:
        with watched() as wire:
            try:
                answer = await litellm_answers.ask(self._settings, body)
                whole = None if body.get("stream") is True else litellm_answers.whole(answer)
            except Exception as error:  # noqa: BLE001  a task's boundary: the gateway is told what it means
                await _refuse(send, failure_of(error, wire, body))
                return
            if whole is not None:
                await send_bytes(send, 200, (JSON_HEADER,), orjson.dumps(whole))
                return
            kind = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": kind})
            async for event in _events(litellm_answers.chunks(answer), wire, body):
                await send({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def _events(chunks: AsyncIterator[JsonObject], wire: Wire, body: JsonObject) -> AsyncIterator[bytes]:
    """A stream's events; one that fails ends with an error, or, if it was cut, without an end."""
    try:
        async for chunk in chunks:
            yield event_of(orjson.dumps(chunk))
    except StreamCutError:
        return
    except Exception as error:  # noqa: BLE001  a task's boundary: the gateway is told what it means
        failure = failure_of(error, wire, body)
        yield event_of(orjson.dumps({"error": {"code": failure.code or failure.cause}}))
        return
    yield DONE


async def _refuse(send: Send, failure: Failure) -> None:
    headers = [JSON_HEADER]
    if failure.cause is not None:
        headers.append((CAUSE_HEADER.encode(), failure.cause.encode()))
    if failure.retry_after is not None:
        headers.append((b"retry-after", failure.retry_after.encode()))
    await send_bytes(send, failure.status, headers, orjson.dumps({"error": {"code": failure.code}}))
