"""Which places of a document somebody must see to judge one field of an answer.

Where the claimed value stands, what the checks found against it, the values that may be meant
instead; for a value that stands nowhere, the lines most like it; for an empty one, where it could be.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from verifiers import dates
from verifiers.answer import LeafValue
from verifiers.captioned import Captioned
from verifiers.captions import Captions
from verifiers.document import CHARS_MAX, Document, words_of
from verifiers.found import Placed
from verifiers.indexed import Indexed
from verifiers.labels import AMOUNT_KINDS, DATE_KINDS, Kind, Label
from verifiers.verdict import Finding, Outcome

OWN_MAX, RIVALS_MAX, CANDIDATES_MAX, LINES_MAX = 2, 2, 3, 2
HEAD_CHARS, ADDRESS_CHARS = 160, 80
WORDS_MAX, POSITIONS_MAX = 40, 60
PART_CHARS_MAX = 3_000
"""Of a document with too many values for its captions: the part that is read anew."""
WHOLE = Placed(0, CHARS_MAX)
_TEXT_KINDS = frozenset((Kind.NAME, Kind.ADDRESS))


def passages(
    indexed: Indexed, label: Label, leaf: LeafValue | None, findings: Sequence[Finding], region: Placed
) -> Iterator[Placed]:
    """Yield places within `region`, the most telling first; at least one in a document that is not empty."""
    document, captions = indexed.document, indexed.captions
    told = [
        Placed(finding.evidence.start, finding.evidence.end)
        for finding in findings
        if finding.evidence is not None and finding.outcome is Outcome.FAILED
    ]
    own = indexed.support(leaf, label).places if leaf is not None else ()
    own = tuple(_within(own, region))
    values = values_like(captions, label, leaf, region)
    yield from (_with_rest(placed, label, region) for placed in own[:OWN_MAX])
    yield from _within(told, region)
    if own:
        yield from _rivals(values, label, own)
    elif values:
        yield from _likeliest(_no_parts_of_dates(captions, values), label, leaf)
    elif leaf is not None and leaf.value is not None:
        yield from _lines_like(document, str(leaf.value), region)
    if not own:
        yield from _named(document, label, region)
    if label.kind in _TEXT_KINDS or not (own or values):
        yield _head(region)


def values_like(captions: Captions, label: Label, leaf: LeafValue | None, region: Placed) -> list[Captioned]:
    """The amounts or the dates of `region`, if the field holds one of these; else none."""
    are_dates = _are_dates(label, leaf)
    if are_dates is None:
        return []
    values = _values(captions, region, are_dates=are_dates)
    first = bisect_left(values, region.start, key=_start)
    return list(values[first : bisect_left(values, region.end, key=_start)])


def has_rivals(label: Label, leaf: LeafValue) -> bool:
    """Whether other values of a document may be meant instead: it is an amount or a date."""
    return _are_dates(label, leaf) is not None


def _are_dates(label: Label, leaf: LeafValue | None) -> bool | None:
    """Whether a field holds a date (or else an amount); None if neither."""
    if label.kind in DATE_KINDS:
        return True
    if leaf is not None and isinstance(leaf.value, str) and dates.readings(leaf.value):
        return True
    if label.is_identifier or label.kind in _TEXT_KINDS:
        return None
    return False if label.kind in AMOUNT_KINDS or (leaf is not None and leaf.amounts) else None


def _values(captions: Captions, region: Placed, *, are_dates: bool) -> Sequence[Captioned]:
    """The values of the document; where those are too many, of the region, or of the document's two ends."""
    known = captions.dates if are_dates else captions.amounts
    if captions.are_whole:
        return known
    document = captions.document
    end = min(region.end, len(document.text))
    is_small = end - region.start <= PART_CHARS_MAX
    start, _ = document.line_of(max(region.start - 1, 0) if is_small else max(end - PART_CHARS_MAX, 0))
    there = document.values_between(start, end, are_dates=are_dates)
    found = captions.of_dates(there) if are_dates else captions.of_amounts(there)
    return found if is_small else [*(each for each in known if each.value.end <= start), *found]


