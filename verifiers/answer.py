"""Read a model's answer as JSON, remembering where each value stands in its text.

Strict JSON; duplicate keys are remembered, since they are how one answer can say two things.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from json.decoder import scanstring  # type: ignore[attr-defined]  # there since Python 3.0, without a stub

from verifiers import amounts
from verifiers.found import Reading

DEPTH_MAX = 64
PATH_CHARS_MAX = 2_000
LEAVES_MAX = 2_000
"""Of an answer with more leaves and empty containers only the first are read."""
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None}

Leaf = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class LeafValue:
    """One scalar of the answer: its path, and its characters `start` to `end` in the text."""

    path: str
    value: Leaf
    raw: str
    """As written: a number's digits are its own, not a float's."""
    start: int
    end: int

    @property
    def amounts(self) -> frozenset[Reading]:
        """What the value may mean as an amount: a number means itself, a text may have two readings."""
        if isinstance(self.value, str):
            return amounts.readings(self.value)
        if self.value is None or isinstance(self.value, bool):
            return frozenset()
        return frozenset((Decimal(self.raw),))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is JSON."""

    leaves: tuple[LeafValue, ...]
    duplicate_keys: tuple[str, ...]
    empty_objects: tuple[str, ...] = ()
    """Paths of `{}`, which has no leaf."""
    empty_arrays: tuple[str, ...] = ()
    """Paths of `[]`."""
    is_whole: bool = True
    """Nothing was left unread. What follows the part that was read may be anything."""


class NotJsonError(ValueError):
    """The answer is not JSON; the message says where."""


def read_answer(text: str) -> Answer:
    """Read `text`. Raises NotJsonError."""
    scanner = _Scanner(text)
    try:
        scanner.value(scanner.space(0), "", 0)
    except _EnoughError:
        is_whole = False
    else:
        is_whole = True
        if scanner.space(scanner.position) != len(text):
            raise NotJsonError(f"something follows the JSON at character {scanner.position}")
    return Answer(
        tuple(scanner.leaves),
        tuple(scanner.duplicates),
        tuple(scanner.empty_objects),
        tuple(scanner.empty_arrays),
        is_whole,
    )


class _EnoughError(Exception):
    """More leaves than are read."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.leaves: list[LeafValue] = []
        self.duplicates: list[str] = []
        self.empty_objects: list[str] = []
        self.empty_arrays: list[str] = []

    def space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match is not None else at

    def value(self, at: int, path: str, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise NotJsonError(f"the answer is nested deeper than {DEPTH_MAX} levels")
        first = self.text[at : at + 1]
        if first == "{":
            self._object(at + 1, path, depth)
        elif first == "[":
            self._array(at + 1, path, depth)
        elif first == '"':
            value, end = self._string(at)
            self._leaf(path, value, at, end)
        else:
            self._word(at, path)

    def _count(self) -> None:
        if len(self.leaves) + len(self.empty_objects) + len(self.empty_arrays) >= LEAVES_MAX:
            raise _EnoughError

    def _leaf(self, path: str, value: Leaf, start: int, end: int) -> None:
        self._count()
        self.leaves.append(LeafValue(path, value, self.text[start:end], start, end))
        self.position = end

    def _string(self, at: int) -> tuple[str, int]:
        try:
            value, end = scanstring(self.text, at + 1, True)
        except json.JSONDecodeError as error:
            raise NotJsonError(f"a string is broken at character {error.pos}") from error
        return value, end

    def _word(self, at: int, path: str) -> None:
        for word, value in _WORDS.items():
            if self.text.startswith(word, at):
                self._leaf(path, value, at, at + len(word))
                return
        match = _NUMBER.match(self.text, at)
        if match is None:
            raise NotJsonError(f"there is no JSON value at character {at}")
        digits = match.group()
        if len(digits) > 64:
            raise NotJsonError(f"a number has {len(digits)} characters at character {at}")
        is_float = any(mark in digits for mark in ".eE")
        self._leaf(path, float(digits) if is_float else int(digits), at, match.end())

    def _object(self, at: int, path: str, depth: int) -> None:
        seen: set[str] = set()
        at = self.space(at)
        if self.text[at : at + 1] == "}":
            self._count()
            self.empty_objects.append(path)
            self.position = at + 1
            return
        while True:
            if self.text[at : at + 1] != '"':
                raise NotJsonError(f"a key is missing at character {at}")
            key, end = self._string(at)
            inner = f"{path}.{key}" if path else key
            if len(inner) > PATH_CHARS_MAX:
                raise NotJsonError(f"a field's path is longer than {PATH_CHARS_MAX} characters")
            if key in seen:
                self.duplicates.append(inner)
            seen.add(key)
            at = self.space(end)
            if self.text[at : at + 1] != ":":
                raise NotJsonError(f"a colon is missing at character {at}")
            self.value(self.space(at + 1), inner, depth + 1)
            at = self.space(self.position)
            mark = self.text[at : at + 1]
            if mark == "}":
                self.position = at + 1
                return
            if mark != ",":
                raise NotJsonError(f"a comma is missing at character {at}")
            at = self.space(at + 1)

    def _array(self, at: int, path: str, depth: int) -> None:
        at = self.space(at)
        if self.text[at : at + 1] == "]":
            self._count()
            self.empty_arrays.append(path)
            self.position = at + 1
            return
        index = 0
        while True:
            self.value(at, f"{path}[{index}]", depth + 1)
            index += 1
            at = self.space(self.position)
            mark = self.text[at : at + 1]
            if mark == "]":
                self.position = at + 1
                return
            if mark != ",":
                raise NotJsonError(f"a comma is missing at character {at}")
            at = self.space(at + 1)
