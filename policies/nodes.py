"""Values with places: every value knows its file and line, so that every error can name them.

A value is read as what its key wants: a word, a number, money, one of a set. Numbers are plain
decimals ("1e3", "0x10" and ".inf" are refused, "1_000" is a whole number); money is read from the
characters as written, never through a float. An empty value is refused: a limit that somebody
forgot to fill in is not "no limit".
"""

import difflib
import re
from collections.abc import Collection, Iterator
from collections.abc import Mapping as TypingMapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from ledger.errors import MoneyError
from ledger.money import NanoUSD, parse_usd
from policies.errors import RuleError

SHOWN_MAX = 60
"""How much of a wrong value a message repeats, in characters."""
NAMES_MAX = 20
"""How many names a message lists where none is near."""
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*(?:_[0-9]+)*)")
_WHOLE_CHARACTERS_MAX = 30
_DIGITS = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_TYPOGRAPHIC_QUOTES = tuple("\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})

_E = TypeVar("_E", bound=StrEnum)
Elsewhere = TypingMapping[str, Collection[str]]
"""Other places, by what messages call them, with their keys: a line that is indented wrongly is in the wrong one."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One word or number, as written."""

    text: str
    quoted: bool
    file: str
    line: int

    @property
    def empty(self) -> bool:
        """Whether nothing is written here, or YAML's word for it."""
        return not self.text.strip() or (not self.quoted and self.text in _NULLS)

    def error(self, message: str) -> RuleError:
        """An error at this place; a word processor's quotes are part of the value, so that they are told."""
        if self.text[:1] in _TYPOGRAPHIC_QUOTES and not self.quoted:
            message += f"; {self.text[0]} is no quote that YAML knows, write plain ones"
        return RuleError(message, self.file, self.line)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of values."""

    items: "tuple[Node, ...]"
    file: str
    line: int

    def error(self, message: str) -> RuleError:
        """An error at this place."""
        return RuleError(message, self.file, self.line)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values, in the file's order."""

    entries: "dict[str, Node]"
    key_lines: dict[str, int]
    name: str
    """What this mapping is called in messages: "" for the whole file."""
    file: str
    line: int

    def error(self, message: str, key: str | None = None) -> RuleError:
        """An error at this place, or at one of its keys."""
        line = self.key_lines.get(key, self.line) if key is not None else self.line
        return RuleError(message, self.file, line)

    def only(self, known: Collection[str], elsewhere: Elsewhere | None = None) -> None:
        """Refuse every key that is not in `known`, with the nearest one that is, or with where it belongs."""
        for key, node in self.entries.items():
            if key in known:
                continue
            if _DIGITS.fullmatch(key) and isinstance(node, Scalar) and node.empty:
                raise self.error(
                    f"the comma before {key[:SHOWN_MAX]} begins another key; write 2.5 and not 2,5, or 20_000 and not 20,000",
                    key,
                )
            where = f" in {self.name}" if self.name else ""
            place = next((name for name, keys in (elsewhere or {}).items() if key in keys), None)
            hint = f"; it belongs in {place}: move it there, and mind the indentation" if place else ""
            raise self.error(f"unknown key '{key[:SHOWN_MAX]}'{where}{hint or suggestion(key, known)}", key)

    def path(self, key: str) -> str:
        """A key's full name in messages."""
        return f"{self.name}.{key}" if self.name else key

    def has(self, key: str) -> bool:
        """Whether the key is there, with a value or without."""
        return key in self.entries

    def scalar(self, key: str) -> Scalar:
        """The word or number at `key`; RuleError if it is missing, empty or something else."""
        node = self._node(key)
        if not isinstance(node, Scalar):
            raise node.error(f"{self.path(key)} must be a single value, not a list or a mapping")
        if node.empty:
            raise node.error(f"{self.path(key)} is empty; write a value or leave the key out")
        return node

    def text(self, key: str, default: str | None = None) -> str:
        """A non-empty word; `default` if the key is missing and a default is given."""
        if default is not None and not self.has(key):
            return default
        node = self.scalar(key)
        if node.text != node.text.strip():
            raise node.error(f"{self.path(key)} begins or ends with a space; leave it out")
        return node.text

    def optional_text(self, key: str) -> str | None:
        """A non-empty word, or None if the key is missing."""
        return self.text(key) if self.has(key) else None

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from `low` to `high`."""
        if default is not None and not self.has(key):
            return default
        node = self.scalar(key)
        if not _WHOLE.fullmatch(node.text) or len(node.text) > _WHOLE_CHARACTERS_MAX:
            raise node.error(
                f"{self.path(key)} is '{node.text[:SHOWN_MAX]}'; write a whole number from {low} to {high}"
            )
        value = int(node.text)
        if not low <= value <= high:
            raise node.error(f"{self.path(key)} is {value}; it must be from {low} to {high}")
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number from `low` to `high`; never money."""
        if default is not None and not self.has(key):
            return default
        node = self.scalar(key)
        if not _DECIMAL.fullmatch(node.text):
            raise node.error(
                f"{self.path(key)} is '{node.text[:SHOWN_MAX]}'; write a plain number from {low:g} to {high:g}"
            )
        value = float(node.text)
        if not low <= value <= high:
            raise node.error(
                f"{self.path(key)} is {node.text[:SHOWN_MAX]}; it must be from {low:g} to {high:g}"
            )
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """true or false."""
        if not self.has(key):
            return default
        node = self.scalar(key)
        if node.text not in ("true", "false"):
            raise node.error(f"{self.path(key)} is '{node.text[:SHOWN_MAX]}'; write true or false")
        return node.text == "true"

    def only_true(self, key: str) -> bool:
        """Whether the key is there; it says something only as true."""
        if self.has(key) and (node := self.scalar(key)).text != "true":
            nothing = ", which asks for nothing" if node.text == "false" else ""
            raise node.error(
                f"{self.path(key)} is '{node.text[:SHOWN_MAX]}'{nothing}; write true or leave it out"
            )
        return self.has(key)

    def usd(self, key: str) -> NanoUSD:
        """An amount of money in US dollars, exact."""
        node = self.scalar(key)
        if len(node.text) > SHOWN_MAX:
            raise node.error(f'{self.path(key)} is no amount in US dollars; write e.g. "12.50"')
        try:
            return parse_usd(node.text)
        except MoneyError as error:
            raise node.error(f"{self.path(key)}: {error}") from error

    def choice(self, key: str, kind: type[_E], default: _E | None = None) -> _E:
        """One of an enumeration's values."""
        if default is not None and not self.has(key):
            return default
        node = self.scalar(key)
        values = [member.value for member in kind]
        if node.text not in values:
            near = _nearest(node.text, values)
            hint = f"; did you mean '{near}'?" if near is not None else ""
            raise node.error(
                f"{self.path(key)} is '{node.text[:SHOWN_MAX]}'; it is one of {', '.join(values)}{hint}"
            )
        return kind(node.text)

    def words(self, key: str) -> tuple[Scalar, ...]:
        """A list of words."""
        node = self._node(key)
        if not isinstance(node, Sequence):
            raise node.error(f"{self.path(key)} must be a list{_as_list(node)}")
        words: list[Scalar] = []
        for item in node.items:
            if not isinstance(item, Scalar) or item.empty:
                raise item.error(f"{self.path(key)} must hold single names, e.g. [one, two]")
            words.append(item)
        return tuple(words)

    def names(self, key: str) -> tuple[Scalar, ...]:
        """A list of at least one word, none twice."""
        words = self.words(key)
        if not words:
            raise self.error(f"{self.path(key)} is empty; name at least one, or leave it out", key)
        seen: set[str] = set()
        for word in words:
            if word.text in seen:
                raise word.error(f"{self.path(key)} names '{word.text[:SHOWN_MAX]}' twice; leave one out")
            seen.add(word.text)
        return words

    def sections(self, key: str) -> tuple["Mapping", ...]:
        """A list of mappings; an empty one if the key is missing."""
        if not self.has(key):
            return ()
        node = self._node(key)
        if not isinstance(node, Sequence):
            raise node.error(f"{self.path(key)} must be a list, each item beginning with `- `")
        found: list[Mapping] = []
        for item in node.items:
            if not isinstance(item, Mapping):
                raise item.error(f"an item of {self.path(key)} must have lines `key: value`")
            found.append(item)
        return tuple(found)

    def mapping(self, key: str) -> "Mapping":
        """A mapping, whose place is its key's; an empty one if the key is missing or has nothing under it."""
        line = self.key_lines.get(key, self.line)
        node = self.entries.get(key)
        if node is None or (isinstance(node, Scalar) and node.empty and not node.quoted):
            return Mapping({}, {}, self.path(key), self.file, line)
        if not isinstance(node, Mapping):
            dashes = ", without a dash before it" if isinstance(node, Sequence) else ""
            raise node.error(
                f"{self.path(key)} must be a mapping, with a line `key: value` for each of its values{dashes}"
            )
        return replace(node, line=line)

    def _node(self, key: str) -> "Node":
        if key not in self.entries:
            raise self.error(f"{self.path(key)} is missing; add it")
        return self.entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)


Node = Scalar | Sequence | Mapping


def _as_list(node: "Node") -> str:
    """What was written as a list is written."""
    if not isinstance(node, Scalar) or node.empty or len(node.text) > SHOWN_MAX:
        return ", e.g. [one, two]"
    if node.text.startswith(("-", "\u2013", "\u2014", "\u2022", "*")) and node.text[1:]:
        return ", each item on a line that begins with a dash and a space: `- one`"
    return f"; write [{node.text}]" if node.text != "*" else '; write ["*"]'


def suggestion(word: str, known: Collection[str]) -> str:
    """ "; did you mean ...?", or what there is if nothing is near."""
    near = _nearest(word, known)
    if near is not None:
        return f"; did you mean '{near}'?"
    names = sorted(known)
    more = f" and {len(names) - NAMES_MAX} more" if len(names) > NAMES_MAX else ""
    return f"; known are {', '.join(names[:NAMES_MAX])}{more}" if names else "; there are none"


def _nearest(word: str, known: Collection[str]) -> str | None:
    near = difflib.get_close_matches(word[: 2 * SHOWN_MAX], list(known), n=1)
    return near[0] if near else None
