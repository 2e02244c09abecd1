"""How an answer leaves: what the pipeline tells an endpoint, whichever wire format it writes."""

from dataclasses import dataclass
from typing import Protocol

from router.completion import Completion
from router.json_types import JsonObject


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """What is known before the first byte: the `x-steelyard-*` headers."""

    request_id: str
    conversation: str
    plan: str
    route: str
    policy: str
    max_tokens: int | None
    """The output limit that was sent, where it is not the caller's own."""
    audit: str | None = None
    """What became of the answer's audit, where its plan has one and it is known by then."""


class Reply(Protocol):
    """Writes one answer to one caller. Writing to a caller that has left does nothing."""

    @property
    def started(self) -> bool:
        """Whether a byte has gone out, so that nothing else can be answered any more."""

    @property
    def client_left(self) -> bool:
        """Whether the caller closed its connection."""

    async def wait_until_left(self) -> None:
        """Return when the caller closes its connection."""

    async def whole(
        self, head: AnswerHead, completion: Completion, cost_nano_usd: int, details: JsonObject | None
    ) -> None:
        """Write a whole answer."""

    async def piece(self, head: AnswerHead, data: bytes) -> None:
        """Write a part of a streamed answer, the head first."""

    async def heartbeat(self, head: AnswerHead) -> None:
        """Say in a stream that its answer is still being checked: a comment, the head first."""

    async def end(self, head: AnswerHead, completion: Completion, details: JsonObject | None) -> None:
        """End a streamed answer: the usage event if it was asked for, and the last byte."""
