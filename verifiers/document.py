"""A document, indexed once for all the checks of its fields. Linear in its length, and bounded.

Text is compared by its skeleton: the letters and digits of its words, folded (NFKC, case), with
nothing between them. Spaces, line breaks and punctuation so make no difference, but a match must
begin where a word begins and end where one ends.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

from verifiers import amounts, dates
from verifiers.verdict import Evidence

CHARS_MAX = 4_000_000
VALUES_MAX = 50_000
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


@dataclass(frozen=True, slots=True)
class Placed:
    """A value found in the document, with its place."""

    start: int
    end: int


@dataclass
class Document:
    """An indexed text. Spans are characters of `text`."""

    text: str
    _lines: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.text = self.text[:CHARS_MAX]
        self._lines = [0, *(match.end() for match in re.finditer("\n", self.text))]

    @cached_property
    def _words(self) -> tuple[str, list[int], list[int], list[int]]:
        """Skeleton; starts of words in it; and their starts and ends in the text."""
        parts: list[str] = []
        starts: list[int] = []
        text_starts: list[int] = []
        text_ends: list[int] = []
        length = 0
        for match in _WORD.finditer(self.text):
            folded = fold(match.group())
            parts.append(folded)
            starts.append(length)
            text_starts.append(match.start())
            text_ends.append(match.end())
            length += len(folded)
        return "".join(parts), starts, text_starts, text_ends

    @cached_property
    def amounts(self) -> dict[Decimal, list[Placed]]:
        """Every amount in the text, by each of its readings."""
        found: dict[Decimal, list[Placed]] = {}
        for count, match in enumerate(amounts.AMOUNT.finditer(self.text)):
            if count >= VALUES_MAX:
                break
            negative = match["sign"] in ("-", "\u2212", "(")
            for value in amounts.number_readings(match["number"], negative=negative):
                found.setdefault(value, []).append(Placed(match.start("number"), match.end("number")))
        return found

    @cached_property
    def dates(self) -> dict[date, list[Placed]]:
        """Every date in the text, by each of its readings."""
        found: dict[date, list[Placed]] = {}
        for count, match in enumerate(dates.DATE.finditer(self.text)):
            if count >= VALUES_MAX:
                break
            for value in dates.match_readings(match):
                found.setdefault(value, []).append(Placed(match.start(), match.end()))
        return found

    def exact(self, value: str) -> Placed | None:
        """Find `value` as it is written, between word borders."""
        start = self.text.find(value)
        while start >= 0:
            end = start + len(value)
            if self._is_border(start) and self._is_border(end):
                return Placed(start, end)
            start = self.text.find(value, start + 1)
        return None

    def skeletal(self, value: str, limit: int = 8) -> Iterator[Placed]:
        """Find `value` by its skeleton, whole words only; at most `limit` places."""
        wanted = skeleton(value)
        if not wanted:
            return
        text, starts, text_starts, text_ends = self._words
        at = text.find(wanted)
        found = tried = 0
        while at >= 0 and found < limit and tried < 10_000:
            tried += 1
            first = bisect_left(starts, at)
            last = bisect_left(starts, at + len(wanted))
            begins = first < len(starts) and starts[first] == at
            ends = last == len(starts) or starts[last] == at + len(wanted)
            if begins and ends and at + len(wanted) <= len(text):
                found += 1
                yield Placed(text_starts[first], text_ends[last - 1])
            at = text.find(wanted, at + 1)

    def near(self, value: str) -> Placed | None:
        """Find `value` with a tenth of its letters wrong (scanners misread), but no digit."""
        words = [fold(match.group()) for match in _WORD.finditer(value)]
        letters = sum(len(word) for word in words)
        if letters < 10 or letters > 400 or len(self.text) > 50_000:
            return None
        _, _, text_starts, text_ends = self._words
        have = [fold(self.text[start:end]) for start, end in zip(text_starts, text_ends, strict=True)]
        rarest = min((word for word in words if word in set(have)), key=have.count, default=None)
        if rarest is None:
            return None
        offset = words.index(rarest)
        for index, word in enumerate(have):
            first = index - offset
            if word == rarest and first >= 0 and first + len(words) <= len(have):
                window = have[first : first + len(words)]
                if _differ(words, window) <= letters // 10:
                    return Placed(text_starts[first], text_ends[first + len(words) - 1])
        return None

    def line_of(self, at: int) -> tuple[int, int]:
        """Start and end of the line that holds the character `at`."""
        index = bisect_left(self._lines, at + 1) - 1
        end = self.text.find("\n", at)
        return self._lines[index], len(self.text) if end < 0 else end

    def evidence(self, placed: Placed) -> Evidence:
        """A place as evidence."""
        return Evidence(placed.start, placed.end, self.text[placed.start : placed.end])

    def _is_border(self, at: int) -> bool:
        if at <= 0 or at >= len(self.text):
            return True
        before, after = self.text[at - 1], self.text[at]
        if before.isdigit() and after in ".," and at + 1 < len(self.text) and self.text[at + 1].isdigit():
            return False
        if after.isdigit() and before in ".," and at > 1 and self.text[at - 2].isdigit():
            return False
        return not (before.isalnum() and after.isalnum()) or before > "\u2e7f" or after > "\u2e7f"


def fold(word: str) -> str:
    """Make two ways of writing a word the same."""
    return word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold()


def skeleton(text: str) -> str:
    """The folded letters and digits of `text`."""
    return "".join(fold(match.group()) for match in _WORD.finditer(text))


def _differ(left: list[str], right: list[str]) -> int:
    """Letters that differ between two lists of words; a differing digit counts as too many."""
    total = 0
    for one, other in zip(left, right, strict=True):
        if one == other:
            continue
        if any(character.isdigit() for character in one + other) or abs(len(one) - len(other)) > 1:
            return 1_000
        total += abs(len(one) - len(other)) + sum(a != b for a, b in zip(one, other, strict=False))
    return total
