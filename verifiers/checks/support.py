"""Check: a value is supported by a span of the document.

Exact, then as an amount, as a date, by its skeleton, and last with a tenth of its letters misread.
What cannot stand in a document (null, booleans, an empty string) is abstained from.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from verifiers import amounts, dates
from verifiers.answer import LeafValue
from verifiers.document import Document, Placed, skeleton
from verifiers.verdict import Finding, Outcome

CHECK = "support"


@dataclass(frozen=True, slots=True)
class Supported:
    """The finding, and all the places that support the value."""

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
    text = value if isinstance(value, str) else leaf.raw
    code, places = _places(document, text, is_number=not isinstance(value, str))
    if not places:
        finding = Finding(
            CHECK,
            leaf.path,
            Outcome.FAILED,
            "support.unsupported",
            f"the document does not contain the value of {leaf.path}",
        )
        return Supported(finding, ())
    how = {
        "exact": "as it is written",
        "amount": "as an amount",
        "date": "as a date",
        "folded": "apart from case, spaces and punctuation",
        "near": "apart from a few letters",
    }[code]
    finding = Finding(
        CHECK,
        leaf.path,
        Outcome.PASSED,
        f"support.{code}",
        f"the document contains the value of {leaf.path} {how}",
        document.evidence(places[0]),
    )
    return Supported(finding, places)


def _places(document: Document, text: str, *, is_number: bool) -> tuple[str, tuple[Placed, ...]]:
    amount = amounts.readings(text)
    days = dates.readings(text)
    if amount and not days:
        placed = _all(document.amounts.get(reading, []) for reading in amount)
        return ("exact" if placed and document.exact(text) is not None else "amount"), placed
    if is_number:
        return "amount", ()
    exact = document.exact(text)
    if days:
        placed = _all(document.dates.get(day, []) for day in days)
        return ("exact" if exact is not None else "date"), placed or ((exact,) if exact is not None else ())
    folded = tuple(document.skeletal(text))
    if folded:
        return ("exact" if exact is not None else "folded"), folded
    if exact is not None:
        return "exact", (exact,)
    near = document.near(text)
    return "near", (near,) if near is not None else ()


def _all(found: Iterable[list[Placed]]) -> tuple[Placed, ...]:
    return tuple(sorted({placed for places in found for placed in places}, key=lambda placed: placed.start))
