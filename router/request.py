"""A request as the gateway sees it, whichever wire format it came in.

`body` is the caller's own JSON, without the `steelyard` object: what an OpenAI-shaped provider
gets, fields that we do not know included. Everything that a decision needs stands beside it.
"""

from dataclasses import dataclass
from enum import StrEnum

from policies.facts import Label, TaskKind
from router.bounds import PromptBound
from router.json_types import JsonObject


class AnswerShape(StrEnum):
    """Where the caller wants structured output to stand."""

    CONTENT = "content"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: its role, and all its text."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class SchemaAsked:
    """The JSON schema that the answer must obey, as the caller wrote it."""

    name: str
    schema: JsonObject
    shape: AnswerShape
    place: str = "response_format.json_schema.schema"
    """Where the request has it."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What the caller says about its request: it can tighten, never loosen."""

    task: str | None = None
    label: Label | None = None
    purpose: str | None = None
    conversation: str | None = None
    document_message: int | None = None
    return_details: bool = False


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question to a model."""

    endpoint: str
    model: str
    messages: tuple[Message, ...]
    body: JsonObject
    bound: PromptBound
    stream: bool
    include_usage: bool
    max_tokens: int | None
    choices: int
    schema: SchemaAsked | None
    has_tools: bool
    wants_logprobs: bool
    declared: Declared

    @property
    def kind(self) -> TaskKind:
        """An extraction asks for a JSON schema; everything else is generation."""
        return TaskKind.EXTRACTION if self.schema is not None else TaskKind.GENERATION

    @property
    def document(self) -> str:
        """The text that an extraction's answer is checked against: the user's messages, or the one named."""
        if self.declared.document_message is not None:
            return self.messages[self.declared.document_message].text
        return "\n".join(message.text for message in self.messages if message.role == "user")
