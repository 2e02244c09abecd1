"""The scripted models' bill: what each answer used, and its price, rounded half to even as money is."""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from router.json_types import JsonObject
from router.simulated.script import Rates

UNITS_PER_PRICE = 1_000_000


@dataclass(frozen=True, slots=True)
class Used:
    """The tokens of one answer."""

    prompt: int
    cached: int
    output: int
    reasoning: int
    """Of `output`."""


class Bill:
    """Adds up, by model."""

    def __init__(self) -> None:
        self._sums: dict[str, Counter[str]] = {}

    def charge(self, model: str, used: Used, rates: Rates) -> None:
        """Add one answer."""
        price = (
            (used.prompt - used.cached) * rates.input_uncached
            + used.cached * rates.cache_read
            + used.output * rates.output_text
        )
        self._sums.setdefault(model, Counter()).update(
            answers=1,
            prompt_tokens=used.prompt,
            cached_tokens=used.cached,
            output_tokens=used.output,
            reasoning_tokens=used.reasoning,
            cost_nano_usd=round(Fraction(price, UNITS_PER_PRICE)),
        )

    def as_json(self) -> JsonObject:
        """The sums so far, by model."""
        return {model: dict(sums) for model, sums in self._sums.items()}