def _start(captioned: Captioned) -> int:
    return captioned.value.start


def _rivals(values: Iterable[Captioned], label: Label, own: Sequence[Placed]) -> list[Placed]:
    """Those whose captions fit the field no worse than the claimed value's, and say that they may."""
    starts = {placed.start for placed in own}
    fits = [(label.fit(each.caption, each.words), each) for each in values]
    mine = max((fit for fit, each in fits if each.value.start in starts), default=0)
    readings = frozenset().union(*(each.value.readings for _, each in fits if each.value.start in starts))
    others = [
        (fit, each) for fit, each in fits if fit >= max(mine, 1) and readings.isdisjoint(each.value.readings)
    ]
    return [_place(each) for _, each in sorted(others, key=lambda pair: -pair[0])[:RIVALS_MAX]]


def _no_parts_of_dates(captions: Captions, values: Sequence[Captioned]) -> Sequence[Captioned]:
    """Amounts that are no day or year of a date, if there are others; dates as they are."""
    known = captions.document.date_values
    starts = [each.start for each in known]
    apart: list[Captioned] = []
    for each in values:
        last = bisect_right(starts, each.value.start) - 1
        around = known[last] if last >= 0 else None
        if around is None or around.end < each.value.end or _place(each) == Placed(around.start, around.end):
            apart.append(each)
    return apart or values


def _likeliest(values: Iterable[Captioned], label: Label, leaf: LeafValue | None) -> list[Placed]:
    """Those that fit best by their captions and, where something is claimed, by their digits."""
    claimed = _digits(str(leaf.value)) if leaf is not None and leaf.value is not None else ""
    ranked = sorted(
        values,
        key=lambda each: -label.fit(each.caption, each.words) - (_alike(claimed, each) + _is_money(each) / 8),
    )
    return [_place(each) for each in ranked[:CANDIDATES_MAX]]


def _alike(claimed: str, captioned: Captioned) -> float:
    """Twice the share of digits that are the same, from the end."""
    if not claimed:
        return 0.0
    best = 0.0
    for reading in captioned.value.readings:
        digits = _digits(str(reading))
        same = sum(one == other for one, other in zip(reversed(claimed), reversed(digits), strict=False))
        best = max(best, 2 * same / max(len(claimed), len(digits)))
    return best


def _is_money(captioned: Captioned) -> bool:
    return any(
        isinstance(each, Decimal) and each.as_tuple().exponent == -2 for each in captioned.value.readings
    )


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text[:40]))


def _lines_like(document: Document, value: str, region: Placed) -> list[Placed]:
    """The lines that hold most of the words of `value`."""
    words = document.words
    counted: Counter[Placed] = Counter()
    for word in dict.fromkeys(words_of(value[:1_000])[:WORDS_MAX]):
        positions = words.positions.get(word, ())
        lines = {
            Placed(*document.line_of(words.text_starts[at]))
            for at in positions[:POSITIONS_MAX]
            if region.start <= words.text_starts[at] < region.end
        }
        counted.update(dict.fromkeys(lines, len(word)))
    return [line for line, _ in counted.most_common(LINES_MAX)]


def _named(document: Document, label: Label, region: Placed) -> list[Placed]:
    """Where the field's own name stands: its value may follow."""
    found = (placed for name in label.names if len(name) > 1 for placed in document.skeletal(name))
    return [placed for placed in found if region.start <= placed.start < region.end][:LINES_MAX]


def _with_rest(placed: Placed, label: Label, region: Placed) -> Placed:
    """An address goes on over lines, so what follows its claimed part belongs to what must be seen."""
    rest = ADDRESS_CHARS if label.kind is Kind.ADDRESS else 0
    return Placed(placed.start, max(placed.end, min(placed.end + rest, region.end)))


def _head(region: Placed) -> Placed:
    return Placed(region.start, max(min(region.start + HEAD_CHARS, region.end), region.start))


def _within(places: Iterable[Placed], region: Placed) -> Iterator[Placed]:
    return (placed for placed in places if region.start <= placed.start < region.end)


def _place(captioned: Captioned) -> Placed:
    return Placed(captioned.value.start, captioned.value.end)
