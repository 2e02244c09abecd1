"""Draws, all from one seed."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_CONSONANTS = (
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "y",
    "z",
    "ch",
    "sh",
    "th",
    "br",
    "kr",
    "st",
    "tr",
    "gl",
    "ng",
)
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ee", "ia", "ou", "ei", "an", "en", "in", "on", "un", "ar", "er", "or", "ang", "ong", "ak", "al")  # fmt: skip


class Chance:
    """One document's draws."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  (documents, not secrets)

    def maybe(self, share: float) -> bool:
        """True in `share` of all draws."""
        return self._random.random() < share

    def of(self, choices: Sequence[T]) -> T:
        """One of them."""
        return choices[int(self._random.random() * len(choices))]

    def weighted(self, *choices: tuple[float, T]) -> T:
        """One of them, as often as its weight says."""
        left = self._random.random() * sum(weight for weight, _ in choices)
        for weight, choice in choices:
            left -= weight
            if left < 0:
                return choice
        return choices[-1][1]

    def some(self, choices: Sequence[T], least: int, most: int) -> list[T]:
        """Some of them, in any order."""
        return self._random.sample(choices, min(len(choices), self.number(least, most)))

    def shuffled(self, choices: Sequence[T]) -> list[T]:
        """All of them, in any order."""
        return self._random.sample(choices, len(choices))

    def number(self, least: int, most: int) -> int:
        """A whole number, both ends included."""
        return least + int(self._random.random() * (most - least + 1))

    def digits(self, count: int) -> str:
        """So many digits, the first not 0."""
        return str(self.number(10 ** (count - 1), 10**count - 1))

    def letters(self, count: int) -> str:
        """So many capital letters."""
        return "".join(chr(65 + self.number(0, 25)) for _ in range(count))

    def pattern(self, form: str) -> str:
        """`form` with a digit for each `#`, a capital letter for each `@`."""
        return "".join(
            str(self.number(0, 9)) if mark == "#" else self.letters(1) if mark == "@" else mark
            for mark in form
        )

    def cents(self, least: int, most: int) -> int:
        """An amount in hundredths: small ones are commoner, and prices like to be round."""
        amount = int(least * (most / least) ** self._random.random())
        return self.weighted((4, amount), (3, amount // 10 * 10), (2, amount // 100 * 100 + 90), (1, amount // 100 * 100)) or least  # fmt: skip

    def word(self) -> str:
        """A word that there is not, in small letters."""
        return "".join(
            self.of(_CONSONANTS) + self.of(_VOWELS) for _ in range(self.weighted((2, 1), (6, 2), (3, 3)))
        )
