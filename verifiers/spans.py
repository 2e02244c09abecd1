"""The excerpts of a document that an auditor sees: whole lines around a place, short and disjoint.

An auditor pays only while it reads little, so everything here is bounded, whatever the document.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from verifiers.document import Document
from verifiers.found import Placed

WINDOW_CHARS_MAX = 200
"""Around one place."""
SPAN_CHARS_MAX = 400
"""Of several that overlap, together."""
_CONTEXT_CHARS_MAX = 120
_BEFORE_CHARS, _WORD_CHARS_MAX = 80, 20


@dataclass(frozen=True, slots=True)
class Span:
    """An excerpt: the characters `start` to `end` of the document, and the fields that it was cut out for."""

    id: str
    start: int
    end: int
    text: str
    fields: frozenset[str]


def window(document: Document, placed: Placed) -> Placed:
    """The lines of a place, and those above and below while all is short; of a long line what is near."""
    first, _ = document.line_of(placed.start)
    _, last = document.line_of(max(placed.end - 1, placed.start))
    if last - first > WINDOW_CHARS_MAX:
        return _within(document.text, placed, first, last)
    if first > 0:
        above, _ = document.line_of(first - 1)
        if last - above <= _CONTEXT_CHARS_MAX:
            first = above
    if last < len(document.text):
        _, below = document.line_of(last + 1) if last + 1 < len(document.text) else (last, last)
        if below - first <= _CONTEXT_CHARS_MAX:
            last = below
    return Placed(first, last)


def cut_out(document: Document, wanted: Mapping[str, Iterable[Placed]]) -> tuple[Span, ...]:
    """Make spans of each field's windows: those that overlap become one while it stays short."""
    windows = sorted((placed, field) for field, places in wanted.items() for placed in places)
    merged: list[tuple[int, int, set[str]]] = []
    for (start, end), field in windows:
        if merged and start < merged[-1][1] and max(end, merged[-1][1]) - merged[-1][0] <= SPAN_CHARS_MAX:
            last_start, last_end, fields = merged.pop()
            merged.append((last_start, max(last_end, end), {*fields, field}))
        else:
            merged.append((start, end, {field}))
    return tuple(
        Span(f"S{number}", start, end, document.text[start:end], frozenset(fields))
        for number, (start, end, fields) in enumerate(merged, 1)
    )


def _within(text: str, placed: Placed, first: int, last: int) -> Placed:
    """A window on a long line, cut between words where there are any."""
    start = max(first, placed.start - _BEFORE_CHARS)
    end = min(last, max(start + WINDOW_CHARS_MAX, start))
    if start > first:
        start = next(
            (at + 1 for at in range(start, min(start + _WORD_CHARS_MAX, placed.start)) if text[at].isspace()),
            start,
        )
    if end < last:
        end = next(
            (at for at in range(end, max(end - _WORD_CHARS_MAX, placed.start + 1), -1) if text[at].isspace()),
            end,
        )
    return Placed(start, end)
