"""The protocol of a local engine. It says nothing of HTTP: llama.cpp stands behind it, and the
torch V4 engine will.

EngineError
|-- EngineStartError        the child did not come up: no weights, no memory, a bad file
|-- EngineUnavailableError  it is down or starting; it may come back by itself
|-- EngineBusyError         its queue is full
|-- EngineRequestError      this request cannot be served: `param` names the field
|   `-- EngineWindowError   its prompt does not fit the context window
`-- EngineTimeoutError      the deadline passed
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]


class EngineError(Exception):
    """The root of a local engine's errors."""


class EngineStartError(EngineError):
    """The engine did not come up."""


class EngineUnavailableError(EngineError):
    """The engine is down or starting."""


class EngineBusyError(EngineError):
    """The engine's queue is full."""


class EngineTimeoutError(EngineError):
    """The deadline passed."""


class EngineRequestError(EngineError):
    """This request cannot be served."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class EngineWindowError(EngineRequestError):
    """The prompt does not fit the context window."""


class EngineState(StrEnum):
    """What `health` answers."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EngineMessage:
    """One turn of the conversation."""

    role: str
    text: str


def _unheard() -> None:
    """Nobody asked to be told."""


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """What to generate. `schema` is plain JSON schema without our own keywords; penalties and biases
    are OpenAI's, and so are their ranges."""

    messages: tuple[EngineMessage, ...]
    max_tokens: int
    deadline_s: float
    schema: Mapping[str, JsonValue] | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    """(token id, what is added to its logit)."""
    logprobs: bool = False
    top_logprobs: int = 0
    """How many alternatives to tell beside each token."""
    on_begin: Callable[[], None] = field(default=_unheard, compare=False)
    """Called when the engine begins, after whatever wait for a free slot."""


@dataclass(frozen=True, slots=True)
class EngineToken:
    """One generated token: its text, its own bytes and the natural logarithm of its probability.

    A character may be split over tokens: then the bytes of an alternative are only a part of one, and
    its text shows a replacement character.
    """

    text: str
    utf8: bytes
    logprob: float
    alternatives: tuple["EngineToken", ...] = ()


@dataclass(frozen=True, slots=True)
class EngineDelta:
    """A piece of the answer. The last one carries the finish reason and the counts."""

    text: str = ""
    tokens: tuple[EngineToken, ...] = ()
    finish_reason: str | None = None
    """"stop" or "length"; None but in the last delta."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt's tokens, those that were not computed again."""
    completion_tokens: int = 0
    cpu_us: int = 0
    """Microseconds of compute that this sequence cost: prompt and generation."""


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """How the engine is, in a sentence that a person can read."""

    state: EngineState
    detail: str
    restarts: int = 0
    context_window: int = 0
    fingerprint: str = ""
    """sha256 of the weights file, or the engine's own name of them."""
    queue_depth: int = field(default=0)


class LocalEngine(Protocol):
    """One model on this machine."""

    async def load(self) -> None:
        """Start the engine and wait until it can answer. Raises EngineStartError."""

    async def count_tokens(self, messages: Sequence[EngineMessage]) -> int:
        """Count the prompt's tokens, the chat template's own included."""

    def generate(self, request: EngineRequest) -> AsyncIterator[EngineDelta]:
        """Generate; closing the iterator cancels the sequence and frees its slot."""

    async def health(self) -> EngineHealth:
        """Say how the engine is, without starting it."""

    async def close(self) -> None:
        """Stop the engine and wait for its process to end."""
