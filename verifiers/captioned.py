"""A value of a document together with what the words before it say that it is."""

from dataclasses import dataclass
from decimal import Decimal

from verifiers.caption_words import Caption
from verifiers.found import Found


@dataclass(frozen=True, slots=True)
class Captioned:
    """A value of the document, what it is said to be, and the words that say so (lower case)."""

    value: Found
    caption: Caption | None
    words: str

    @property
    def decimals(self) -> list[Decimal]:
        """What it may mean as an amount."""
        return [reading for reading in self.value.readings if isinstance(reading, Decimal)]

    @property
    def is_money(self) -> bool:
        """Whether it has two decimals."""
        return any(reading.as_tuple().exponent == -2 for reading in self.decimals)
