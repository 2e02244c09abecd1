"""Check: no other value of the document fits the field better.

An amount or a date whose caption says something else than its field, while another one's caption
says just that, is probably the neighbour of the right one. What was paid less the change given
settles which amount is a receipt's total, whatever the captions say.
"""

from collections.abc import Sequence
from decimal import Decimal

from verifiers import dates
from verifiers.answer import LeafValue
from verifiers.balances import ROUNDING_MAX
from verifiers.caption_words import Caption
from verifiers.captioned import Captioned
from verifiers.captions import VALUES_MAX, Captions
from verifiers.found import Placed
from verifiers.labels import AMOUNT_KINDS, DATE_KINDS, Kind, Label
from verifiers.verdict import Finding, Outcome

CHECK = "rivals"
_TOTALS = (Caption.TOTAL, Caption.GRAND_TOTAL, Caption.PAYABLE_TOTAL)


def check_rivals(
    captions: Captions, leaf: LeafValue, places: Sequence[Placed], label: Label
) -> Finding | None:
    """Compare a supported amount or date with the document's others; None for other values.

    None too for a field within an array: there each of many values is the right one somewhere.
    """
    if "[" in leaf.path or not places:
        return None
    document = captions.document
    if isinstance(leaf.value, str) and dates.readings(leaf.value):
        all_values, kinds = document.date_values, DATE_KINDS
    elif leaf.amounts:
        all_values, kinds = document.amount_values, AMOUNT_KINDS
    else:
        return None
    if len(all_values) > VALUES_MAX or places[0].start >= len(document.indexed):
        return None
    values = captions.dates if kinds is DATE_KINDS else captions.amounts
    document.spend(6 * len(values))
    if label.kind not in kinds:
        label = Label(None, label.names)
    own = {placed.start for placed in places}
    if label.kind is Kind.TOTAL:
        paid = captions.paid
        settled = [each for each in values if each.value.readings & paid] if paid else []
        if any(each.value.start in own for each in settled):
            return _finding(leaf, "paid", f"{leaf.path} is what was paid less the change")
        if settled and not _is_rounded(values, own, paid):
            return _failed(
                captions, leaf, settled[0], "not_paid", "another value is what was paid less the change"
            )
    return _by_captions(captions, leaf, own, label, values)


def _by_captions(
    captions: Captions, leaf: LeafValue, own: set[int], label: Label, values: Sequence[Captioned]
) -> Finding:
    fits = captions.ranked(values, (values is captions.dates, label.fits_by), label.fit)
    mine, here = next(((fit, each) for fit, each in fits if each.value.start in own), (0, None))
    alike = _like(values, own, mine) if label.kind in AMOUNT_KINDS else None
    best, rival = next(
        (
            (fit, each)
            for fit, each in fits
            if each.value.start not in own and (alike is None or _decimals(each) in alike)
        ),
        (-1, None),
    )
    if rival is None or best <= mine:
        return _finding(leaf, "none", f"no other value fits {leaf.path} better")
    if best > 0 or here is None:
        reason = f"the words before another value fit {leaf.path} better than those before this one"
        return _failed(captions, leaf, rival, "better_captioned", reason)
    reason = f"the words before this value say that it is something else than {leaf.path}"
    return _failed(captions, leaf, here, "other_caption", reason)


def _like(values: Sequence[Captioned], own: set[int], mine: int) -> set[int]:
    """The decimals of the value itself: amounts with others are counts, rates and parts of dates.

    A whole number that nothing says to be the field's may be just that: it is compared with money too.
    """
    found = {_decimals(each) for each in values if each.value.start in own}
    return found | {2} if found == {0} and mine <= 0 else found


def _decimals(captioned: Captioned) -> int:
    exponents = (reading.as_tuple().exponent for reading in captioned.decimals)
    return max((-exponent for exponent in exponents if isinstance(exponent, int)), default=0)


def _is_rounded(values: Sequence[Captioned], own: set[int], paid: frozenset[Decimal]) -> bool:
    """Whether the value is captioned a total, and what was paid is that but for rounding to coins."""
    mine = [each for each in values if each.value.start in own and each.caption in _TOTALS]
    return any(
        abs(reading - one) <= ROUNDING_MAX for each in mine for reading in each.decimals for one in paid
    )


def _finding(leaf: LeafValue, code: str, reason: str) -> Finding:
    return Finding(CHECK, leaf.path, Outcome.PASSED, f"rivals.{code}", reason)


def _failed(captions: Captions, leaf: LeafValue, rival: Captioned, code: str, reason: str) -> Finding:
    evidence = captions.document.evidence(Placed(rival.value.start, rival.value.end))
    return Finding(CHECK, leaf.path, Outcome.FAILED, f"rivals.{code}", reason, evidence)
