"""A walk through a document: files that a reader writes and commands that a reader types, with what they print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FILE = re.compile(r"`([\w./-]+\.json)`")


@dataclass(frozen=True, slots=True)
class Written:
    """A block that is a file: it begins with `# PATH`, or, as JSON has no comments, the line above names it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command of ours without its first word, and the lines that it prints."""

    arguments: tuple[str, ...]
    printed: tuple[str, ...]


def section(document: str, heading: str) -> str:
    """What stands beneath `## HEADING`, with it, up to the next one."""
    begin = document.index(f"## {heading}\n")
    end = document.find("\n## ", begin)
    return document[begin : end if end >= 0 else len(document)]


def steps(text: str) -> Iterator[Written | Typed]:
    """The files and commands of a section, in its order."""
    lines, before = iter(text.splitlines()), ""
    typed: list[str] = []
    for line in lines:
        if typed and line.strip() and not line.startswith("    "):
            yield _typed(typed)
            typed = []
        if line.startswith("```"):
            block = list(iter(lambda: next(lines), "```"))
            yield Written(_path(block[0], before), "".join(f"{each}\n" for each in block))
        elif line.startswith("    $ ") and typed:
            yield _typed(typed)
            typed = [line]
        elif typed or line.startswith("    $ "):
            typed.append(line)
        before = line or before
    if typed:
        yield _typed(typed)


def _path(first: str, before: str) -> str:
    if first.startswith("# "):
        return first[2:]
    (name,) = _FILE.findall(before)
    return str(name)


def _typed(lines: list[str]) -> Typed:
    command, *printed = (line[4:] for line in lines)
    assert command.startswith("$ steelyard "), command
    while printed and not printed[-1]:
        printed.pop()
    return Typed(tuple(command.split()[2:]), tuple(printed))
