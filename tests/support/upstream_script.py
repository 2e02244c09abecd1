"""The fake provider's script: what a test can ask it to do with a request.

A `Behaviour` is a value. The server gets one per request: always the same, by the model's name,
or from a function of the request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote

import orjson

from router.json_types import JsonObject, JsonValue
from support.upstream_bill import FakeUsage

_BEDROCK_PATH = "/model/"


class Fault(StrEnum):
    """What goes wrong. `mid` faults strike after `Behaviour.fault_after` chunks, or half a plain body."""

    NONE = "none"
    HANG_BEFORE_HEADERS = "hang_before_headers"
    """Silence until `Upstream.release()`; then the answer as if nothing had been."""
    HANG_MID = "hang_mid"
    TRUNCATE = "truncate"
    """The connection ends in the middle without the end that HTTP's framing promised."""
    CUT_SHORT = "cut_short"
    """A well-framed end in the middle: no finish reason, no usage, no [DONE]."""
    NO_DONE = "no_done"
    """A stream that is whole but for its [DONE]."""
    ENDLESS = "endless"
    """A stream whose last chunk comes again and again, for as long as somebody reads."""
    RESET = "reset"
    RESET_BEFORE_HEADERS = "reset_before_headers"
    ERROR_EVENT = "error_event"
    """A stream that breaks off with an error event; plain, the same as ERROR_BODY."""
    ERROR_BODY = "error_body"
    """Status 200 with an error object."""
    HTML = "html"
    """Status 200 with a web page, as a proxy in between would send."""
    INVALID_JSON = "invalid_json"
    NOT_AN_OBJECT = "not_an_object"


class UsageTold(StrEnum):
    """How the usage is told. A stream tells it only if the client asked, as OpenAI's does."""

    ONCE = "once"
    NEVER = "never"
    TWICE = "twice"
    """On the last choice's chunk and in the usage chunk."""
    LATE = "late"
    """The usage chunk waits for `Upstream.release()`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What to do with one request. Times in seconds."""

    text: str = "The fake upstream answers."
    answer: JsonValue = None
    """A JSON value to answer with, in place of `text`: in the content, or in a forced tool's arguments."""
    reasoning: str = ""
    tool_name: str | None = None
    """Call this tool although none was forced; its arguments are `answer`."""
    finish_reason: str | None = None
    """None: what OpenAI would say."""
    chunks: int = 8
    usage: FakeUsage | None = None
    """None: counted, about four bytes a token."""
    usage_told: UsageTold = UsageTold.ONCE
    charged: bool | None = None
    """None: charged unless it is refused with a status or an error object."""
    gives_logprobs: bool = True
    token_logprobs: tuple[tuple[str, float], ...] | None = None
    """Tokens whose text together is the answer's, each with its log-probability; None: made up."""
    status: int = 200
    error_code: str | None = None
    error_message: str = "the script says so"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further response headers, e.g. retry-after or location."""
    model_served: str | None = None
    """None: the model that was asked for."""
    fault: Fault = Fault.NONE
    fault_after: int = 2
    latency_s: float = 0.0
    pace_s: float = 0.0
    """Between the chunks of a stream."""
    drip_bytes: int = 0
    """Write in pieces of so many bytes, `pace_s` apart: they end within lines and characters."""
    padding_bytes: int = 0
    """So many spaces before the (first) JSON object."""


RATE_LIMITED = Behaviour(
    status=429, error_code="rate_limit_exceeded", error_message="slow down", headers={"retry-after": "1"}
)
SERVER_ERROR = Behaviour(status=500, error_code="server_error", error_message="it broke")
UNAUTHORIZED = Behaviour(status=401, error_code="invalid_api_key", error_message="wrong key")
BAD_REQUEST = Behaviour(status=400, error_code="invalid_request", error_message="the script refuses it")


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived. Header names in lower case."""

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> JsonObject:
        """The body as a JSON object; an empty one if it is none."""
        try:
            value: JsonValue = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def model(self) -> str:
        """The model that was asked for, in the body or, with Bedrock, in the path."""
        if self.path.startswith(_BEDROCK_PATH):
            return unquote(self.path.removeprefix(_BEDROCK_PATH).partition("/")[0])
        model = self.json.get("model")
        return model if isinstance(model, str) else ""

    @property
    def stream(self) -> bool:
        """Whether a stream was asked for."""
        return self.json.get("stream") is True or self.path.endswith("/converse-stream")

    @property
    def messages(self) -> list[JsonObject]:
        """The conversation."""
        messages = self.json.get("messages")
        return (
            [message for message in messages if isinstance(message, dict)]
            if isinstance(messages, list)
            else []
        )

    @property
    def prompt_text(self) -> str:
        """All text of the conversation."""
        return "\n".join(text_of(message) for message in self.messages)

    @property
    def last_user_text(self) -> str:
        """The text of the last user message, or ""."""
        return next(
            (text_of(message) for message in reversed(self.messages) if message.get("role") == "user"), ""
        )


def text_of(message: JsonObject) -> str:
    """A message's text, its parts joined."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))
