"""YAML with places: every value knows its file and line, so that every error can name them.

A small, closed YAML: no aliases (a few bytes of them make gigabytes), no tags, no duplicate keys,
one document a file. Money is read from the characters as written, never through a float.
"""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import yaml

from ledger.errors import MoneyError
from ledger.money import NanoUSD, parse_usd
from policies.errors import DocumentError, RuleError

FILE_BYTES_MAX = 256 * 1024
DEPTH_MAX = 20

_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One word or number, as written."""

    text: str
    quoted: bool
    file: str
    line: int

    def error(self, message: str) -> RuleError:
        """An error at this place."""
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

    def only(self, known: Collection[str]) -> None:
        """Refuse every key that is not in `known`, with the nearest one that is."""
        for key in self.entries:
            if key not in known:
                where = f" in {self.name}" if self.name else ""
                raise self.error(f"unknown key '{key}'{where}{suggestion(key, known)}", key)

    def path(self, key: str) -> str:
        """A key's full name in messages."""
        return f"{self.name}.{key}" if self.name else key

    def has(self, key: str) -> bool:
        """Whether the key is there with a value."""
        node = self.entries.get(key)
        return node is not None and not (
            isinstance(node, Scalar) and not node.quoted and node.text in ("", "~", "null")
        )

    def scalar(self, key: str) -> Scalar:
        """The word or number at `key`; RuleError if it is missing or something else."""
        if not self.has(key):
            raise self.error(f"{self.path(key)} is missing", key)
        node = self.entries[key]
        if not isinstance(node, Scalar):
            raise node.error(f"{self.path(key)} must be a single value, not a list or a mapping")
        return node

    def text(self, key: str, default: str | None = None) -> str:
        """A non-empty word; `default` if the key is missing and a default is given."""
        if default is not None and not self.has(key):
            return default
        node = self.scalar(key)
        if not node.text.strip():
            raise node.error(f"{self.path(key)} is empty")
        return node.text

    def optional_text(self, key: str) -> str | None:
        """A non-empty word, or None if the key is missing."""
        return self.text(key) if self.has(key) else None

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from `low` to `high`."""
        if default is not None and not self.has(key):
            return default
        node = self.scalar(key)
        try:
            value = int(node.text.replace("_", ""))
        except ValueError:
            raise node.error(
                f"{self.path(key)} is '{node.text[:40]}'; write a whole number from {low} to {high}"
            ) from None
        if not low <= value <= high:
            raise node.error(f"{self.path(key)} is {value}; it must be from {low} to {high}")
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number from `low` to `high`; never money."""
        if default is not None and not self.has(key):
            return default
        node = self.scalar(key)
        try:
            value = float(node.text)
        except ValueError:
            raise node.error(
                f"{self.path(key)} is '{node.text[:40]}'; write a number from {low:g} to {high:g}"
            ) from None
        if not low <= value <= high:
            raise node.error(f"{self.path(key)} is {node.text}; it must be from {low:g} to {high:g}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """true or false."""
        if not self.has(key):
            return default
        node = self.scalar(key)
        if node.text not in ("true", "false"):
            raise node.error(f"{self.path(key)} is '{node.text[:40]}'; write true or false")
        return node.text == "true"

    def usd(self, key: str) -> NanoUSD:
        """An amount of money in US dollars, exact."""
        node = self.scalar(key)
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
            raise node.error(
                f"{self.path(key)} is '{node.text[:40]}'; it is one of {', '.join(values)}{suggestion(node.text, values)}"
            )
        return kind(node.text)

    def words(self, key: str) -> tuple[Scalar, ...]:
        """A list of words."""
        if not self.has(key):
            raise self.error(f"{self.path(key)} is missing", key)
        node = self.entries[key]
        if not isinstance(node, Sequence):
            raise node.error(f"{self.path(key)} must be a list, e.g. [one, two]")
        words: list[Scalar] = []
        for item in node.items:
            if not isinstance(item, Scalar) or not item.text.strip():
                raise item.error(f"{self.path(key)} must hold single names")
            words.append(item)
        return tuple(words)

    def mapping(self, key: str) -> "Mapping":
        """A mapping; an empty one if the key is missing."""
        if not self.has(key):
            return Mapping({}, {}, self.path(key), self.file, self.key_lines.get(key, self.line))
        node = self.entries[key]
        if not isinstance(node, Mapping):
            raise node.error(f"{self.path(key)} must be a mapping of names to values")
        return node

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)


Node = Scalar | Sequence | Mapping


def suggestion(word: str, known: Collection[str]) -> str:
    """ "; did you mean ...?", or what there is if nothing is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; known are {', '.join(sorted(known))}" if known else ""


def read_document(path: Path) -> Mapping:
    """Read a YAML file whose root is a mapping. Raises DocumentError, OSError is the caller's."""
    data = path.read_bytes()
    file = path.name
    if len(data) > FILE_BYTES_MAX:
        raise DocumentError(f"the file has {len(data)} bytes; at most {FILE_BYTES_MAX} are read", file, 1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DocumentError("the file is not UTF-8; save it as UTF-8", file, line) from error
    return parse_document(text, file)


def parse_document(text: str, file: str) -> Mapping:
    """Read YAML text whose root is a mapping."""
    try:
        events = list(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise DocumentError(f"this is not YAML: {error.problem or error.context}", file, line) from error
    except yaml.YAMLError as error:
        raise DocumentError(
            "this is not YAML: it holds a character that YAML does not allow", file, 1
        ) from error
    reader = _Reader(iter(events), file)
    root = reader.document()
    if not isinstance(root, Mapping):
        raise DocumentError("the file must be a mapping of keys to values, e.g. `team: finance`", file, 1)
    return root


class _Reader:
    """Builds nodes from YAML's events, refusing what we do not read."""

    def __init__(self, events: Iterator[yaml.Event], file: str) -> None:
        self._events = events
        self._file = file

    def document(self) -> Node:
        """The file's only document."""
        root: Node | None = None
        for event in self._events:
            if isinstance(event, (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentEndEvent)):
                continue
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._error("a second document begins here; write one a file", event)
                continue
            root = self._node(event, "", 1)
        if root is None:
            raise DocumentError("the file is empty", self._file, 1)
        return root

    def _node(self, event: yaml.Event, name: str, depth: int) -> Node:
        line = _line(event)
        if depth > DEPTH_MAX:
            raise self._error(f"this is nested deeper than {DEPTH_MAX} levels", event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._error("anchors and aliases are not read; write the value out", event)
        if getattr(event, "tag", None):
            raise self._error("tags are not read; write the plain value", event)
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(event.value, event.style is not None, self._file, line)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(child := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(child, name, depth + 1))
            return Sequence(tuple(items), self._file, line)
        return self._mapping(name, line, depth)

    def _mapping(self, name: str, line: int, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        key_lines: dict[str, int] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error("a key must be a single word", event)
            key = event.value
            if key == "<<":
                raise self._error("merge keys are not read; write the values out", event)
            if key in entries:
                raise self._error(
                    f"the key '{key}' is here twice; the first is in line {key_lines[key]}", event
                )
            key_lines[key] = _line(event)
            entries[key] = self._node(next(self._events), f"{name}.{key}" if name else key, depth + 1)
        return Mapping(entries, key_lines, name, self._file, line)

    def _error(self, message: str, event: yaml.Event) -> DocumentError:
        return DocumentError(message, self._file, _line(event))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1
