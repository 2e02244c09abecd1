"""The headings of columns: a line of words above a line of values, each over its own value.

Both lines must fall into as many cells, by gaps or else by words; where they do not, the whole line
stands over all values below it.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass

LINE_CHARS_MAX = 400
HEADING_CHARS_MAX = 80
_CELL = re.compile(r"[^\s|]+(?: [^\s|]+)*")
_PIECE = re.compile(r"[^\s|]+")
_ITEM_WORDS = """item items description qty quantity price unit units product products article hours rate menge preis
    einzelpreis bezeichnung beschreibung artikel position pos stück quantité prix désignation"""
_OF_ITEMS = frozenset(_ITEM_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """Headings, and where the cells below them begin; of one heading that stands over all, no cells."""

    headings: tuple[str, ...]
    starts: tuple[int, ...]
    are_of_items: bool
    """Whether they head a table of items: then a total among them is that of a line."""

    def over(self, at: int) -> str:
        """The heading of the value at `at`."""
        return self.headings[max(bisect_right(self.starts, at) - 1, 0)]


def columns_above(text: str, start: int, end: int) -> Columns:
    """Of the line before the one from `start` to `end`, which is not the first."""
    first = max(text.rfind("\n", 0, start - 1) + 1, start - 1 - LINE_CHARS_MAX)
    above = text[max(first, start - 1 - HEADING_CHARS_MAX) : start - 1]
    if len(_CELL.findall(text, first, start - 1)) < 2:
        return Columns((above,), (), are_of_items=False)
    words = _WORD.findall(text[first : start - 1].lower())
    are_of_items = not _OF_ITEMS.isdisjoint(words)
    for pattern in (_CELL, _PIECE):
        headings = tuple(pattern.findall(text, first, start - 1))
        starts = tuple(
            match.start() for match in pattern.finditer(text, start, min(end, start + LINE_CHARS_MAX))
        )
        if len(headings) == len(starts):
            return Columns(headings, starts, are_of_items=are_of_items)
    return Columns((above,), (), are_of_items=are_of_items)
