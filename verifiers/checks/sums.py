"""Check: a field that the schema marks as a sum is the sum of its parts, exactly."""

import re
from collections.abc import Sequence
from decimal import Decimal

from verifiers.answer import LeafValue
from verifiers.marks import SumMark
from verifiers.verdict import Finding, Outcome

CHECK = "sum"


def check_sums(marks: Sequence[SumMark], leaves: Sequence[LeafValue]) -> list[Finding]:
    """Add up exactly, with 1.234 read alike in all parts; abstain where a part is no amount."""
    return [_check(mark, leaves) for mark in marks]


def _check(mark: SumMark, leaves: Sequence[LeafValue]) -> Finding:
    pattern = re.compile(re.escape(mark.parts).replace(r"\[\]", r"\[\d+\]"))
    totals = [_readings(leaf) for leaf in leaves if leaf.path == mark.field]
    parts = [_readings(leaf) for leaf in leaves if pattern.fullmatch(leaf.path)]
    if len(totals) != 1 or not totals[0] or not parts or not all(parts):
        reason = f"{mark.field} or a part of it ({mark.parts}) cannot be read as one amount"
        return Finding(CHECK, mark.field, Outcome.ABSTAINED, "sum.unreadable", reason)
    if any(
        sum((style(part) for part in parts), Decimal(0)) in totals[0]
        for style in (_as_decimals, _as_thousands)
    ):
        reason = f"{mark.field} is the sum of its {len(parts)} parts"
        return Finding(CHECK, mark.field, Outcome.PASSED, "sum.equal", reason)
    reason = f"{mark.field} is not the sum of its {len(parts)} parts ({mark.parts})"
    return Finding(CHECK, mark.field, Outcome.FAILED, "sum.differs", reason)


def _readings(leaf: LeafValue) -> list[Decimal]:
    return [reading for reading in leaf.amounts if isinstance(reading, Decimal)]


def _as_decimals(readings: list[Decimal]) -> Decimal:
    """1.234 as a little more than one."""
    return min(readings, key=abs)


def _as_thousands(readings: list[Decimal]) -> Decimal:
    """1.234 as more than a thousand."""
    return max(readings, key=abs)
