"""Check: a value is supported by a span of the document.

Exact, then as an amount, as a date, by its skeleton, then with a tenth of its letters misread, and
last in a few pieces close together.
What cannot stand in a document (null, booleans, an empty string) is abstained from.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from verifiers import dates
from verifiers.answer import LeafValue
from verifiers.document import Document, skeleton
from verifiers.found import Placed, Reading
from verifiers.misread import in_pieces, near
from verifiers.verdict import Finding, Outcome

CHECK = "support"
PLACES_MAX = 1_000
PLACES_TRIED = 8
_MAY_BE_EXACT = frozenset(("amount", "date", "folded"))
_HOW = {
    "exact": "as it is written",
    "amount": "as an amount",
    "date": "as a date",
    "folded": "apart from case, spaces and punctuation",
    "near": "apart from a few letters",
    "pieces": "in pieces that stand close together",
}


@dataclass(frozen=True, slots=True)
class Supported:
    """The finding, and all the places that support the value (of one in pieces: the last)."""

    finding: Finding
    places: tuple[Placed, ...]


def check_support(document: Document, leaf: LeafValue) -> Supported:
    """Look for one value of an answer in its document."""
    value = leaf.value
    if value is None or isinstance(value, bool) or (isinstance(value, str) and not skeleton(value)):
        finding = Finding(
            CHECK,
            leaf.path,
            Outcome.ABSTAINED,
            "support.nothing",
            f"{leaf.path} holds nothing that a document could support",
        )
        return Supported(finding, ())
    how, places = _places(document, leaf)
    if how is None:
        finding = Finding(
            CHECK,
            leaf.path,
            Outcome.FAILED,
            "support.unsupported",
            f"the document does not contain the value of {leaf.path}",
        )
        return Supported(finding, ())
    first = (
        places[0]
        if how != "pieces"
        else Placed(min(placed.start for placed in places), max(placed.end for placed in places))
    )
    finding = Finding(
        CHECK,
        leaf.path,
        Outcome.PASSED,
        f"support.{how}",
        f"the document contains the value of {leaf.path} {_HOW[how]}",
        document.evidence(first),
    )
    return Supported(finding, places if how != "pieces" else places[-1:])


def _places(document: Document, leaf: LeafValue) -> tuple[str | None, tuple[Placed, ...]]:
    if not isinstance(leaf.value, str):
        how, text = "amount", leaf.raw
        places = _all(document.amounts.get(amount, []) for amount in leaf.amounts)
    else:
        text = leaf.value
        how, places = _text_places(document, text, leaf.amounts)
    if not places:
        return None, ()
    if how in _MAY_BE_EXACT and any(document.is_verbatim(text, placed) for placed in places[:PLACES_TRIED]):
        how = "exact"
    return how, places


def _text_places(document: Document, text: str, amount: frozenset[Reading]) -> tuple[str, tuple[Placed, ...]]:
    days = dates.readings(text)
    if amount and not days:
        places = _all(document.amounts.get(reading, []) for reading in amount)
        if not places and text.isdigit():  # an identifier of digits only
            places = tuple(document.skeletal(text))
        return "amount", places
    if days and (places := _all(document.dates.get(day, []) for day in days)):
        return "date", places
    if places := tuple(document.skeletal(text)):
        return "folded", places
    if (placed := near(document, text)) is not None:
        return "near", (placed,)
    return "pieces", in_pieces(document, text)


def _all(found: Iterable[list[Placed]]) -> tuple[Placed, ...]:
    return tuple(sorted({placed for places in found for placed in places[:PLACES_MAX]}))
