"""What is still to be paid, and totals of parts, told apart from a document's total.

"Balance due" beside "Paid" is what is left, and nothing is left of a paid invoice; "Total due" alone
is the total. The words do not tell one from the other: the other amounts do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Self

from verifiers.caption_words import Caption
from verifiers.captioned import Captioned

ROUNDING_MAX = Decimal("0.05")
"""What rounding to coins may change."""
EARLIER_MAX = 4
"""A bill carries one amount over, or a few; more are what pages carry on, and each would be tried with each."""
_WHOLE = (Caption.TOTAL, Caption.GRAND_TOTAL, Caption.PAYABLE_TOTAL)
_UNDECIDED = (Caption.PAYABLE_TOTAL, Caption.PAID_IN_ALL, Caption.PARTIAL)


def told_apart(values: Sequence[Captioned]) -> list[Captioned]:
    """`values`; what is to be paid, was paid in all or is a part's total is called so, or the total."""
    if not any(each.caption in _UNDECIDED for each in values):
        return list(values)
    wholes = [each for each in values if each.caption in _WHOLE and each.is_money and any(each.decimals)]
    most = max((_size(each) for each in wholes), default=None)
    settled = [_settled(each, most) for each in values]
    beside = _Beside.of(settled, most)
    found = [
        replace(each, caption=Caption.PAYABLE)
        if each.caption is Caption.PAYABLE_TOTAL and beside.leaves(each)
        else each
        for each in settled
    ]
    if any(each.caption is Caption.PAYABLE for each in found):
        return [_not_left(each) for each in found]
    return found


@dataclass(frozen=True, slots=True)
class _Beside:
    """What stands beside an amount that is to be paid, gathered once for all such amounts."""

    most: Decimal | None
    """The largest total."""
    paid_from: int | None
    """Where the first amount that was paid stands."""
    apart: frozenset[Decimal]
    """By how much a total may be more than what is to be paid: what was paid, less what was owed before."""
    wholes: frozenset[Decimal]
    unnamed: frozenset[Decimal]
    """Amounts of which nothing says what they are: the total, where something was paid or owed before."""
    is_owed_before: bool

    @classmethod
    def of(cls, values: Sequence[Captioned], most: Decimal | None) -> Self:
        """Gather from all `values`."""
        paid = [
            each for each in values if each.caption is Caption.PAID and each.is_money and any(each.decimals)
        ]
        owed = [_size(each) for each in values if each.caption is Caption.EARLIER and each.is_money]
        sums = {_size(each) for each in paid} | {sum(map(_size, paid), Decimal(0))}
        apart = sums | {one - before for one in (*sums, Decimal(0)) for before in owed[:EARLIER_MAX]}
        return cls(
            most=most,
            paid_from=min((each.value.start for each in paid), default=None),
            apart=frozenset(one for one in apart if one),
            wholes=frozenset(_size(each) for each in values if each.caption in _WHOLE),
            unnamed=frozenset(_size(each) for each in values if each.caption is None and each.is_money),
            is_owed_before=bool(owed),
        )

    def leaves(self, payable: Captioned) -> bool:
        """Whether an amount to be paid is nothing, or the total less what was paid, or with what was owed before."""
        left = _size(payable)
        if not left:
            return True
        is_behind = self.paid_from is not None and self.paid_from < payable.value.start
        if is_behind and self.most is not None and left < self.most - ROUNDING_MAX:
            return True
        names_none = is_behind or self.is_owed_before
        return any(
            left + one in self.wholes or (names_none and left + one in self.unnamed) for one in self.apart
        )


def _settled(captioned: Captioned, most: Decimal | None) -> Captioned:
    """What was paid is the total, unless a larger one stands there; that of a part, unless any does."""
    if captioned.caption is Caption.PAID_IN_ALL:
        is_part = most is not None and _size(captioned) < most - ROUNDING_MAX
        return replace(captioned, caption=Caption.PAID if is_part else Caption.TOTAL)
    is_only = captioned.caption is Caption.PARTIAL and most is None
    return replace(captioned, caption=Caption.TOTAL) if is_only else captioned


def _not_left(captioned: Captioned) -> Captioned:
    """Where something else is what is left, an amount to be paid is the total."""
    is_whole = captioned.caption is Caption.PAYABLE_TOTAL
    return replace(captioned, caption=Caption.GRAND_TOTAL) if is_whole else captioned


def _size(captioned: Captioned) -> Decimal:
    """An amount without its sign; of two readings the smaller, so that 1.234 may be a little more than one."""
    return min(map(abs, captioned.decimals), default=Decimal(0))
