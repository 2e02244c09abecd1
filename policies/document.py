"""A small, closed YAML: no aliases (a few bytes of them make gigabytes), no tags, no duplicate keys,
no line breaks in values (what is wrapped is read as one line), one document a file.

Whatever the bytes are, the result is a Mapping or a DocumentError with its line.
"""

import codecs
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import yaml

from policies.errors import DocumentError
from policies.files import FILE_BYTES_MAX, read_file
from policies.nodes import Mapping, Node, Scalar, Sequence
from policies.syntax import syntax_error, without_a_key

DEPTH_MAX = 20


def read_document(path: Path) -> Mapping:
    """Read a YAML file whose root is a mapping. Raises DocumentError, also where no file is there."""
    return parse_bytes(read_file(path), path.name)


def parse_bytes(content: bytes, file: str) -> Mapping:
    """Read YAML whose root is a mapping; `file` is what errors call it."""
    if len(content) > FILE_BYTES_MAX:
        raise DocumentError(
            f"the file has more than {FILE_BYTES_MAX} bytes, and no more are read; shorten it", file, 1
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found = "UTF-16" if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "not UTF-8"
        raise DocumentError(f"the file is {found}; save it as UTF-8", file, line) from error
    try:
        return _Reader(yaml.parse(text, Loader=yaml.SafeLoader), file).document()
    except yaml.MarkedYAMLError as error:
        message, line = syntax_error(error, text)
        raise DocumentError(message, file, line) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise DocumentError(_unreadable(error), file, line) from error
    except (ValueError, OverflowError) as error:  # the parser's own: "\UFFFFFFFF", a version of 5,000 digits
        raise DocumentError(
            "this is not YAML: an escape or a version number is out of range; write the plain value", file, 1
        ) from error


def _unreadable(error: yaml.reader.ReaderError) -> str:
    if error.character == 0:
        return "this line holds a NUL byte, as a file that was saved as UTF-16 or cut off does; save it as UTF-8 text"
    return (
        f"this line holds the control character U+{error.character:04X}, which YAML does not allow; remove it"
    )


class _Reader:
    """Builds nodes from YAML's events as they come, refusing what we do not read."""

    def __init__(self, events: Iterator[yaml.Event], file: str) -> None:
        self._events = events
        self._file = file

    def document(self) -> Mapping:
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
        if root is None or (isinstance(root, Scalar) and root.empty):
            raise DocumentError("the file is empty; write keys and values", self._file, 1)
        if isinstance(root, Mapping):
            return root
        if isinstance(root, Scalar) and (said := without_a_key(root.text)):
            raise root.error(said)
        raise DocumentError(
            "the file must be a mapping of keys to values, with lines such as `team: finance`",
            self._file,
            root.line,
        )

    def _node(self, event: yaml.Event, name: str, depth: int) -> Node:
        line = _line(event)
        if depth > DEPTH_MAX:
            raise self._error(f"this is nested deeper than {DEPTH_MAX} levels; write it flatter", event)
        self._refuse_anchors_and_tags(event)
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(self._one_line(event), event.style is not None, self._file, line)
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
            self._refuse_anchors_and_tags(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(
                    "a key must be a single word; write `key: value`, and what begins with { or [ in quotes",
                    event,
                )
            key = self._one_line(event)
            if key == "<<":
                raise self._error("merge keys are not read; write the values out", event)
            if key in entries:
                raise self._error(
                    f"the key '{key[:60]}' is here twice; the first is in line {key_lines[key]}: remove one",
                    event,
                )
            key_lines[key] = _line(event)
            entries[key] = self._node(next(self._events), f"{name}.{key}" if name else key, depth + 1)
        return Mapping(entries, key_lines, name, self._file, line)

    def _refuse_anchors_and_tags(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._error(
                "anchors and aliases are not read; write the value out, and in quotes if it begins with & or *",
                event,
            )
        if getattr(event, "tag", None):
            raise self._error(
                "tags are not read; write the plain value, in quotes if it begins with !", event
            )

    def _one_line(self, event: yaml.ScalarEvent) -> str:
        """Text that a message, a log line and a header can hold."""
        text: str = event.value
        unseen = next((char for char in text if not char.isprintable()), None)
        if unseen is not None:
            raise self._error(f"this holds {_called(unseen)}; write plain text on one line", event)
        return text

    def _error(self, message: str, event: yaml.Event) -> DocumentError:
        return DocumentError(message, self._file, _line(event))


def _called(unseen: str) -> str:
    if unseen in "\n\r\x85\u2028\u2029":
        return "a line break"
    name = unicodedata.name(unseen, "")
    return f"U+{ord(unseen):04X}{f' ({name.lower()})' if name else ''}, which cannot be seen"


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1
