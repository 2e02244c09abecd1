"""Check: a name was not cut off in the middle of its line.

In a short line (a heading, a letterhead), the words that follow a name without any punctuation
belong to it.
"""

import re

from verifiers import amounts, dates
from verifiers.answer import LeafValue
from verifiers.document import Document, Placed
from verifiers.verdict import Finding, Outcome

CHECK = "completeness"
LINE_CHARS_MAX = 60
_NEXT_WORD = re.compile(r"[ \t]?(?=[^\W\d_])[^\s,;:|]+")


def check_completeness(document: Document, leaf: LeafValue, places: tuple[Placed, ...]) -> Finding | None:
    """Look at what follows a supported text value on its line; None for other values."""
    value = leaf.value
    if not isinstance(value, str) or not places or amounts.readings(value) or dates.readings(value):
        return None
    if not any(character.isalpha() for character in value):
        return None
    if all(_goes_on(document, placed) for placed in places):
        placed = places[0]
        _, end = document.line_of(placed.start)
        return Finding(
            CHECK,
            leaf.path,
            Outcome.FAILED,
            "completeness.cut_off",
            f"the line goes on after the value of {leaf.path}",
            document.evidence(Placed(placed.start, end)),
        )
    return Finding(
        CHECK, leaf.path, Outcome.PASSED, "completeness.whole", f"the value of {leaf.path} is not cut off"
    )


def _goes_on(document: Document, placed: Placed) -> bool:
    start, end = document.line_of(placed.end - 1)
    return end - start <= LINE_CHARS_MAX and _NEXT_WORD.match(document.text, placed.end, end) is not None
