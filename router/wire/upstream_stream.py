"""Read an OpenAI-shaped provider's event stream while it passes to the caller.

Most chunks of a stream differ in one string, the content. Once one was parsed, the bytes around
its content are a mould: an event that fits it says nothing else new, whatever its spacing, and
passes unparsed. Every other event is parsed, so nothing is ever guessed from a pattern of bytes.

The usage is kept back: the caller gets it in one last event, when the money is known, and only if
it asked (OpenAI's contract for `include_usage`), wherever the provider told it.
"""

from dataclasses import dataclass

import orjson

from router.call import Call
from router.completion import Completion, Piece
from router.errors import UpstreamError, UpstreamInvalidError
from router.json_types import JsonObject, JsonValue
from router.wire.choice_text import choices_of, index_of, said_in, says_something
from router.wire.openai_usage import read_usage
from router.wire.sse import EventCutter, event_of, is_one_line, names_an_error, payload_of
from router.wire.stream_record import StreamRecord
from router.wire.upstream_answer import as_asked, error_code_of, rewrites, string_in

_LESSONS_MAX = 8
"""Streams whose chunks differ in more than the content (n > 1, obfuscation) are not studied for ever."""


@dataclass(frozen=True, slots=True)
class _Mould:
    """An event's bytes up to its content, and those after it; the quotation marks belong to them."""

    before: bytes
    after: bytes

    def fits(self, event: bytes) -> bool:
        """Whether `event` is this one with another content."""
        before, after = self.before, self.after
        if not (event.startswith(before) and event.endswith(after)):
            return False
        content = event[len(before) : -len(after)]
        return (
            len(event) >= len(before) + len(after)
            and b'"' not in content
            and b"\n" not in content
            and not content.endswith(b"\\")  # that would make the closing mark a part of the text
        )


class StreamReader:
    """Feed it bytes, send on what it gives back; at the end ask for the completion."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._cutter = EventCutter()
        self._record = StreamRecord(call)
        self._rewrites = rewrites(call)
        self._mould: _Mould | None = None
        self._lessons = 0
        self._has_content = False
        self._head: JsonObject | None = None
        self._finished: dict[int, str] = {}
        self._usage: JsonValue = None
        self._usage_chunk: JsonObject | None = None
        self.done = False
        """Whether the provider has said that nothing more will come."""

    def feed(self, data: bytes) -> Piece:
        """Take bytes from the provider; return what goes to the caller. Raises UpstreamError.

        The piece `has_content` once anything generated has come, thoughts and tool calls included.
        """
        sent = [self._event(event) for event in self._cutter.feed(data)]
        return Piece(b"".join(sent), self._has_content)

    def end(self) -> Piece:
        """Say that the provider closed the stream; return what was still to be sent.

        Raises UpstreamInvalidError if it was cut short. A choice that has its finish reason is whole:
        some providers close without [DONE].
        """
        sent = b""
        for event in self._cutter.end():
            try:
                sent = self._event(event)
            except UpstreamInvalidError:
                break  # an event cut in two: the choices say below whether anything is missing
        if not self.done and len(self._finished) < self._call.request.choices:
            raise self._invalid("ended the stream in the middle", "upstream_truncated")
        if self._head is None:
            raise self._invalid("ended the stream without an answer")
        return Piece(sent, self._has_content)

    def received_text(self) -> str:
        """All that was generated so far, thoughts and tool calls included: what an estimate counts."""
        return self._record.everything()

    def completion(self) -> Completion:
        """What the stream said, after its end."""
        head = self._head or {}
        extraction = self._call.request.schema is not None
        return Completion(
            body=b"",
            text=self._record.answer() if extraction else None,
            tokens=(self._record.tokens() or None) if extraction and self._call.route.logprobs else None,
            finish_reason=self._finished.get(0) or next(iter(self._finished.values()), None),
            usage=read_usage(self._usage),
            model_served=string_in(head, "model"),
            upstream_id=string_in(head, "id"),
            fingerprint=string_in(head, "system_fingerprint"),
            usage_event=orjson.dumps(self._usage_chunk) if self._usage_chunk is not None else b"",
        )

    def _event(self, event: bytes) -> bytes:
        if self.done:
            return b""
        mould = self._mould
        if mould is not None and mould.fits(event):
            self._record.add(event)
            return event
        payload = payload_of(event)
        if payload == b"[DONE]":
            self.done = True
            return b""
        if not payload:
            return b""  # a comment that keeps the connection alive, or a bare field
        chunk = self._parse(event, payload)
        self._record.add(event)
        return self._chunk(event, payload, chunk)

    def _chunk(self, event: bytes, payload: bytes, chunk: JsonObject) -> bytes:
        choices = choices_of(chunk)
        if self._head is None and choices:
            self._head = chunk
        for choice in choices:
            self._note(choice)
        tells_usage = isinstance(chunk.get("usage"), dict)
        if tells_usage:
            self._take_usage(chunk)
            if not choices:
                return b""
        if self._rewrites:
            return event_of(orjson.dumps(as_asked(self._call, chunk)))
        if tells_usage:
            return event_of(orjson.dumps(chunk))
        if not is_one_line(event):
            return event_of(payload.replace(b"\n", b" "))
        if len(choices) == 1 and self._lessons < _LESSONS_MAX:
            self._learn(event, choices[0])
        return event

    def _note(self, choice: JsonObject) -> None:
        finish_reason = choice.get("finish_reason")
        if isinstance(finish_reason, str) and finish_reason:
            self._finished[index_of(choice)] = finish_reason[:200]
        if not self._has_content:
            self._has_content = says_something(choice)

    def _take_usage(self, chunk: JsonObject) -> None:
        """Take the usage out of a chunk. Told several times, the last one counts that makes sense."""
        usage = chunk["usage"]
        if self._usage is None or read_usage(usage) is not None:
            self._usage = usage
            self._usage_chunk = {**chunk, "choices": [], "usage": usage}
        if self._call.request.include_usage:
            chunk["usage"] = None
        else:
            del chunk["usage"]

    def _learn(self, event: bytes, choice: JsonObject) -> None:
        """Make a mould of a chunk that says a content and no more."""
        said = said_in(choice)
        content = said.get("content")
        if not isinstance(content, str) or not content or choice.get("finish_reason"):
            return
        self._lessons += 1
        written = orjson.dumps(content)
        if event.count(written) == 1:
            start = event.index(written)
            self._mould = _Mould(event[: start + 1], event[start + len(written) - 1 :])

    def _parse(self, event: bytes, payload: bytes) -> JsonObject:
        try:
            chunk: JsonValue = orjson.loads(payload)
        except orjson.JSONDecodeError:
            raise self._invalid("sent an event that is not JSON") from None
        if not isinstance(chunk, dict):
            raise self._invalid("sent an event that is no object")
        if chunk.get("error") or names_an_error(event):
            provider = self._call.route.provider
            raise UpstreamError(
                f"provider '{provider}' broke off the stream with an error{error_code_of(chunk)}",
                billable=True,
            )
        return chunk

    def _invalid(self, what: str, code: str | None = None) -> UpstreamInvalidError:
        provider = self._call.route.provider
        return UpstreamInvalidError(f"provider '{provider}' {what}", code=code, billable=True)
