"""The captions of a document's amounts and dates: the words before each that say what it is.

A caption stands before the value on its line, or alone on the line above; a second value of a line
without words of its own shares the caption of the first.
"""

import re
from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from functools import cached_property

from verifiers.balances import told_apart
from verifiers.caption_words import AMOUNTS, DATES, Caption, Table
from verifiers.captioned import Captioned
from verifiers.document import Document
from verifiers.found import Found

CAPTION_CHARS_MAX = 80
VALUES_MAX = 500
"""A document with more amounts or dates than this is no receipt: its captions say too little."""
_WORDED = re.compile(r"[^\W\d_]{2}|[\u2e80-\uffff]")


class Captions:
    """The captions of a document's amounts and dates, read once for all of its fields."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._ranked: dict[Hashable, list[tuple[int, Captioned]]] = {}

    @cached_property
    def amounts(self) -> list[Captioned]:
        """The first amounts, in the order of the text."""
        return told_apart(_read(self.document, self.document.amount_values[:VALUES_MAX], AMOUNTS))

    @cached_property
    def dates(self) -> list[Captioned]:
        """The first dates, in the order of the text."""
        return _read(self.document, self.document.date_values[:VALUES_MAX], DATES)

    @property
    def are_whole(self) -> bool:
        """Whether no amount and no date of the text was left unread."""
        values = (self.document.amount_values, self.document.date_values)
        return self.document.is_indexed_whole and max(map(len, values)) <= VALUES_MAX

    @cached_property
    def paid(self) -> frozenset[Decimal]:
        """What was paid less the change that follows it; empty where no change is stated."""
        found: set[Decimal] = set()
        paid: list[Decimal] = []
        for each in self.amounts:
            if each.caption is Caption.PAID:
                paid = each.decimals
            elif each.caption is Caption.CHANGE:
                found.update(abs(one) - abs(change) for one in paid for change in each.decimals)
        return frozenset(amount for amount in found if amount > 0)

    def ranked(
        self, values: Sequence[Captioned], key: Hashable, fit: Callable[[Caption | None, str], int]
    ) -> list[tuple[int, Captioned]]:
        """`values` by how well they fit, best first; those that fit alike as the text has them.

        Ranked once for all fields that share `key`.
        """
        found = self._ranked.get(key)
        if found is None:
            self.document.spend(25 * len(values))
            pairs = [(fit(each.caption, each.words), each) for each in values]
            found = self._ranked[key] = sorted(pairs, key=lambda pair: -pair[0])
        return found


def _read(document: Document, values: Sequence[Found], table: Table) -> list[Captioned]:
    found: list[Captioned] = []
    line_start, line_end, position = 0, -1, 0
    caption: Caption | None = None
    words = ""
    line_above_free = True
    for value in values:
        if value.start > line_end:
            last_line_end = line_end
            line_start, line_end = document.line_of(value.start)
            position, caption, words = line_start, None, ""
            line_above_free = last_line_end < line_start - 1
        own = document.text[max(position, value.start - CAPTION_CHARS_MAX) : value.start]
        worded = _WORDED.search(own) is not None
        if not worded and position == line_start and line_above_free and line_start > 0:
            own, worded = _line_above(document, line_start), True
        if worded:
            own = own.lower()
            here = table.read(own)
            if here is not None and (caption is None or here is not Caption.QUANTITY):
                caption, words = here, own
            elif caption is None:
                words = own
        found.append(Captioned(value, caption, words))
        position = value.end
    return found


def _line_above(document: Document, line_start: int) -> str:
    above, end = document.line_of(line_start - 1)
    return document.text[max(above, end - CAPTION_CHARS_MAX) : end]
