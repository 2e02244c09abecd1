"""What a stream has said so far, kept cheaply: as bytes while they are few, as text after that."""

import orjson

from router.call import Call
from router.errors import UpstreamInvalidError
from router.json_types import JsonObject
from router.wire.choice_text import (
    choices_of,
    everything_said,
    expects_a_tool,
    first_tool_arguments,
    index_of,
    logprobs_of,
    said_in,
)
from router.wire.sse import payload_of
from router.wire.stream_limits import stream_characters_max
from verifiers.tokens import TokenLogprob

UNREAD_BYTES_MAX = 1024 * 1024


class StreamRecord:
    """Events go in as they came; most streams end without anybody having read them again."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._unread: list[bytes] = []
        self._unread_bytes = 0
        self._said: list[str] = []
        self._characters = 0
        self._characters_max = stream_characters_max(call)
        self._content: list[str] = []
        self._arguments: list[str] = []
        self._tokens: list[TokenLogprob] = []

    def add(self, event: bytes) -> None:
        """Keep an event. Raises UpstreamInvalidError for more text than the output limit can have."""
        self._unread.append(event)
        self._unread_bytes += len(event)
        if self._unread_bytes > UNREAD_BYTES_MAX:
            self._read()
            if self._characters > self._characters_max:
                raise UpstreamInvalidError(
                    f"provider '{self._call.route.provider}' sent more text than {self._call.max_tokens} tokens can have",
                    billable=True,
                )

    def everything(self) -> str:
        """All generated text of all choices, thoughts and tool calls included."""
        self._read()
        return "".join(self._said)

    def answer(self) -> str:
        """The first choice's text that the request's schema is about."""
        self._read()
        return "".join(self._arguments or self._content)

    def tokens(self) -> tuple[TokenLogprob, ...]:
        """The first choice's tokens, as far as the provider told them."""
        self._read()
        return tuple(self._tokens)

    def _read(self) -> None:
        for event in self._unread:
            try:
                chunk = orjson.loads(payload_of(event))
            except orjson.JSONDecodeError:
                continue  # it was refused when it came; what came before it still counts
            for choice in choices_of(chunk) if isinstance(chunk, dict) else ():
                self._read_choice(choice)
        self._unread.clear()
        self._unread_bytes = 0

    def _read_choice(self, choice: JsonObject) -> None:
        said_now = everything_said(choice)
        self._said.append(said_now)
        self._characters += len(said_now)
        if index_of(choice) == 0:
            said = said_in(choice)
            content = said.get("content")
            if isinstance(content, str):
                self._content.append(content)
            arguments = first_tool_arguments(said) if expects_a_tool(self._call) else None
            if arguments is not None:
                self._arguments.append(arguments)
            if self._call.route.logprobs:
                self._tokens.extend(logprobs_of(choice))
