"""Check: no other value of the document fits the field better.

An amount or date that stands beside no label of its field, while another one does, is probably
the neighbour of the right one.
"""

from collections.abc import Iterable, Sequence

from verifiers import amounts, dates
from verifiers.answer import LeafValue
from verifiers.document import Document, Placed
from verifiers.verdict import Finding, Outcome

CHECK = "rivals"
RIVALS_MAX = 500


def check_rivals(
    document: Document, leaf: LeafValue, places: Sequence[Placed], labels: Sequence[str]
) -> Finding | None:
    """Compare a supported amount or date with the document's others; None for other values."""
    text = leaf.value if isinstance(leaf.value, str) else leaf.raw
    others: Iterable[list[Placed]]
    days = dates.readings(text)
    if days:
        others = document.dates.values()
    elif amounts.readings(text):
        others = document.amounts.values()
    else:
        return None
    if not labels or not places or any(_labelled(document, placed, labels) for placed in places):
        return Finding(
            CHECK, leaf.path, Outcome.PASSED, "rivals.none", f"no other value fits {leaf.path} better"
        )
    own = {placed.start for placed in places}
    for count, placed in enumerate(placed for group in others for placed in group):
        if count >= RIVALS_MAX:
            break
        if placed.start not in own and _labelled(document, placed, labels):
            return Finding(
                CHECK,
                leaf.path,
                Outcome.FAILED,
                "rivals.better_labelled",
                f"another value stands beside a label of {leaf.path}, this one does not",
                document.evidence(placed),
            )
    return Finding(CHECK, leaf.path, Outcome.PASSED, "rivals.none", f"no other value fits {leaf.path} better")


def _labelled(document: Document, placed: Placed, labels: Sequence[str]) -> bool:
    start, _ = document.line_of(placed.start)
    before = document.text[max(start, placed.start - 80) : placed.start].lower()
    if not before.strip() and start > 0:  # the label may stand alone on the line above
        above, _ = document.line_of(start - 1)
        before = document.text[max(above, start - 80) : start].lower()
    return any(label in before for label in labels)
