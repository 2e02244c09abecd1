"""A document, indexed once for all the checks of its fields. Linear in its length, and bounded.

Text is compared by its skeleton: the letters and digits of its words, folded (NFKC, case), with
nothing between them. Spaces, line breaks and punctuation so make no difference, but a match must
begin where a word begins and end where one ends.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import accumulate, islice

from verifiers.amounts import find_amounts
from verifiers.currencies import find_named, named_in
from verifiers.dates import find_dates
from verifiers.found import Found, Placed, Reading
from verifiers.verdict import Evidence

CHARS_MAX = 4_000_000
VALUES_MAX = 50_000
TRIES_MAX = 2_000
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


class Document:
    """An indexed text. Spans are characters of `text`."""

    def __init__(self, text: str) -> None:
        self.text = text[:CHARS_MAX]

    @cached_property
    def words(self) -> "Words":
        """The words of the text, folded."""
        return Words(self.text)

    @cached_property
    def amount_values(self) -> list[Found]:
        """Every amount, in the order of the text."""
        return list(islice(find_amounts(self.text), VALUES_MAX))

    @cached_property
    def date_values(self) -> list[Found]:
        """Every date, in the order of the text."""
        return list(islice(find_dates(self.text), VALUES_MAX))

    @cached_property
    def amounts(self) -> dict[Reading, list[Placed]]:
        """Every amount in the text, by each of its readings."""
        return _by_reading(self.amount_values)

    @cached_property
    def dates(self) -> dict[Reading, list[Placed]]:
        """Every date in the text, by each of its readings."""
        return _by_reading(self.date_values)

    @cached_property
    def currencies(self) -> dict[str, Placed]:
        """Every currency that the text names, by its code, and where it does so first."""
        return find_named(self.text)

    def currency_places(self, name: str) -> tuple[Placed, ...]:
        """Where the text names the currency `name`, in whichever way."""
        return tuple(sorted({self.currencies[code] for code in named_in(name) if code in self.currencies}))

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def is_verbatim(self, value: str, placed: Placed) -> bool:
        """Whether `value` stands around `placed` as it is written, currency and punctuation included."""
        return self.text.find(value, max(0, placed.end - len(value)), placed.start + len(value)) >= 0

    def skeletal(self, value: str, limit: int = 8) -> Iterator[Placed]:
        """Find `value` by its skeleton, whole words only; at most `limit` places."""
        return islice(self.words.find(skeleton(value)), limit)

    def line_of(self, at: int) -> tuple[int, int]:
        """Start and end of the line that holds the character `at`."""
        index = bisect_left(self._lines, at + 1)
        end = self._lines[index] - 1 if index < len(self._lines) else len(self.text)
        return self._lines[index - 1], end

    def evidence(self, placed: Placed) -> Evidence:
        """A place as evidence."""
        return Evidence(placed.start, placed.end, self.text[placed.start : placed.end])


class Words:
    """The folded words of a text, one after another, and their places."""

    def __init__(self, text: str) -> None:
        matches = list(_WORD.finditer(text))
        self.folded: list[str] = (
            _WORD.findall(text.lower()) if text.isascii() else [fold(match.group()) for match in matches]
        )
        self.skeleton = "".join(self.folded)
        self.starts = [0, *accumulate(map(len, self.folded))][:-1]
        """Where each word begins in the skeleton."""
        self.text_starts = [match.start() for match in matches]
        self.text_ends = [match.end() for match in matches]

    @cached_property
    def positions(self) -> dict[str, list[int]]:
        """Each word -> where it stands among the words."""
        found: dict[str, list[int]] = {}
        for index, word in enumerate(self.folded):
            found.setdefault(word, []).append(index)
        return found

    def find(self, wanted: str) -> Iterator[Placed]:
        """Find a skeleton, whole words only."""
        at = self.skeleton.find(wanted) if wanted else -1
        tried = 0
        while at >= 0 and tried < TRIES_MAX:
            tried += 1
            end = at + len(wanted)
            first, last = bisect_left(self.starts, at), bisect_left(self.starts, end)
            begins = first < len(self.starts) and self.starts[first] == at
            ends = self.starts[last] == end if last < len(self.starts) else end == len(self.skeleton)
            if begins and ends:
                yield self.place(first, last)
            at = self.skeleton.find(wanted, at + 1)

    def place(self, first: int, last: int) -> Placed:
        """The place of the words `first` to `last` (exclusive)."""
        return Placed(self.text_starts[first], self.text_ends[last - 1])


def words_of(text: str) -> list[str]:
    """The folded words of `text`."""
    return [fold(match.group()) for match in _WORD.finditer(text)]


def fold(word: str) -> str:
    """Make two ways of writing a word the same."""
    return word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold()


def skeleton(text: str) -> str:
    """The folded letters and digits of `text`."""
    return "".join(words_of(text))


def _by_reading(values: Iterable[Found]) -> dict[Reading, list[Placed]]:
    found: dict[Reading, list[Placed]] = {}
    for start, end, readings in values:
        for reading in readings:
            found.setdefault(reading, []).append(Placed(start, end))
    return found
