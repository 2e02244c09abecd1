"""Read Anthropic's event stream and write OpenAI's chunks to the caller while it comes.

A message begins, its blocks begin, grow and end one after the other, then it is told why it ended
and what it used; only `message_stop` makes it whole. Pings and events that we do not know pass
unseen, as Anthropic's versioning asks. Source: Anthropic's guide "Streaming messages",
anthropic-sdk-python 2.14.0 (`types/raw_message_stream_event.py`), November 2026.

The usage is kept back, as for every provider: the caller gets it in one last event if it asked.
"""

import orjson

from router.call import Call
from router.completion import Completion, Piece
from router.errors import UpstreamError, UpstreamInvalidError
from router.json_types import JsonObject, JsonValue
from router.wire.anthropic_answer import arguments_text, finish_reason_of
from router.wire.anthropic_usage import joined_usage, read_message_usage
from router.wire.openai_usage import usage_object
from router.wire.sse import EventCutter, event_of, names_an_error, payload_of
from router.wire.stream_record import StreamRecord
from router.wire.upstream_answer import error_code_of, string_in
from router.wire.upstream_chat import asks_by_tool


class MessageStreamReader:
    """Feed it bytes, send on what it gives back; at the end ask for the completion."""

    def __init__(self, call: Call, created: int) -> None:
        self._call = call
        self._created = created
        self._cutter = EventCutter()
        self._record = StreamRecord(call)
        self._message: JsonObject | None = None
        self._calls: dict[int, int] = {}
        """The number among the tool calls that a block is, by its number among the blocks."""
        self._silent: set[int] = set()
        """Tool calls that have no arguments yet."""
        self._stop_reason: JsonValue = None
        self._used: JsonObject = {}
        self._tells_usage = False
        self._has_content = False
        self.done = False
        """Whether the provider has said that nothing more will come."""

    def feed(self, data: bytes) -> Piece:
        """Take bytes from the provider; return what goes to the caller. Raises UpstreamError."""
        sent = [self._event(event) for event in self._cutter.feed(data)]
        return Piece(b"".join(sent), self._has_content)

    def end(self) -> Piece:
        """Say that the provider closed the stream; return what was still to be sent.

        Raises UpstreamInvalidError if it was cut short: a message that was not told to be whole is none.
        """
        sent = b""
        for event in self._cutter.end():
            try:
                sent = self._event(event)
            except UpstreamInvalidError:
                break  # an event cut in two
        if not self.done:
            raise self._invalid("ended the stream in the middle", "upstream_truncated")
        if self._message is None:
            raise self._invalid("ended the stream without an answer")
        return Piece(sent, self._has_content)

    def received_text(self) -> str:
        """All that was generated so far, thoughts and tool calls included: what an estimate counts."""
        return self._record.everything()

    def completion(self) -> Completion:
        """What the stream said, after its end."""
        message = self._message or {}
        usage = read_message_usage(self._used) if self._tells_usage else None
        usage_chunk = self._chunk([])
        if usage is not None:
            usage_chunk["usage"] = usage_object(usage)
        return Completion(
            body=b"",
            text=self._record.answer() if self._call.request.schema is not None else None,
            tokens=None,
            finish_reason=finish_reason_of(self._call, self._stop_reason),
            usage=usage,
            model_served=string_in(message, "model"),
            upstream_id=string_in(message, "id"),
            usage_event=orjson.dumps(usage_chunk) if usage is not None else b"",
        )

    def _event(self, event: bytes) -> bytes:
        payload = payload_of(event)
        if self.done or not payload:
            return b""
        body = self._parse(event, payload)
        kind = body.get("type")
        if kind == "message_start":
            return self._begin(body)
        if kind == "ping" or not isinstance(kind, str):
            return b""
        if self._message is None:
            raise self._invalid("sent a part of an answer before its beginning")
        match kind:
            case "content_block_start":
                return self._begin_block(_number(body), _object(body, "content_block"))
            case "content_block_delta":
                return self._grow_block(_number(body), _object(body, "delta"))
            case "content_block_stop":
                return self._end_block(_number(body))
            case "message_delta":
                return self._end_message(body)
            case "message_stop":
                self.done = True
        return b""

    def _begin(self, body: JsonObject) -> bytes:
        if self._message is not None:
            raise self._invalid("began a second answer in one stream")
        self._message = _object(body, "message")
        self._used = joined_usage({}, self._message.get("usage"))
        return self._say({"role": "assistant", "content": "", "refusal": None})

    def _begin_block(self, number: int, block: JsonObject) -> bytes:
        match block.get("type"):
            case "text":
                return self._tell("content", block.get("text"))
            case "thinking":
                return self._tell("reasoning_content", block.get("thinking"))
            case "tool_use":
                return self._begin_call(number, block)
        return b""

    def _begin_call(self, number: int, block: JsonObject) -> bytes:
        position = self._calls[number] = len(self._calls)
        self._silent.add(number)
        call: JsonObject = {"index": position, "id": string_in(block, "id"), "type": "function"}
        function: JsonObject = {"name": string_in(block, "name"), "arguments": ""}
        sent = (
            b""
            if asks_by_tool(self._call)
            else self._generated({"tool_calls": [{**call, "function": function}]})
        )
        given = block.get("input")
        if isinstance(given, dict) and given:  # servers that speak this format may say it all at once
            sent += self._argue(number, arguments_text(given))
        return sent

    def _grow_block(self, number: int, delta: JsonObject) -> bytes:
        match delta.get("type"):
            case "text_delta":
                return self._tell("content", delta.get("text"))
            case "thinking_delta":
                return self._tell("reasoning_content", delta.get("thinking"))
            case "input_json_delta":
                part = delta.get("partial_json")
                return self._argue(number, part) if isinstance(part, str) and part else b""
        return b""  # a signature, a citation

    def _argue(self, number: int, arguments: str) -> bytes:
        """Tell a part of a tool call's arguments."""
        position = self._calls.get(number)
        if position is None:
            raise self._invalid("sent arguments of no tool's call")
        self._silent.discard(number)
        if asks_by_tool(self._call):
            return self._generated({"content": arguments}) if position == 0 else b""
        return self._generated({"tool_calls": [{"index": position, "function": {"arguments": arguments}}]})

    def _end_block(self, number: int) -> bytes:
        """A tool that takes no arguments was told none: to OpenAI's clients that is an empty object."""
        return self._argue(number, "{}") if number in self._silent else b""

    def _end_message(self, body: JsonObject) -> bytes:
        self._tells_usage = self._tells_usage or isinstance(body.get("usage"), dict)
        self._used = joined_usage(self._used, body.get("usage"))
        stop_reason = _object(body, "delta").get("stop_reason")
        if stop_reason is None or self._stop_reason is not None:
            return b""
        self._stop_reason = stop_reason
        return self._say({}, finish_reason_of(self._call, stop_reason))

    def _tell(self, key: str, text: JsonValue) -> bytes:
        return self._generated({key: text}) if isinstance(text, str) and text else b""

    def _generated(self, delta: JsonObject) -> bytes:
        self._has_content = True
        event = self._say(delta)
        self._record.add(event)
        return event

    def _say(self, delta: JsonObject, finish_reason: str | None = None) -> bytes:
        choice: JsonObject = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk = self._chunk([choice])
        if self._call.request.include_usage:
            chunk["usage"] = None
        return event_of(orjson.dumps(chunk))

    def _chunk(self, choices: list[JsonValue]) -> JsonObject:
        message = self._message or {}
        return {
            "id": string_in(message, "id"),
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": string_in(message, "model"),
            "choices": choices,
        }

    def _parse(self, event: bytes, payload: bytes) -> JsonObject:
        try:
            body: JsonValue = orjson.loads(payload)
        except orjson.JSONDecodeError:
            raise self._invalid("sent an event that is not JSON") from None
        if not isinstance(body, dict):
            raise self._invalid("sent an event that is no object")
        if body.get("type") == "error" or body.get("error") or names_an_error(event):
            provider = self._call.route.provider
            raise UpstreamError(
                f"provider '{provider}' broke off the stream with an error{error_code_of(body)}",
                billable=True,
            )
        return body

    def _invalid(self, what: str, code: str | None = None) -> UpstreamInvalidError:
        return UpstreamInvalidError(
            f"provider '{self._call.route.provider}' {what}", code=code, billable=True
        )


def _number(body: JsonObject) -> int:
    number = body.get("index")
    return number if isinstance(number, int) else 0


def _object(holder: JsonObject, key: str) -> JsonObject:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}
