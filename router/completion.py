"""What one model returned: a completion, whole or in pieces, with what it used."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from ledger.usage import Usage
from verifiers.tokens import TokenLogprob


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer and what is known of it. `body` is the caller's wire format; b"" for a stream,
    whose bytes have gone out already."""

    body: bytes
    text: str | None
    """The first choice's text (or its forced tool's arguments); None if nobody needs it."""
    tokens: tuple[TokenLogprob, ...] | None
    finish_reason: str | None
    usage: Usage | None
    """None where the provider sent none."""
    model_served: str | None = None
    upstream_id: str | None = None
    fingerprint: str | None = None
    usage_event: bytes = b""
    """A stream's last event with the usage, held back until the money is known."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a streamed answer: bytes for the caller, which may be none."""

    data: bytes
    has_content: bool


class CompletionStream(Protocol):
    """A streamed answer. Iterate to its end, then ask for the completion."""

    def __aiter__(self) -> AsyncIterator[Piece]:
        """Give the pieces as they come; raises UpstreamError."""

    def received_text(self) -> str:
        """All text so far, also after a failure: what an estimate counts."""

    def completion(self) -> Completion:
        """What was said at the end."""

    async def aclose(self) -> None:
        """End the upstream's work now."""
