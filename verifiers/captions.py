"""The captions of a document's amounts and dates: the words before each that say what it is.

A caption stands before the value on its line, or on the line above, alone or as the heading of a
column; a second value of a line without words of its own shares the caption of the first.
"""

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property

from verifiers.balances import told_apart
from verifiers.caption_numbers import is_of_caption
from verifiers.caption_words import AMOUNTS, DATES, Caption, Table
from verifiers.captioned import Captioned
from verifiers.columns import Columns, columns_above
from verifiers.document import Document
from verifiers.found import Found

CAPTION_CHARS_MAX = 80
VALUES_MAX = 500
"""A document with more amounts or dates than this is no receipt: its captions say too little."""
_WHOLE = (Caption.TOTAL, Caption.GRAND_TOTAL, Caption.PAYABLE_TOTAL, Caption.NET)
_WORDED = re.compile(r"[^\W\d_]{2}|[\u2e80-\uffff]")


class Captions:
    """The captions of a document's amounts and dates, read once for all of its fields."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._ranked: dict[Hashable, list[tuple[int, Captioned]]] = {}

    @cached_property
    def amounts(self) -> list[Captioned]:
        """The first amounts, in the order of the text."""
        return self.of_amounts(self.document.amount_values[:VALUES_MAX])

    @cached_property
    def dates(self) -> list[Captioned]:
        """The first dates, in the order of the text."""
        return self.of_dates(self.document.date_values[:VALUES_MAX])

    def of_amounts(self, values: Sequence[Found]) -> list[Captioned]:
        """Amounts of the document that follow one another, and what each is said to be."""
        read = _read(self.document, values, AMOUNTS)
        following = [*read[1:], None]
        return told_apart(
            [
                replace(each, caption=Caption.QUANTITY)
                if each.caption is not None and is_of_caption(self.document, each, after)
                else each
                for each, after in zip(read, following, strict=False)
            ]
        )

    def of_dates(self, values: Sequence[Found]) -> list[Captioned]:
        """Dates of the document that follow one another, and what each is said to be."""
        return _read(self.document, values, DATES)

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


class _Line:
    """A line with values: the caption that was read last, and where to read on."""

    def __init__(
        self, document: Document, table: Table, span: tuple[int, int], *, is_below_words: bool
    ) -> None:
        self._document, self._table, self._span = document, table, span
        self._position = span[0]
        self._is_below_words = is_below_words
        """Whether the line above has no values and this one no words yet: then that one may say what they are."""
        self._columns: Columns | None = None
        self._heading: str | None = None
        self._caption: Caption | None = None
        self._words = ""

    def take(self, value: Found) -> Captioned:
        """Read the words before the next value."""
        own = self._document.text[max(self._position, value.start - CAPTION_CHARS_MAX) : value.start]
        self._position = value.end
        if _WORDED.search(own) is not None:
            if self._is_below_words:  # words of its own: what stands above says no more of this line
                self._is_below_words, self._caption, self._words = False, None, ""
            self._read(own.lower())
        elif self._is_below_words:
            self._read_above(value)
        return Captioned(value, self._caption, self._words)

    def _read_above(self, value: Found) -> None:
        if self._columns is None:
            self._columns = columns_above(self._document.text, *self._span)
        heading = self._columns.over(value.start)
        if heading == self._heading:
            return
        self._heading, self._words = heading, heading.lower()
        caption = self._table.read(self._words)
        is_of_line = caption in _WHOLE and self._columns.are_of_items
        self._caption = Caption.PARTIAL if is_of_line else caption

    def _read(self, own: str) -> None:
        here = self._table.read(own)
        if here is not None and (self._caption is None or here is not Caption.QUANTITY):
            self._caption, self._words = here, own
        elif self._caption is None:
            self._words = own


def _read(document: Document, values: Sequence[Found], table: Table) -> list[Captioned]:
    found: list[Captioned] = []
    line, line_end = None, -1
    for value in values:
        if line is None or value.start > line_end:
            last_line_end = line_end
            line_start, line_end = span = document.line_of(value.start)
            line = _Line(document, table, span, is_below_words=last_line_end < line_start - 1)
        found.append(line.take(value))
    return found
