"""One connection to the fake provider: reads requests, and answers each as its script says."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Mapping
from http import HTTPStatus
from typing import Protocol

import orjson

from support.upstream_answers import HTML, Answer, error_body
from support.upstream_bill import Ending, FakeUsage
from support.upstream_format import Format, format_of
from support.upstream_script import Behaviour, Fault, Received, UsageTold

JSON = "application/json"
_STATUSES = frozenset(HTTPStatus)
HEAD_BYTES_MAX = 1 << 20
PADDING_PIECE = b" " * 65_536
LINGER_NOTHING = struct.pack("ii", 1, 0)
"""SO_LINGER with zero seconds: closing sends a reset."""


class Provider(Protocol):
    """What a connection needs of the server that it belongs to."""

    deepseek: bool
    api_key: str | None
    model_list: bytes

    def behave(self, request: Received, /) -> Behaviour:
        """Say what to do with a request."""

    def arrived(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Received:
        """Keep a request."""

    def charge(self, request: Received, usage: FakeUsage | None, ending: Ending, *, told: bool) -> None:
        """Write a line of the bill."""

    async def released(self) -> None:
        """Wait until hanging answers may go on."""


class _BrokenOffError(Exception):
    """The script broke the connection; nothing more is to be sent."""


class _ClientLeftError(Exception):
    """The client closed its side while it was answered."""


class Connection:
    """Serves the requests of one connection, one after the other."""

    def __init__(
        self, provider: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._provider = provider
        self._reader = reader
        self._writer = writer
        self._inbox: asyncio.Queue[Received | None] = asyncio.Queue(maxsize=64)
        self._left = asyncio.Event()

    async def serve(self) -> None:
        """Answer until one side closes."""
        reading = asyncio.create_task(self._read_all())
        try:
            while (request := await self._inbox.get()) is not None:
                await self._serve_one(request)
        except (_BrokenOffError, _ClientLeftError):
            return
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading

    async def _read_all(self) -> None:
        """Read ahead while an answer is written, so that a client that leaves is noticed."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._inbox.put(await self._read_one())
        self._left.set()
        await self._inbox.put(None)

    async def _read_one(self) -> Received:
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        pairs = (line.split(":", 1) for line in lines[1:] if line)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return self._provider.arrived(method, path, headers, body)

    async def _serve_one(self, request: Received) -> None:
        spoken = format_of(request.path)
        if spoken is not None and request.method == "POST":
            await self._chat(request, spoken)
        elif request.path.endswith("/models") and request.method == "GET":
            await self._send_whole(200, JSON, self._provider.model_list)
        else:
            missing = Behaviour(
                status=404, error_code="not_found", error_message=f"there is nothing at {request.path}"
            )
            await self._send_whole(404, JSON, orjson.dumps(error_body(missing)))

    async def _chat(self, request: Received, spoken: Format) -> None:
        provider = self._provider
        refused = spoken.refusal(request, provider.api_key, deepseek=provider.deepseek)
        behaviour = refused or provider.behave(request)
        answer = spoken.answer(request, behaviour, deepseek=provider.deepseek)
        sending = _Sending(self, provider, answer, spoken)
        try:
            await self.pause(behaviour.latency_s)
            if behaviour.fault is Fault.HANG_BEFORE_HEADERS:
                await self.hang()
            if behaviour.fault is Fault.RESET_BEFORE_HEADERS:
                self.reset()
            if behaviour.status != 200 or behaviour.fault is Fault.ERROR_BODY:
                sending.settle(Ending.REFUSED)
                body = orjson.dumps(spoken.error(behaviour))
                await self._send_whole(behaviour.status, JSON, body, behaviour.headers)
            else:
                await (sending.stream() if request.stream else sending.whole())
        except (_ClientLeftError, ConnectionError) as error:
            sending.settle(Ending.CLIENT_LEFT)
            raise _ClientLeftError from error
        finally:
            sending.settle(Ending.BROKEN)

    async def _send_whole(
        self, status: int, content_type: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        await self.send(head_of(status, content_type, len(body), headers) + body)

    async def send(self, data: bytes) -> None:
        """Write; raises _ClientLeftError once the client has closed its side."""
        if self._left.is_set():
            raise _ClientLeftError
        self._writer.write(data)
        await self._writer.drain()

    async def hang(self) -> None:
        """Wait for the test's `release()`, or for the client to leave."""
        await self._unless_left(self._provider.released())

    def close(self) -> None:
        """End the connection after what was written."""
        self._writer.close()
        raise _BrokenOffError

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOTHING)
        self._writer.transport.abort()
        raise _BrokenOffError

    async def pause(self, seconds: float) -> None:
        """Let time pass, as a slow provider does; raises _ClientLeftError if the client does not wait."""
        if seconds > 0:
            await self._unless_left(asyncio.sleep(seconds))

    async def _unless_left(self, awaited: Awaitable[None]) -> None:
        waiting, left = asyncio.ensure_future(awaited), asyncio.create_task(self._left.wait())
        try:
            done, _ = await asyncio.wait((waiting, left), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            left.cancel()
        if waiting not in done:
            raise _ClientLeftError


class _Sending:
    """Puts one answer on the wire, with the script's fault at the script's place."""

    def __init__(self, connection: Connection, provider: Provider, answer: Answer, spoken: Format) -> None:
        self._to = connection
        self._spoken = spoken
        self._provider = provider
        self._answer = answer
        self._script = answer.behaviour
        self._chunks_sent = 0
        self._told = False
        self._settled = False

    def settle(self, ending: Ending) -> None:
        """Write the bill's line, once: before the last byte goes out, so that who has read it finds the line."""
        if self._settled:
            return
        self._settled = True
        request, usage = self._answer.request, self._answer.usage if _charged(self._script) else None
        if usage is not None and request.stream and ending in (Ending.BROKEN, Ending.CLIENT_LEFT):
            usage = self._answer.usage_after(self._chunks_sent)
        self._provider.charge(request, usage, ending, told=self._told)

    async def whole(self) -> None:
        """Send a plain answer."""
        script, fault = self._script, self._script.fault
        if fault is Fault.HTML:
            self._chunks_sent = len(self._answer.pieces)
            self.settle(Ending.BROKEN)
            await self._to.send(head_of(200, "text/html; charset=utf-8", len(HTML), script.headers) + HTML)
            return
        body = self._plain_body()
        await self._to.send(head_of(200, JSON, len(body) + script.padding_bytes, script.headers))
        await self._pad()
        if fault in (Fault.TRUNCATE, Fault.RESET, Fault.HANG_MID):
            half = len(body) // 2
            await self._drip(body[:half])
            await self._strike(fault)
            body = body[half:]
        spoilt = fault in (Fault.INVALID_JSON, Fault.NOT_AN_OBJECT, Fault.CUT_SHORT, Fault.ERROR_EVENT)
        self._told = not spoilt and script.usage_told is not UsageTold.NEVER
        self.settle(Ending.BROKEN if spoilt else Ending.COMPLETE)
        await self._drip(body)

    def _plain_body(self) -> bytes:
        body = self._spoken.whole(self._answer)
        match self._script.fault:
            case Fault.INVALID_JSON | Fault.CUT_SHORT:
                return body[: len(body) // 2]
            case Fault.NOT_AN_OBJECT:
                return b"[1, 2]"
            case Fault.ERROR_EVENT:
                return orjson.dumps(self._spoken.error(self._script))
        return body

    async def stream(self) -> None:
        """Send a stream of events, in HTTP's chunked framing."""
        script = self._script
        if script.fault is Fault.HTML:
            await self.whole()
            return
        await self._to.send(head_of(200, self._spoken.stream_type, None, script.headers))
        if script.padding_bytes:
            await self._chunk(b"data: ")
            await self._pad(framed=True)
            await self._chunk(b"\n\n")
        async for data in self._events():
            if data:  # an empty chunk would end the answer
                await self._chunk(data)
        await self._to.send(b"0\r\n\r\n")

    async def _events(self) -> AsyncIterator[bytes]:
        answer, script, fault, spoken = self._answer, self._script, self._script.fault, self._spoken
        for chunk in spoken.opening(answer):
            yield chunk
        chunks = spoken.contents(answer)
        strikes_at = min(script.fault_after, len(chunks)) if fault in _MID else -1
        for number, chunk in enumerate(chunks):
            if number == strikes_at:
                break
            await self._to.pause(script.pace_s if number else 0.0)
            yield chunk
            self._chunks_sent = number + 1
        if strikes_at >= 0:
            if fault is not Fault.HANG_MID:
                self.settle(Ending.BROKEN)
                broken = self._broken_event()
                if broken:
                    yield broken
                await self._strike(fault)
                return
            await self._strike(fault)
            for number, chunk in enumerate(chunks[strikes_at:], strikes_at):
                yield chunk
                self._chunks_sent = number + 1
        while fault is Fault.ENDLESS:
            yield chunks[-1]
        yield spoken.finish(answer)
        if script.usage_told is UsageTold.LATE:
            await self._to.hang()
        self._told = spoken.tells_usage(answer.request) and script.usage_told is not UsageTold.NEVER
        self.settle(Ending.COMPLETE)
        yield spoken.usage(answer)
        if fault is not Fault.NO_DONE:
            yield spoken.done

    def _broken_event(self) -> bytes:
        match self._script.fault:
            case Fault.INVALID_JSON:
                return self._spoken.half_event
            case Fault.NOT_AN_OBJECT:
                return b"data: [1, 2]\n\n"
            case Fault.ERROR_EVENT:
                return self._spoken.error_event(self._script)
        return b""

    async def _strike(self, fault: Fault) -> None:
        match fault:
            case Fault.HANG_MID:
                await self._to.hang()
            case Fault.TRUNCATE:
                self._to.close()
            case Fault.RESET:
                self._to.reset()

    async def _chunk(self, data: bytes) -> None:
        await self._drip(b"%x\r\n%b\r\n" % (len(data), data))

    async def _drip(self, data: bytes) -> None:
        step = self._script.drip_bytes or len(data) or 1
        for start in range(0, len(data), step):
            if start:
                await self._to.pause(self._script.pace_s)
                await asyncio.sleep(0)
            await self._to.send(data[start : start + step])

    async def _pad(self, *, framed: bool = False) -> None:
        for start in range(0, self._script.padding_bytes, len(PADDING_PIECE)):
            piece = PADDING_PIECE[: self._script.padding_bytes - start]
            await (self._chunk(piece) if framed else self._to.send(piece))


_MID = frozenset(
    {
        Fault.HANG_MID, Fault.TRUNCATE, Fault.CUT_SHORT, Fault.RESET,
        Fault.ERROR_EVENT, Fault.INVALID_JSON, Fault.NOT_AN_OBJECT,
    }
)  # fmt: skip


def head_of(status: int, content_type: str, length: int | None, headers: Mapping[str, str] | None) -> bytes:
    """An answer's status line and headers; without a length, chunked."""
    fields = {
        "content-type": content_type,
        **({"transfer-encoding": "chunked"} if length is None else {"content-length": str(length)}),
        **(headers or {}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    phrase = HTTPStatus(status).phrase if status in _STATUSES else "Overloaded"
    return f"HTTP/1.1 {status} {phrase}\r\n{lines}\r\n".encode("latin-1")


def _charged(behaviour: Behaviour) -> bool:
    if behaviour.charged is not None:
        return behaviour.charged
    return behaviour.status == 200 and behaviour.fault is not Fault.ERROR_BODY
