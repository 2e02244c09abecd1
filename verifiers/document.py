"""A document, indexed once for all the checks of its fields, within bounds.

What one answer can cost is bounded by counts, not by a clock: the characters that are indexed, the
values that are read, and the steps that all fields together may take (one is about 0.15 us). Beyond
the indexed characters a value is found to the letter only. Who runs into a bound must say so.

Text is compared by its skeleton: the letters and digits of its words, folded (NFKC, case), with
nothing between them. Spaces, line breaks and punctuation so make no difference, but a match must
begin where a word begins and end where one ends.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import accumulate, islice

from verifiers.amounts import find_amounts
from verifiers.currencies import find_named, named_in
from verifiers.dates import find_dates
from verifiers.found import Found, Placed, Reading
from verifiers.verdict import Evidence

CHARS_MAX = 4_000_000
INDEXED_CHARS_MAX = 200_000
VALUES_MAX = 20_000
STEPS_MAX = 1_000_000
TRIES_MAX = 2_000
TEXT_PLACES_MAX = 8
LINE_CHARS_MAX = 1_000
"""Beyond the indexed characters no line is longer."""
SKELETON_CHARS_MAX = 20_000
"""A longer skeleton is searched by words first, and through all its letters only if that finds nothing."""
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")


class Document:
    """An indexed text. Spans are characters of `text`."""

    def __init__(self, text: str) -> None:
        self.text = text[:CHARS_MAX]
        self.indexed = _first_words(self.text, INDEXED_CHARS_MAX)
        """The part that is indexed."""
        self.steps_left = STEPS_MAX
        """Below 0 by what the last step took too many."""
        self._folded: tuple[str, list[str]] = ("", [])

    def spend(self, steps: int) -> bool:
        """Count steps of work; False once they are more than one answer's share."""
        if self.steps_left > 0:
            self.steps_left -= steps
        return self.steps_left > 0

    @property
    def is_spent(self) -> bool:
        """Whether the steps are used up: what was not looked for by now must not be."""
        return self.steps_left <= 0

    @property
    def is_indexed_whole(self) -> bool:
        """Whether all of the text, and all values of it, can be found in the index."""
        most = max(len(self.amount_values), len(self.date_values))
        return len(self.indexed) == len(self.text) and most < VALUES_MAX

    @cached_property
    def words(self) -> "Words":
        """The words of the text, folded."""
        return Words(self.indexed, self.spend)

    @cached_property
    def amount_values(self) -> list[Found]:
        """Every amount, in the order of the text."""
        return list(islice(find_amounts(self.indexed), VALUES_MAX))

    @cached_property
    def date_values(self) -> list[Found]:
        """Every date, in the order of the text."""
        return list(islice(find_dates(self.indexed), VALUES_MAX))

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
        return find_named(self.indexed)

    def values_between(self, start: int, end: int, *, are_dates: bool) -> list[Found]:
        """The amounts or the dates that begin in a part of the text, which may lie behind the indexed one."""
        known = self.date_values if are_dates else self.amount_values
        if end > len(self.indexed) or len(known) == VALUES_MAX:
            find = find_dates if are_dates else find_amounts
            found = islice(find(self.text[start:end]), VALUES_MAX)
            return [Found(start + each.start, start + each.end, each.readings) for each in found]
        first = bisect_left(known, start, key=_start)
        return known[first : bisect_left(known, end, key=_start)]

    def currency_places(self, name: str) -> tuple[Placed, ...]:
        """Where the text names the currency `name`, in whichever way."""
        return tuple(sorted({self.currencies[code] for code in named_in(name) if code in self.currencies}))

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.indexed))]

    def is_verbatim(self, value: str, placed: Placed) -> bool:
        """Whether `value` stands around `placed` as it is written, currency and punctuation included."""
        return self.text.find(value, max(0, placed.end - len(value)), placed.start + len(value)) >= 0

    def folded(self, value: str) -> list[str]:
        """The folded words of a value; those of the last one asked for are kept."""
        if self._folded[0] != value:
            self.spend(len(value) // 2)
            self._folded = (value, words_of(value))
        return self._folded[1]

    def skeletal(self, value: str, limit: int = TEXT_PLACES_MAX) -> Iterator[Placed]:
        """Find `value` by its skeleton, whole words only; at most `limit` places."""
        words, wanted = self.words, self.folded(value)
        if len(words.skeleton) > SKELETON_CHARS_MAX:
            found = list(islice(words.find_words(wanted), limit))
            if found:
                return iter(found)
        self.spend(len(words.skeleton) // 64)
        return islice(words.find("".join(wanted)), limit)

    def beyond(self, value: str) -> Placed | None:
        """Find `value` to the letter, whole words only, behind the indexed part."""
        at = len(self.indexed)
        if not value or at == len(self.text) or not self.spend((len(self.text) - at) // 64):
            return None
        for _ in range(TRIES_MAX // 100):
            at = self.text.find(value, at)
            if at < 0:
                return None
            end = at + len(value)
            if not _goes_on(self.text[at - 1 : at + 1]) and not _goes_on(self.text[end - 1 : end + 1]):
                return Placed(at, end)
            at += 1
        return None

    def day_around(self, placed: Placed) -> Placed | None:
        """The date that holds a place and is longer."""
        at = bisect_right(self.date_values, placed.start, key=lambda found: found.start)
        if not at:
            return None
        start, end, _ = self.date_values[at - 1]
        return Placed(start, end) if placed.end <= end and (start, end) != placed else None

    def line_of(self, at: int) -> tuple[int, int]:
        """Start and end of the line that holds the character `at`."""
        if at > len(self.indexed):
            start = self.text.rfind("\n", max(0, at - LINE_CHARS_MAX), at) + 1
            return start or max(0, at - LINE_CHARS_MAX), self._line_end(at)
        index = bisect_left(self._lines, at + 1)
        end = self._lines[index] - 1 if index < len(self._lines) else self._line_end(len(self.indexed))
        return self._lines[index - 1], end

    def _line_end(self, at: int) -> int:
        most = min(at + LINE_CHARS_MAX, len(self.text))
        end = self.text.find("\n", at, most)
        return end if end >= 0 else most

    def evidence(self, placed: Placed) -> Evidence:
        """A place as evidence."""
        return Evidence(placed.start, placed.end, self.text[placed.start : placed.end])


class Words:
    """The folded words of a text, one after another, and their places."""

    def __init__(self, text: str, spend: Callable[[int], bool]) -> None:
        self._spend = spend
        is_ascii = text.isascii()
        pattern = _ASCII_WORD if is_ascii else _WORD
        spans = [match.span() for match in pattern.finditer(text)]
        self.folded: list[str] = (
            pattern.findall(text.lower()) if is_ascii else [fold(text[start:end]) for start, end in spans]
        )
        self.skeleton = "".join(self.folded)
        self.starts = [0, *accumulate(map(len, self.folded))][:-1]
        """Where each word begins in the skeleton."""
        self.text_starts = [start for start, _ in spans]
        self.text_ends = [end for _, end in spans]

    @cached_property
    def positions(self) -> dict[str, list[int]]:
        """Each word -> where it stands among the words."""
        found: dict[str, list[int]] = {}
        for index, word in enumerate(self.folded):
            found.setdefault(word, []).append(index)
        return found

    def find_words(self, wanted: list[str]) -> Iterator[Placed]:
        """Find words one after another, by the rarest of them."""
        if not wanted or any(word not in self.positions for word in wanted):
            return
        offset = min(range(len(wanted)), key=lambda index: len(self.positions[wanted[index]]))
        for index in self.positions[wanted[offset]][:TRIES_MAX]:
            first = index - offset
            self._spend(3 + len(wanted) // 8)
            if first >= 0 and self.folded[first : first + len(wanted)] == wanted:
                yield self.place(first, first + len(wanted))

    def find(self, wanted: str) -> Iterator[Placed]:
        """Find a skeleton, whole words only."""
        at = self.skeleton.find(wanted) if wanted else -1
        tried = 0
        while at >= 0 and tried < TRIES_MAX:
            tried += 1
            self._spend(3)
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


def is_blank(text: str) -> bool:
    """Whether `text` holds no letter and no digit."""
    return _WORD.search(text) is None


def words_of(text: str) -> list[str]:
    """The folded words of `text`."""
    return [fold(match.group()) for match in _WORD.finditer(text)]


def fold(word: str) -> str:
    """Make two ways of writing a word the same."""
    return word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold()


def skeleton(text: str) -> str:
    """The folded letters and digits of `text`."""
    return "".join(words_of(text))


def _first_words(text: str, chars_max: int) -> str:
    """The first characters, up to a line's or a word's end."""
    if len(text) <= chars_max:
        return text
    cut = max(text.rfind("\n", 0, chars_max), text.rfind(" ", 0, chars_max))
    return text[: cut + 1 if cut > chars_max - LINE_CHARS_MAX else chars_max]


def _goes_on(two: str) -> bool:
    """Whether of two neighbouring characters neither ends a word."""
    return len(two) == 2 and two.isalnum()


def _start(found: Found) -> int:
    return found.start


def _by_reading(values: Iterable[Found]) -> dict[Reading, list[Placed]]:
    found: dict[Reading, list[Placed]] = {}
    for start, end, readings in values:
        for reading in readings:
            found.setdefault(reading, []).append(Placed(start, end))
    return found
