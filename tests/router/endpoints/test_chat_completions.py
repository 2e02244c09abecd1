"""How an answer is written: what a caller that stalls or leaves does to it."""

import asyncio
import json

from router.asgi import Message
from router.completion import Completion
from router.endpoints.chat_completions import ChatReply
from router.errors import UpstreamError
from router.reply import AnswerHead

HEAD = AnswerHead("req_1", "conv_1", "cheap", "route", "f" * 64, None)
ANSWER = Completion(b'{"id":"a"}', None, None, "stop", None, usage_event=b'{"choices":[],"usage":{}}')


class Wire:
    """A caller's connection: keeps what is sent, and closes or stalls when it is told to."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.closed = asyncio.Event()
        self.stalled = False

    async def receive(self) -> Message:
        """Wait until the caller leaves."""
        await self.closed.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Keep a message; never return once the caller reads no more."""
        if self.stalled:
            await asyncio.Event().wait()
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        """All bytes so far."""
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The response's headers."""
        return dict(self.sent[0]["headers"])


async def test_a_caller_that_stops_reading_counts_as_gone() -> None:
    wire = Wire()
    reply = ChatReply(wire.receive, wire.send, include_usage=False, stall_s=0.01)
    seen = []
    for stalled in (False, True):
        wire.stalled = stalled
        await reply.piece(HEAD, b"data: 1\n\n")
        seen.append(reply.client_left)
    assert seen == [False, True]
    assert wire.body == b"data: 1\n\n"


async def test_a_caller_that_closes_is_noticed() -> None:
    wire = Wire()
    reply = ChatReply(wire.receive, wire.send, include_usage=False)
    reply.watch()
    wire.closed.set()
    await reply.wait_until_left()
    assert reply.client_left


async def test_a_watch_that_nobody_waits_for_ends() -> None:
    wire = Wire()
    reply = ChatReply(wire.receive, wire.send, include_usage=False)
    reply.watch()
    await reply.unwatch()
    assert len(asyncio.all_tasks()) == 1


async def test_a_stream_ends_with_the_usage_and_done() -> None:
    wire = Wire()
    reply = ChatReply(wire.receive, wire.send, include_usage=True)
    await reply.piece(HEAD, b"data: 1\n\n")
    await reply.end(HEAD, ANSWER, {"cost_nano_usd": 1_500_000_000})
    events = wire.body.split(b"\n\n")
    assert events[0] == b"data: 1"
    assert json.loads(events[1][6:])["steelyard"]["cost_usd"] == "1.50"
    assert events[2] == b"data: [DONE]"
    assert wire.sent[-1]["more_body"] is False


async def test_a_stream_without_any_piece_still_has_its_head() -> None:
    wire = Wire()
    reply = ChatReply(wire.receive, wire.send, include_usage=False)
    await reply.end(HEAD, ANSWER, None)
    assert wire.headers[b"x-steelyard-route"] == b"route"
    assert wire.body == b"data: [DONE]\n\n"


async def test_a_stream_that_breaks_ends_with_the_error_and_without_done() -> None:
    wire = Wire()
    reply = ChatReply(wire.receive, wire.send, include_usage=True)
    await reply.piece(HEAD, b"data: 1\n\n")
    await reply.broken(UpstreamError("it broke", billable=True))
    last = wire.body.strip().split(b"\n\n")[-1]
    assert json.loads(last[6:])["error"]["code"] == "upstream_error"


async def test_a_whole_answer_passes_as_its_bytes_with_the_cost_beside_it() -> None:
    wire = Wire()
    reply = ChatReply(wire.receive, wire.send, include_usage=False)
    await reply.whole(HEAD, ANSWER, 2_500, None)
    assert wire.body == ANSWER.body
    assert wire.headers[b"x-steelyard-cost-usd"] == b"0.0000025"
    assert wire.headers[b"content-length"] == b"10"
