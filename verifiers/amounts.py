"""Amounts as documents write them: currencies, signs, and separators of either style.

"1.234" may be a thousand or a little more than one: such a text has two readings, and two texts
agree if they share one.
"""

import re
from decimal import Decimal, InvalidOperation

_CURRENCY = r"(?:[A-Z]{3}|RM|US\$|S\$|HK\$|[$€£¥₩₹฿]|Fr\.?|CHF|元|円|kr)"
_NUMBER = r"\d{1,3}(?:[ '\u2019\u00a0\u202f.,]\d{3})+(?:[.,]\d{1,4})?|\d+(?:[.,]\d+)*"
AMOUNT = re.compile(
    rf"(?<![\w.,])(?:{_CURRENCY}\s?)?(?P<sign>[-\u2212(]?)\s?(?:{_CURRENCY}\s?)?(?P<number>{_NUMBER})(?![\d])"
)
_WHOLE = re.compile(
    rf"\s*(?:{_CURRENCY}\s*)?(?P<sign>[-\u2212+(]?)\s*(?:{_CURRENCY}\s*)?(?P<number>{_NUMBER})\s*\)?\s*(?:{_CURRENCY})?\s*-?\s*",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[ '\u2019\u00a0\u202f]")
LENGTH_MAX = 40


def readings(text: str) -> frozenset[Decimal]:
    """What `text` may mean as an amount; empty if it is none."""
    if len(text) > LENGTH_MAX:
        return frozenset()
    match = _WHOLE.fullmatch(text)
    if match is None:
        return frozenset()
    negative = match["sign"] in ("-", "\u2212", "(") or text.rstrip().endswith("-")
    return number_readings(match["number"], negative=negative)


def number_readings(number: str, *, negative: bool = False) -> frozenset[Decimal]:
    """The readings of digits and separators."""
    plain = _SPACES.sub("", number)
    candidates = {plain.replace(",", ""), plain.replace(".", "").replace(",", ".")}
    found: set[Decimal] = set()
    for candidate in candidates:
        try:
            value = Decimal(candidate.replace(".", "") if candidate.count(".") > 1 else candidate)
        except InvalidOperation:
            continue
        found.add(-value if negative else value)
    if "," in plain and "." in plain:  # both stand: the last one is the decimal mark
        decimal_mark = max(",", ".", key=plain.rfind)
        other = "." if decimal_mark == "," else ","
        value = Decimal(plain.replace(other, "").replace(decimal_mark, "."))
        found = {-value if negative else value}
    elif re.fullmatch(r"\d+[.,]\d{1,2}", plain):  # one or two digits after the mark: decimals
        value = Decimal(plain.replace(",", "."))
        found = {-value if negative else value}
    return frozenset(found)
