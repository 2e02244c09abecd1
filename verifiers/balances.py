"""What is still to be paid, told apart from a document's total.

"Balance due" beside "Paid" is what is left, and nothing is left of a paid invoice; "Total due" alone
is the total. The words do not tell one from the other: the other amounts do.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from verifiers.caption_words import Caption
from verifiers.captioned import Captioned

ROUNDING_MAX = Decimal("0.05")
"""What rounding to coins may change."""
_WHOLE = (Caption.TOTAL, Caption.GRAND_TOTAL, Caption.PAYABLE_TOTAL)
_UNDECIDED = (Caption.PAYABLE_TOTAL, Caption.PAID_IN_ALL)


def told_apart(values: Sequence[Captioned]) -> list[Captioned]:
    """`values`, with what is to be paid, or was paid in all, called so or called the total."""
    if not any(each.caption in _UNDECIDED for each in values):
        return list(values)
    wholes = [each for each in values if each.caption in _WHOLE and each.is_money and any(each.decimals)]
    most = max((_size(each) for each in wholes), default=None)
    settled = [_paid_in_all(each, most) if each.caption is Caption.PAID_IN_ALL else each for each in values]
    paid = [each for each in settled if each.caption is Caption.PAID and each.is_money and any(each.decimals)]
    found = [
        replace(each, caption=Caption.PAYABLE)
        if each.caption is Caption.PAYABLE_TOTAL and _is_left(each, settled, paid, most)
        else each
        for each in settled
    ]
    if any(each.caption is Caption.PAYABLE for each in found):
        return [_not_left(each) for each in found]
    return found


def _paid_in_all(captioned: Captioned, most: Decimal | None) -> Captioned:
    """What was paid is the total, unless a larger one stands there."""
    is_part = most is not None and _size(captioned) < most - ROUNDING_MAX
    return replace(captioned, caption=Caption.PAID if is_part else Caption.TOTAL)


def _not_left(captioned: Captioned) -> Captioned:
    """Where something else is what is left, an amount to be paid is the total."""
    is_whole = captioned.caption is Caption.PAYABLE_TOTAL
    return replace(captioned, caption=Caption.GRAND_TOTAL) if is_whole else captioned


def _is_left(
    payable: Captioned, values: Sequence[Captioned], paid: Sequence[Captioned], most: Decimal | None
) -> bool:
    """Whether an amount to be paid is nothing, or less than the total by what was paid."""
    left = _size(payable)
    if not left:
        return True
    before = [each for each in paid if each.value.start < payable.value.start]
    if before and most is not None and left < most - ROUNDING_MAX:
        return True
    sums = {_size(each) for each in paid} | {sum(map(_size, paid), Decimal(0))}
    wholes = {
        _size(each)
        for each in values
        if each.caption in _WHOLE or (before and each.caption is None and each.is_money)
    }
    return any(left + one in wholes for one in sums if one)


def _size(captioned: Captioned) -> Decimal:
    """An amount without its sign; of two readings the smaller, so that 1.234 may be a little more than one."""
    return min(map(abs, captioned.decimals), default=Decimal(0))
