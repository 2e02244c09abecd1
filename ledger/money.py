"""Money as integers: nano-USD, and prices in nano-USD per million units of one class.

A price of $0.0028 per million tokens is 2,800,000 and exact; one int64 of nano-USD holds nine
billion dollars. A cost is summed over all classes first and rounded once, half to even.
"""

import re
from collections.abc import Iterable
from typing import NewType

from ledger.errors import MoneyError

NanoUSD = NewType("NanoUSD", int)
"""A billionth of a US dollar."""

NANO_PER_USD = 1_000_000_000
UNITS_PER_PRICE = 1_000_000
_MAX_NANO = 2**63 - 1
_DECIMALS = 9
_WHOLE_DIGITS_MAX = 10
_PLAIN = re.compile(r"(?P<minus>-)?(?=\.?[0-9])(?P<whole>[0-9]*)(?:\.(?P<decimals>[0-9]*))?")


def parse_usd(text: str) -> NanoUSD:
    """Read a non-negative amount such as "0.0028" as nano-USD, exactly.

    Raises MoneyError for anything that is not a plain decimal number, for a negative amount, for
    one finer than a nano-USD and for one beyond int64.
    """
    found = _PLAIN.fullmatch(text.strip())
    if found is None:
        raise MoneyError(f'{text!r} is not an amount in US dollars; write e.g. "12.50"')
    whole, decimals = found["whole"].lstrip("0"), (found["decimals"] or "").rstrip("0")
    if found["minus"] and (whole or decimals):
        raise MoneyError(f"{text!r} is negative; an amount is zero or more")
    if len(decimals) > _DECIMALS:
        raise MoneyError(f"{text!r} is finer than a billionth of a US dollar")
    nano = int(f"0{whole[: _WHOLE_DIGITS_MAX + 1]}{decimals.ljust(_DECIMALS, '0')}")
    if nano > _MAX_NANO:
        raise MoneyError(f"{text!r} is more than the ledger can count (about 9 billion US dollars)")
    return NanoUSD(nano)


def format_usd(amount: int) -> str:
    """Write nano-USD as dollars, exact: at least two decimals, no trailing zeros beyond them."""
    sign = "-" if amount < 0 else ""
    whole, nano = divmod(abs(amount), NANO_PER_USD)
    decimals = f"{nano:09d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{decimals}"


def cost_of(quantities_and_rates: Iterable[tuple[int, int]]) -> NanoUSD:
    """Sum quantity x rate over classes and round once, half to even.

    Quantities are units (tokens, microseconds of compute), rates nano-USD per million units.
    """
    total = sum(quantity * rate for quantity, rate in quantities_and_rates)
    whole, rest = divmod(total, UNITS_PER_PRICE)
    if rest * 2 > UNITS_PER_PRICE or (rest * 2 == UNITS_PER_PRICE and whole % 2):
        whole += 1
    return NanoUSD(whole)


def bound_of(quantities_and_rates: Iterable[tuple[int, int]]) -> NanoUSD:
    """Sum quantity x rate over classes and round up: a hold is never less than the cost."""
    total = sum(quantity * rate for quantity, rate in quantities_and_rates)
    return NanoUSD(-(-total // UNITS_PER_PRICE))
