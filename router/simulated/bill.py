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
        self._sums: dict[tuple[str, str], Counter[str]] = {}

    def charge(self, model: str, purpose: str, used: Used, rates: Rates) -> None:
        """Add one answer, given for "answer" or "audit"."""
        price = (
            (used.prompt - used.cached) * rates.input_uncached
            + used.cached * rates.cache_read
            + used.output * rates.output_text
        )
        self._sums.setdefault((model, purpose), Counter()).update(
            answers=1,
            prompt_tokens=used.prompt,
            cached_tokens=used.cached,
            output_tokens=used.output,
            reasoning_tokens=used.reasoning,
            cost_nano_usd=round(Fraction(price, UNITS_PER_PRICE)),
        )

    def as_json(self) -> JsonObject:
        """The sums so far, by model, and within it by purpose."""
        found: JsonObject = {}
        for (model, purpose), sums in self._sums.items():
            inner = found.setdefault(model, {})
            if isinstance(inner, dict):
                inner[purpose] = dict(sums)
        return found
