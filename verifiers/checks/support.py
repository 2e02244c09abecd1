"""Check: a value is supported by a span of the document.

Exact, then as an amount, as a date, by its skeleton, then with a tenth of its letters misread, and
last in a few pieces close together.
What cannot stand in a document (null, booleans, an empty string) is abstained from, and so is a value of
the schema's own that does not stand there. An amount in another currency is not the document's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from verifiers import dates
from verifiers.answer import LeafValue
from verifiers.currencies import beside, is_name, named_in
from verifiers.document import Document, is_blank
from verifiers.found import Placed, Reading
from verifiers.labels import NO_LABEL, Label
from verifiers.misread import in_pieces, near
from verifiers.verdict import Evidence, Finding, Outcome

CHECK = "support"
FIELD_STEPS = 100
PLACES_MAX = 500
PLACES_TRIED = 8
_MAY_BE_EXACT = frozenset(("amount", "date", "folded"))
_HOW = {
    "exact": "as it is written",
    "amount": "as an amount",
    "date": "as a date",
    "currency": "as a name of the same currency",
    "folded": "apart from case, spaces and punctuation",
    "near": "apart from a few letters",
    "pieces": "in pieces that stand close together",
}


@dataclass(frozen=True, slots=True)
class Supported:
    """The finding, and all the places that support the value (of one in pieces: the last)."""

    finding: Finding
    places: tuple[Placed, ...]


def check_support(document: Document, leaf: LeafValue, label: Label = NO_LABEL) -> Supported:
    """Look for one value of an answer in its document."""
    value = leaf.value
    if value is None or isinstance(value, bool) or (isinstance(value, str) and is_blank(value)):
        reason = f"{leaf.path} holds nothing that a document could support"
        return Supported(_finding(leaf, Outcome.ABSTAINED, "nothing", reason), ())
    if not document.spend(FIELD_STEPS):
        reason = f"{leaf.path} was not looked for: the answer is larger than a check may be"
        return Supported(_finding(leaf, Outcome.FAILED, "bound", reason), ())
    how, places = _places(document, leaf, label)
    if how is None and label.is_chosen:
        reason = f"{leaf.path} is chosen from the schema's own values, which no document need contain"
        return Supported(_finding(leaf, Outcome.ABSTAINED, "chosen", reason), ())
    if how is None and (document.is_spent or not document.is_indexed_whole):
        reason = f"the value of {leaf.path} was not found as far as a document of this length is searched"
        return Supported(_finding(leaf, Outcome.FAILED, "bound", reason), ())
    if how is None:
        reason = f"the document does not contain the value of {leaf.path}"
        return Supported(_finding(leaf, Outcome.FAILED, "unsupported", reason), ())
    if isinstance(value, str) and leaf.amounts and (other := _other_currency(document, value, places)):
        reason = f"the document names another currency than the value of {leaf.path}"
        return Supported(
            _finding(leaf, Outcome.FAILED, "other_currency", reason, document.evidence(other)), ()
        )
    first = (
        places[0]
        if how != "pieces"
        else Placed(min(placed.start for placed in places), max(placed.end for placed in places))
    )
    reason = f"the document contains the value of {leaf.path} {_HOW[how]}"
    finding = _finding(leaf, Outcome.PASSED, how, reason, document.evidence(first))
    return Supported(finding, places if how != "pieces" else places[-1:])


def _finding(
    leaf: LeafValue, outcome: Outcome, code: str, reason: str, evidence: Evidence | None = None
) -> Finding:
    return Finding(CHECK, leaf.path, outcome, f"{CHECK}.{code}", reason, evidence)


def _places(document: Document, leaf: LeafValue, label: Label) -> tuple[str | None, tuple[Placed, ...]]:
    text = leaf.value if isinstance(leaf.value, str) else leaf.raw
    if label.is_identifier:
        how, places = _as_text(document, text)
    elif isinstance(leaf.value, str):
        how, places = _text_places(document, text, leaf.amounts)
    else:
        how, places = "amount", _all(document, (document.amounts.get(amount, []) for amount in leaf.amounts))
    if not places and (place := document.beyond(text)) is not None:
        return "exact", (place,)
    if not places:
        return None, ()
    if how in _MAY_BE_EXACT and any(document.is_verbatim(text, placed) for placed in places[:PLACES_TRIED]):
        how = "exact"
    return how, places


def _text_places(document: Document, text: str, amount: frozenset[Reading]) -> tuple[str, tuple[Placed, ...]]:
    days = dates.readings(text)
    if amount and not days:
        places = _all(document, (document.amounts.get(reading, []) for reading in amount))
        if not places and text.isdigit():  # an identifier of digits only
            places = tuple(document.skeletal(text))
        return "amount", places
    if days and (places := _all(document, (document.dates.get(day, []) for day in days))):
        return "date", places
    if is_name(text) and (places := document.currency_places(text)):
        return "currency", places
    return _as_text(document, text)


def _as_text(document: Document, text: str) -> tuple[str, tuple[Placed, ...]]:
    if places := tuple(document.skeletal(text)):
        return "folded", places
    if (placed := near(document, text)) is not None:
        return "near", (placed,)
    return "pieces", in_pieces(document, text)


def _other_currency(document: Document, value: str, places: Sequence[Placed]) -> Placed | None:
    """Where the document names a currency that `value`, which names one too, does not mean.

    The names beside the number decide; where none of its places has one, those of the whole document.
    """
    meant = named_in(value)
    if not meant:
        return None
    named = [each for each in (beside(document.text, placed) for placed in places[:PLACES_MAX]) if each[0]]
    if not named:
        elsewhere = document.currencies
        return None if not elsewhere or meant & elsewhere.keys() else next(iter(elsewhere.values()))
    return None if any(meant & codes for codes, _ in named) else named[0][1]


def _all(document: Document, found: Iterable[list[Placed]]) -> tuple[Placed, ...]:
    lists = [places[:PLACES_MAX] for places in found if places]
    document.spend(sum(map(len, lists)))
    return (
        tuple(lists[0]) if len(lists) == 1 else tuple(sorted({placed for each in lists for placed in each}))
    )
