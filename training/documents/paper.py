"""A document in the making: lines of pieces, some of which are what somebody may ask for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

Piece = tuple[str, str | None]
"""A text, and the name of the fact that it says, or says a part of."""


@dataclass
class Paper:
    """Lines as they are printed. A fact may stand in several pieces, which are then joined by a space."""

    kind: str
    lines: list[list[Piece]] = field(default_factory=list)
    numbers: dict[str, Decimal] = field(default_factory=dict)
    """Of facts that are amounts or counts."""
    days: dict[str, date] = field(default_factory=dict)
    """Of facts that are days."""

    def say(self, *pieces: str | Piece) -> None:
        """One line more; a plain text says nothing that is asked for."""
        self.lines.append([(piece, None) if isinstance(piece, str) else piece for piece in pieces])

    def say_all(self, lines: Iterable[str]) -> None:
        """Lines that say nothing that is asked for."""
        for line in lines:
            self.say(line)

    def say_as(self, fact: str, lines: Iterable[str]) -> None:
        """Lines that say a fact together."""
        for line in lines:
            self.say((line, fact))

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join("".join(text for text, _ in line) for line in self.lines)

    def facts(self) -> dict[str, str]:
        """What stands in it, by name, as it stands there, runs of white space as one space."""
        found: dict[str, list[str]] = {}
        for fact, text in self._named():
            found.setdefault(fact, []).append(text)
        return {fact: " ".join(" ".join(texts).split()) for fact, texts in found.items()}

    def _named(self) -> Iterator[tuple[str, str]]:
        for line in self.lines:
            for text, fact in line:
                if fact is not None:
                    yield fact, text
