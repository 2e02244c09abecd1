"""Check: a field that the schema marks as a sum is the sum of its parts, exactly."""

import re
from collections.abc import Sequence
from decimal import Decimal

from verifiers import amounts
from verifiers.answer import LeafValue
from verifiers.marks import SumMark
from verifiers.verdict import Finding, Outcome

CHECK = "sum"


def check_sums(marks: Sequence[SumMark], leaves: Sequence[LeafValue]) -> list[Finding]:
    """Add up exactly; abstain where a part cannot be read as one amount."""
    return [_check(mark, leaves) for mark in marks]


def _check(mark: SumMark, leaves: Sequence[LeafValue]) -> Finding:
    pattern = re.compile(re.escape(mark.parts).replace(r"\[\]", r"\[\d+\]"))
    totals = [_amount(leaf) for leaf in leaves if leaf.path == mark.field]
    parts = [_amount(leaf) for leaf in leaves if pattern.fullmatch(leaf.path)]
    if len(totals) != 1 or totals[0] is None or not parts or any(part is None for part in parts):
        return Finding(
            CHECK,
            mark.field,
            Outcome.ABSTAINED,
            "sum.unreadable",
            f"{mark.field} or a part of it ({mark.parts}) cannot be read as one amount",
        )
    if sum((part for part in parts if part is not None), Decimal(0)) == totals[0]:
        return Finding(
            CHECK,
            mark.field,
            Outcome.PASSED,
            "sum.equal",
            f"{mark.field} is the sum of its {len(parts)} parts",
        )
    return Finding(
        CHECK,
        mark.field,
        Outcome.FAILED,
        "sum.differs",
        f"{mark.field} is not the sum of its {len(parts)} parts ({mark.parts})",
    )


def _amount(leaf: LeafValue) -> Decimal | None:
    if isinstance(leaf.value, bool) or leaf.value is None:
        return None
    found = amounts.readings(leaf.value if isinstance(leaf.value, str) else leaf.raw)
    if len(found) == 1:
        return next(iter(found))
    return (
        min(found) if found else None
    )  # 1.234 beside two-decimal amounts is rare; the smaller is the decimal reading
