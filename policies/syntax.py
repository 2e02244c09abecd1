"""What is wrong with text that is no YAML, in the words of whoever wrote it; the parser's own words are its author's.

Each fault is known by what the parser says of it, and told at the line that has to be changed: where something was
opened and not closed, that is the line that opened it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

_PREFIX = "this is not YAML: "
_OTHERWISE = "look at the indentation and the quotes"
_CONFLICT = re.compile(r"(?:<<<<<<<|=======|>>>>>>>)(?: |$)")
_NO_KEY = (
    (r"(?:- +)?[A-Za-z_][\w+-]*:[^\s:/]", "a space is missing behind the colon; write `key: value`"),
    (r"(?:- +)?[A-Za-z_][\w+-]* *=", "a key is followed by a colon, not by =; write `key: value`"),
    (r"(?:- +)?[A-Za-z_][\w+-]* *\uff1a", "this colon is a full-width one; write a plain one and a space behind it"),
    (r"//|/\*", "a comment begins with #"),
)  # fmt: skip
"""What somebody wrote who meant a line `key: value`, or a comment, and what is to be written."""
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""YAML's own; `str.splitlines` knows more, and the parser's lines are these."""
_CANNOT_START = re.compile(r"found character '(.*)' that cannot start any token")


@dataclass(frozen=True, slots=True)
class _Fault:
    """What the parser says, and what is to be said."""

    sign: str
    said: str
    opened: bool = False
    """Told where the parser began to read what it could not end."""


_FAULTS = (
    _Fault("scanning an alias", 'an asterisk stands in quotes: "*"'),
    _Fault("scanning an anchor", "a value that begins with & stands in quotes"),
    _Fault("parsing a tag|scanning a tag", "a value that begins with ! stands in quotes"),
    _Fault(r"found character '\\t'", "a tab stands here; indent with spaces, not tabs"),
    _Fault(
        "parsing a flow sequence",
        "the [ of this line is not closed, or a comma is missing in it; write e.g. [one, two]",
        opened=True,
    ),
    _Fault(
        "parsing a flow mapping",
        "the { of this line is not closed, or a comma is missing in it; write e.g. {one: 1, two: 2}",
        opened=True,
    ),
    _Fault(
        r"node content, but found '[\]}]'",
        "a bracket is closed here that nothing opened; write e.g. [one, two] or {one: 1}",
    ),
    _Fault("parsing a flow node", "a comma has nothing before it; leave it out, or write what is missing"),
    _Fault(
        "unknown escape character|expected escape sequence",
        "in double quotes a backslash begins an escape; write the value in single quotes",
    ),
    _Fault("scanning a quoted scalar", "the quote that this line opens is not closed; close it", opened=True),
    _Fault("scanning a block scalar", "a value that begins with | or > stands in quotes"),
    _Fault("sequence entries are not allowed", "a list begins on a line of its own, or in brackets: [one, two]"),
    _Fault(
        "found '<scalar>'$",
        "text follows a closing quote or bracket; leave it out, or put the whole value in quotes of the other kind",
    ),
    _Fault(
        "<block end>, but found '[?-]'",
        "a key and an item of a list stand side by side; indent the keys of an item beneath its first one",
    ),
    _Fault(
        "<block end>, but found '<block (mapping|sequence) start>'",
        "this line is indented otherwise than those it belongs to; begin it where they begin",
    ),
    _Fault("directive|incompatible YAML", "a line that begins with % is no rule; leave it out"),
    _Fault("<block end>, but found ':'", "a colon has no key before it; write `key: value`"),
)  # fmt: skip


def syntax_error(error: yaml.MarkedYAMLError, text: str) -> tuple[str, int]:
    """What is wrong and what to write instead, and in which line."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 1
    lines = _LINE_BREAK.split(text)
    for index, each in enumerate(lines):
        if _CONFLICT.match(each):
            said = "this is the mark of a merge conflict; settle it and take its three marks out"
            return _PREFIX + said, index + 1
    if mark is not None and (opened := _quote_that_ends_in(text, mark.line)) is not None:
        return (
            f"{_PREFIX}the quote that this line opens is closed in line {line} only; close it here, or mend what follows it there",
            opened + 1,
        )
    told = f"{error.context or ''} {error.problem or ''}"
    if "mapping values are not allowed" in told and mark is not None:
        return _second_colon(lines, mark.line, mark.column)
    if "could not find expected ':'" in told and error.context_mark is not None:
        return _no_colon(lines, error.context_mark.line)
    for fault in _FAULTS:
        if re.search(fault.sign, told):
            begun = error.context_mark if fault.opened else None
            return _PREFIX + fault.said, begun.line + 1 if begun is not None else line
    if found := _CANNOT_START.search(told):
        return f"{_PREFIX}a value that begins with {found[1]} stands in quotes", line
    if "expected '<document start>'" in told:
        return _PREFIX + _behind_the_end(lines, line - 1), line
    return f"{_PREFIX}{error.problem or error.context}; {_OTHERWISE}", line


def _second_colon(lines: Sequence[str], index: int, column: int) -> tuple[str, int]:
    """A colon where none may be: a second one in a line, or the one of a line that belongs to no section."""
    before = lines[index][:column] if index < len(lines) else ""
    if re.search(r":\s", before):
        return f"{_PREFIX}a value that holds a colon stands in quotes", index + 1
    above = next((each for each in reversed(range(index)) if _says_something(lines[each])), None)
    if above is not None and (said := without_a_key(lines[above])):
        return _PREFIX + said, above + 1
    return (
        f"{_PREFIX}this line is indented deeper than the one above, which has its value already; begin both alike",
        index + 1,
    )


def _no_colon(lines: Sequence[str], index: int) -> tuple[str, int]:
    said = without_a_key(lines[index]) if index < len(lines) else None
    said = said or "this line has no key; write `key: value`, or `- value` for an item of a list"
    return _PREFIX + said, index + 1


def without_a_key(line: str) -> str | None:
    """What is wrong with a line that has no key, where it can be seen what was meant."""
    return next((said for written, said in _NO_KEY if re.match(written, line.lstrip())), None)


def _behind_the_end(lines: Sequence[str], index: int) -> str:
    first = next(line for line in lines if _says_something(line))
    if index < len(lines) and first[:1] == " " and lines[index][:1] != " ":
        return "this line is indented less than the first one; begin both at the left margin"
    return "what stands above this line is whole already; write lines `key: value` alone"


def _quote_that_ends_in(text: str, index: int) -> int | None:
    """Where a value in quotes was begun that ends in this line and not where it began."""
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            begun: int = token.start_mark.line
            if begun > index:
                break
            quoted = isinstance(token, yaml.ScalarToken) and token.style in ("'", '"')
            if quoted and begun < token.end_mark.line == index:
                return begun
    except (yaml.YAMLError, ValueError, OverflowError):  # the fault that is being told, or one behind it
        return None
    return None


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")
