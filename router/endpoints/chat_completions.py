"""POST /v1/chat/completions, plain ASGI: the hot path does without a framework."""

import asyncio

import orjson

from ledger.ids import RequestId
from ledger.money import format_usd
from router.asgi import (
    JSON_HEADER,
    DisconnectedError,
    Header,
    Receive,
    Scope,
    Send,
    read_body,
    send_bytes,
    send_error,
)
from router.body_room import BodyRoom, Claim
from router.caller import Caller
from router.completion import Completion
from router.errors import ClientLeftError, GatewayError, MethodNotAllowedError
from router.json_types import JsonObject
from router.pipeline import Pipeline
from router.reply import AnswerHead
from router.wire.chat_request import read_chat_request
from router.wire.json_error import error_body
from router.wire.sse import DONE, event_of

_SSE_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)
HEARTBEAT = b": the answer is being checked\n\n"
STALL_S = 60.0
"""How long a caller of a stream may read nothing while there is something to read."""


class ChatCompletions:
    """The endpoint: read, hand to the pipeline, write."""

    def __init__(self, pipeline: Pipeline, body_bytes_max: int, room: BodyRoom) -> None:
        self._pipeline = pipeline
        self._room = room
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every GatewayError becomes OpenAI's error shape."""
        request_id: RequestId = scope["steelyard.request_id"]
        caller: Caller = scope["steelyard.caller"]
        reply: ChatReply | None = None
        claim = Claim(self._room, caller.key_id)
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowedError("use POST", param=None)
            body = await read_body(scope, receive, self._body_bytes_max, claim)
            request = read_chat_request(body, dict(scope["headers"]))
            reply = ChatReply(receive, send, include_usage=request.include_usage)
            if request.stream:
                reply.watch()
            await self._pipeline.answer(request, request_id, caller, reply)
        except (ClientLeftError, DisconnectedError):
            return
        except GatewayError as error:
            if reply is not None and reply.started:
                await reply.broken(error)
            else:
                await send_error(send, error, ((b"x-steelyard-request-id", request_id.encode()),))
        finally:
            claim.release()
            if reply is not None:
                await reply.unwatch()


class ChatReply:
    """Writes one answer in OpenAI's chat format."""

    def __init__(
        self, receive: Receive, send: Send, *, include_usage: bool, stall_s: float = STALL_S
    ) -> None:
        self._stall_s = stall_s
        self._receive = receive
        self._send = send
        self._include_usage = include_usage
        self._started = False
        self._stalled = False
        self._watcher: asyncio.Task[None] | None = None

    @property
    def started(self) -> bool:
        """Whether a byte has gone out."""
        return self._started

    @property
    def client_left(self) -> bool:
        """Whether the caller closed its connection, or stopped reading."""
        return self._stalled or (self._watcher is not None and self._watcher.done())

    def watch(self) -> None:
        """Begin to watch for the caller's leaving."""
        self._watcher = asyncio.create_task(self._disconnect())

    async def unwatch(self) -> None:
        """End the watch."""
        if self._watcher is not None and not self._watcher.done():
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)

    async def wait_until_left(self) -> None:
        """Return when the caller closes its connection."""
        if self._watcher is None:
            self.watch()
        if self._watcher is not None:
            await asyncio.shield(self._watcher)

    async def _disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue

    async def whole(
        self, head: AnswerHead, completion: Completion, cost_nano_usd: int, details: JsonObject | None
    ) -> None:
        """Write a whole answer."""
        body = completion.body if details is None else _with_details(completion.body, details)
        self._started = True
        headers = [
            JSON_HEADER,
            *_headers(head),
            (b"x-steelyard-cost-usd", format_usd(cost_nano_usd).encode()),
        ]
        await send_bytes(self._send, 200, headers, body)

    async def piece(self, head: AnswerHead, data: bytes) -> None:
        """Write a part of a streamed answer, the head first."""
        if not self._started:
            self._started = True
            headers = [*_SSE_HEADERS, *_headers(head)]
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send_part(data, more=True)

    async def heartbeat(self, head: AnswerHead) -> None:
        """Say that the answer is still being checked: a comment, which clients do not show."""
        await self.piece(head, HEARTBEAT)

    async def _send_part(self, data: bytes, *, more: bool) -> None:
        """Send a part as fast as the caller reads it; one that reads nothing for long has left."""
        try:
            async with asyncio.timeout(self._stall_s):
                await self._send({"type": "http.response.body", "body": data, "more_body": more})
        except TimeoutError:
            self._stalled = True

    async def end(self, head: AnswerHead, completion: Completion, details: JsonObject | None) -> None:
        """Write the usage event if it was asked for, and the last byte."""
        if not self._started:
            await self.piece(head, b"")
        last = DONE
        if self._include_usage and completion.usage_event:
            event = completion.usage_event
            last = event_of(event if details is None else _with_details(event, details)) + DONE
        await self._send_part(last, more=False)

    async def broken(self, error: GatewayError) -> None:
        """Say in the stream that it failed, and end it without [DONE]."""
        await self._send_part(event_of(error_body(error)), more=False)


def _headers(head: AnswerHead) -> list[Header]:
    headers = [
        (b"x-steelyard-request-id", head.request_id.encode()),
        (b"x-steelyard-conversation", head.conversation.encode("latin-1", "replace")),
        (b"x-steelyard-plan", head.plan.encode()),
        (b"x-steelyard-policy", head.policy[:16].encode()),
    ]
    if head.route:  # not yet known where heartbeats go out before an answer
        headers.append((b"x-steelyard-route", head.route.encode()))
    if head.audit is not None:
        headers.append((b"x-steelyard-audit", head.audit.encode()))
    if head.max_tokens is not None:
        headers.append((b"x-steelyard-max-tokens", str(head.max_tokens).encode()))
    return headers


def _with_details(body: bytes, details: JsonObject) -> bytes:
    cost = details["cost_nano_usd"]
    document = orjson.loads(body)
    document["steelyard"] = {**details, "cost_usd": format_usd(cost if isinstance(cost, int) else 0)}
    return orjson.dumps(document)
