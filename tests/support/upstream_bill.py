"""What the fake provider charged: the other side of the ledger's books.

The arithmetic is its own on purpose (`Fraction` and Python's round-half-even), so that a bill and
a ledger that agree did not agree by sharing code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class FakeUsage:
    """Tokens as OpenAI counts them: `prompt_tokens` includes what was read from a cache or written into one,
    `completion_tokens` reasoning."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    cache_write_5m: int = 0
    cache_write_1h: int = 0

    def __add__(self, other: "FakeUsage") -> "FakeUsage":
        """Both together."""
        return FakeUsage(
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.completion_tokens + other.completion_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cache_write_5m + other.cache_write_5m,
            self.cache_write_1h + other.cache_write_1h,
        )


NOTHING = FakeUsage(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """Nano-USD per million tokens of each class."""

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0

    def cost_nano_usd(self, usage: FakeUsage) -> int:
        """The cost of one request, rounded once, half to even."""
        written = usage.cache_write_5m + usage.cache_write_1h
        total = (
            (usage.prompt_tokens - usage.cached_tokens - written) * self.input
            + usage.cached_tokens * self.cached
            + usage.cache_write_5m * self.cache_write_5m
            + usage.cache_write_1h * self.cache_write_1h
            + (usage.completion_tokens - usage.reasoning_tokens) * self.output
            + usage.reasoning_tokens * self.reasoning
        )
        return round(Fraction(total, 1_000_000))


class Ending(StrEnum):
    """How an answer ended, as the provider saw it."""

    COMPLETE = "complete"
    REFUSED = "refused"
    """An error status: nothing was charged."""
    BROKEN = "broken"
    """The script truncated or reset it."""
    CLIENT_LEFT = "client_left"


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of the bill: what was used, what it cost, and whether the client was told."""

    number: int
    """The request's number, from 0."""
    model: str
    usage: FakeUsage
    cost_nano_usd: int
    told: bool
    """Whether the usage was sent to the client."""
    ending: Ending


def total_usage(charges: Iterable[Charge]) -> FakeUsage:
    """All tokens of a bill."""
    return sum((charge.usage for charge in charges), NOTHING)
