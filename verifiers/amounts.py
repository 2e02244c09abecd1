"""Amounts as documents write them: currencies, signs, and separators of either style.

"1.234" may be a thousand or a little more than one: such a text has two readings, and two texts
agree if they share one. A minus sign always counts; brackets in a document may be just brackets.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from verifiers.currencies import CURRENCY
from verifiers.found import Found, Reading

_DIGITS = (
    r"\d{0,2}(?:[ '\u2019\u00a0\u202f.,]\d{3})+(?!\d)(?:[.,]\d{1,4})?"
    r"|\d?(?:,\d{2})+,\d{3}(?:\.\d{1,4})?"  # lakh and crore
    r"|\d*(?:[.,]\d+)*"
)
# Begins with a set of characters, which is what makes the search fast.
_NUMBER = rf"[\d.](?<![\d.,].)(?:(?<=\d)(?:{_DIGITS})|(?<=\.)\d{{1,4}})(?!\d)"
_FIND = re.compile(rf"(?P<number>{_NUMBER})(?P<after>-(?!\w))?")
# Three capitals may touch a number too: a scanner drops the space of "TTL 9.00".
_BEFORE = re.compile(rf"(?<!\w)(?:{CURRENCY}\s?)?(?P<sign>[-\u2212(]?)\s?(?:{CURRENCY}\s?|[A-Z]{{3}})?$")
_BEFORE_CHARS_MAX = 10
_WHOLE = re.compile(
    rf"\s*(?:{CURRENCY}\s*)?(?P<sign>[-\u2212+(]?)\s*(?:{CURRENCY}\s*)?(?P<number>{_NUMBER})"
    rf"\s*\)?(?P<after>-?)\s*(?:{CURRENCY})?\s*\)?\s*"
)
_SPACES = re.compile(r"[ '\u2019\u00a0\u202f]")
_PLAIN = re.compile(r"\d+(?:\.\d\d)?")
_DIGIT = re.compile(r"\d")
_SIGNS = frozenset("-\u2212(")
_MINUS = frozenset("-\u2212")
LENGTH_MAX = 40


def readings(text: str) -> frozenset[Reading]:
    """What `text` may mean as an amount; empty if it is none. Brackets around it are a minus."""
    if len(text) > LENGTH_MAX or _DIGIT.search(text) is None:
        return frozenset()
    match = _WHOLE.fullmatch(text)
    if match is None:
        return frozenset()
    negative = match["sign"] == "(" or match["sign"] in _MINUS or bool(match["after"])
    found = _number_readings(match["number"])
    return frozenset(-value for value in found) if negative else found


def find_amounts(text: str) -> Iterator[Found]:
    """Find the amounts of `text`, in order. Where only a bracket or a dash says minus, both signs are meant."""
    for match in _FIND.finditer(text):
        start, end = match.span(1)
        sign = _sign_before(text, start)
        if sign is None:
            continue  # digits at the end of a word
        found = _number_readings(match[1])
        if sign or match[2]:
            turned = frozenset(-value for value in found)
            found = turned if sign in _MINUS else found | turned
        if found:
            yield Found(start, end, found)


def _sign_before(text: str, start: int) -> str | None:
    """The sign before a number, beyond a currency; "" without one, None if it is part of a word."""
    before = text[max(0, start - _BEFORE_CHARS_MAX) : start]
    if not before or (_SIGNS.isdisjoint(before) and not before[-1].isalnum() and before[-1] != "_"):
        return ""
    match = _BEFORE.search(text, start - len(before), start)
    return match["sign"] if match is not None else None


def _number_readings(number: str) -> frozenset[Decimal]:
    if len(number) > LENGTH_MAX:
        return frozenset()
    if _PLAIN.fullmatch(number):  # most are
        return frozenset((Decimal(number),))
    plain = _SPACES.sub("", number)
    commas, points = plain.count(","), plain.count(".")
    if not commas and not points:
        return frozenset((Decimal(plain),))
    if commas and points:  # both stand: the last one is the decimal mark
        mark, other = (",", ".") if plain.rfind(",") > plain.rfind(".") else (".", ",")
        if plain.count(mark) > 1:
            return frozenset()
        return frozenset((Decimal(plain.replace(other, "").replace(mark, ".")),))
    whole = Decimal(plain.replace(",", "").replace(".", ""))
    if commas + points > 1:
        return frozenset((whole,))
    decimal = Decimal(plain.replace(",", "."))
    if plain[0] in ",." or len(plain) - max(plain.rfind(","), plain.rfind(".")) - 1 != 3:
        return frozenset((decimal,))
    return frozenset((whole, decimal))
