"""Whether the document bears a correction out: it stands in the cited excerpt, and nothing fits as well.

It stands there as support reads it: as it is written, as an amount, as a date, or apart from case,
spaces and punctuation. A value with a letter misread, or in pieces, is no evidence for a correction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from verifiers.answer import LeafValue
from verifiers.auditor import AskedField
from verifiers.captioned import Captioned
from verifiers.checks.completeness import check_completeness
from verifiers.checks.nature import check_nature
from verifiers.checks.rivals import check_rivals
from verifiers.checks.support import check_support
from verifiers.currencies import named_in
from verifiers.document import Document
from verifiers.found import Placed
from verifiers.grading import normalised
from verifiers.indexed import Indexed
from verifiers.labels import AMOUNT_KINDS, DATE_KINDS, Label
from verifiers.passages import WHOLE, has_rivals, values_like
from verifiers.spans import Span
from verifiers.verdict import Finding, Outcome

_STANDS = frozenset(f"support.{how}" for how in ("exact", "amount", "date", "currency", "folded"))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a correction does not count: a code, and a sentence without a word of document or answer."""

    field: str
    code: str
    reason: str


def evidenced(
    indexed: Indexed, span: Span, field: AskedField, leaf: LeafValue, label: Label
) -> LeafValue | Refusal:
    """The correction `leaf`, which cites `span`, as it will stand in the answer; or why it does not count."""
    claimed = field.leaf
    if claimed is not None and _same(claimed, leaf):
        return Refusal(field.path, "correction.same", "the correction is the value that it should correct")
    places = _places(indexed.document, span, leaf, label)
    if not places:
        reason = "the correction does not stand in the excerpt that it cites"
        return Refusal(field.path, "correction.not_in_span", reason)
    if claimed is not None and isinstance(claimed.value, str) and isinstance(leaf.value, str):
        leaf = _in_form_of(claimed.value, leaf, indexed.document.text[places[0].start : places[0].end])
    return _refusal(indexed, field.windows, leaf, label, places) or leaf


def _refusal(
    indexed: Indexed, shown: Sequence[Placed], leaf: LeafValue, label: Label, places: tuple[Placed, ...]
) -> Refusal | None:
    """What speaks against a correction that stands in its excerpt."""
    if _failed(check_nature(leaf, label)):
        return Refusal(leaf.path, "correction.nature", "the correction cannot be what its field holds")
    has_rival = _has_rival(indexed, shown, leaf, label, places)
    if has_rival is None:
        reason = "the correction cannot be compared with all that may be meant instead"
        return Refusal(leaf.path, "correction.not_compared", reason)
    if has_rival:
        reason = "another value of the document fits the field as well as the correction"
        return Refusal(leaf.path, "correction.rival", reason)
    if _failed(check_completeness(indexed.document, leaf, places, label)):
        reason = "the document goes on after the correction"
        return Refusal(leaf.path, "correction.cut_off", reason)
    return None


def _same(claimed: LeafValue, leaf: LeafValue) -> bool:
    if isinstance(claimed.value, str) and isinstance(leaf.value, str):
        return normalised(claimed.value) == normalised(leaf.value)
    return claimed.value == leaf.value


def _places(document: Document, span: Span, leaf: LeafValue, label: Label) -> tuple[Placed, ...]:
    """Where the value stands in the excerpt, as characters of the document; not where the excerpt cuts it off."""
    supported = check_support(Document(span.text), leaf, label)
    if supported.finding.code not in _STANDS:
        return ()
    found = (Placed(span.start + each.start, span.start + each.end) for each in supported.places)
    return tuple(each for each in found if not _is_cut(document.text, span, each))


def _is_cut(text: str, span: Span, placed: Placed) -> bool:
    before = placed.start == span.start > 0 and text[placed.start - 1] != "\n"
    return before or (placed.end == span.end < len(text) and text[placed.end] != "\n")


def _in_form_of(claimed: str, leaf: LeafValue, standing: str) -> LeafValue:
    """An amount without the currency beside it, if the claimed one was written without."""
    value = str(leaf.value)
    if leaf.amounts and named_in(value) and not named_in(claimed) and not named_in(standing):
        return LeafValue(leaf.path, standing, orjson.dumps(standing).decode(), 0, len(standing) + 2)
    return leaf


def _has_rival(
    indexed: Indexed, shown: Sequence[Placed], leaf: LeafValue, label: Label, places: tuple[Placed, ...]
) -> bool | None:
    """Whether another amount or date fits no worse: of the whole document, or of what was shown for a list's field.

    None where that cannot be known. A text has no rivals.
    """
    if not has_rivals(label, leaf):
        return False
    captions = indexed.captions
    if "[" not in leaf.path and not captions.are_whole:
        return None
    everywhere = indexed.support(leaf, label).places
    finding = check_rivals(captions, leaf, everywhere, label)
    if finding is not None and (finding.outcome is Outcome.FAILED or finding.code == "rivals.paid"):
        return finding.outcome is Outcome.FAILED
    regions = _compared(captions.document, shown, leaf, label, places)
    values = [each for region in regions for each in values_like(captions, label, leaf, region)]
    starts = {placed.start for placed in (*places, *everywhere)}
    own = [each for each in values if each.value.start in starts]
    if not own or captions.document.is_spent:
        return None
    mine = max(label.fit(each.caption, each.words) for each in own)
    readings = frozenset().union(*(each.value.readings for each in own))
    sizes = {_decimals(each) for each in own}
    return mine < 0 or any(
        label.fit(each.caption, each.words) >= mine
        and readings.isdisjoint(each.value.readings)
        and _decimals(each) in sizes
        for each in values
    )


def _compared(
    document: Document, shown: Sequence[Placed], leaf: LeafValue, label: Label, places: tuple[Placed, ...]
) -> list[Placed]:
    """Where to look for rivals. Of a list each value is right somewhere: only what was shown for it counts,
    and of a kind that captions do not tell, only its line."""
    if "[" not in leaf.path:
        return [WHOLE]
    if label.kind in AMOUNT_KINDS | DATE_KINDS:
        return list(shown)
    return [Placed(document.line_of(places[0].start)[0], document.line_of(places[-1].end - 1)[1])]


def _decimals(captioned: Captioned) -> int:
    """Of an amount; amounts with others are counts and rates. 0 for a date."""
    exponents = (reading.as_tuple().exponent for reading in captioned.decimals)
    return max((-exponent for exponent in exponents if isinstance(exponent, int)), default=0)


def _failed(finding: Finding | None) -> bool:
    return finding is not None and finding.outcome is Outcome.FAILED
