"""The formats that the fake provider speaks, chosen by the path that is asked."""

from typing import Protocol

from router.json_types import JsonObject
from support import upstream_answers
from support.upstream_answers import Answer, answer_to, error_body, event
from support.upstream_anthropic import AnthropicFormat
from support.upstream_bedrock import BedrockFormat
from support.upstream_refusals import refusal
from support.upstream_script import Behaviour, Received


class Format(Protocol):
    """How requests are judged and answers are written."""

    @property
    def stream_type(self) -> str:
        """The content type of a stream."""

    @property
    def done(self) -> bytes:
        """A stream's last event."""

    @property
    def half_event(self) -> bytes:
        """An event that is not JSON."""

    def refusal(self, request: Received, api_key: str | None, *, deepseek: bool) -> Behaviour | None:
        """The refusal that a request earns before any script is asked, or None."""

    def answer(self, request: Received, behaviour: Behaviour, *, deepseek: bool) -> Answer:
        """Work out what is said, and what it uses."""

    def whole(self, answer: Answer) -> bytes:
        """A whole answer."""

    def opening(self, answer: Answer) -> list[bytes]:
        """A stream's events before the text."""

    def contents(self, answer: Answer) -> list[bytes]:
        """The text, one entry a piece."""

    def finish(self, answer: Answer) -> bytes:
        """The events after the text."""

    def usage(self, answer: Answer) -> bytes:
        """The event that tells the usage; b"" if there is none."""

    def tells_usage(self, request: Received) -> bool:
        """Whether a stream would tell its usage to this request."""

    def error(self, behaviour: Behaviour) -> JsonObject:
        """An error object."""

    def error_event(self, behaviour: Behaviour) -> bytes:
        """An error in the middle of a stream."""


class OpenAIFormat:
    """`POST /v1/chat/completions`."""

    stream_type = "text/event-stream; charset=utf-8"
    done = b"data: [DONE]\n\n"
    half_event = b'data: {"id":"chatcmpl-fake","choices":[{"index":0,"delta":{"content":"\n\n'

    def refusal(self, request: Received, api_key: str | None, *, deepseek: bool) -> Behaviour | None:
        """The refusal that a request earns before any script is asked, or None."""
        return refusal(request, api_key, deepseek=deepseek)

    def answer(self, request: Received, behaviour: Behaviour, *, deepseek: bool) -> Answer:
        """Work out what is said, and what it uses."""
        return answer_to(request, behaviour, deepseek=deepseek)

    def whole(self, answer: Answer) -> bytes:
        """A whole answer."""
        return upstream_answers.completion(answer)

    def opening(self, answer: Answer) -> list[bytes]:
        """The chunks before the text."""
        return upstream_answers.opening_chunks(answer)

    def contents(self, answer: Answer) -> list[bytes]:
        """The text, one entry a piece."""
        return upstream_answers.content_chunks(answer)

    def finish(self, answer: Answer) -> bytes:
        """The chunk with the finish reason."""
        return upstream_answers.finish_chunk(answer)

    def usage(self, answer: Answer) -> bytes:
        """The chunk that tells the usage; b"" if there is none."""
        return upstream_answers.usage_chunk(answer)

    def tells_usage(self, request: Received) -> bool:
        """Only to who asked."""
        return upstream_answers.usage_wanted(request)

    def error(self, behaviour: Behaviour) -> JsonObject:
        """An error object."""
        return error_body(behaviour)

    def error_event(self, behaviour: Behaviour) -> bytes:
        """An error in the middle of a stream."""
        return event(error_body(behaviour))


_BEDROCK = BedrockFormat()
_FORMATS: dict[str, Format] = {
    "/chat/completions": OpenAIFormat(),
    "/messages": AnthropicFormat(),
    "/converse": _BEDROCK,
    "/converse-stream": _BEDROCK,
}


def format_of(path: str) -> Format | None:
    """The format that is spoken at `path`, or None."""
    return next((each for ending, each in _FORMATS.items() if path.endswith(ending)), None)
