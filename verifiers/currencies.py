"""Currencies as documents name them: ISO 4217 codes as they are written, signs, and local names.

A sign may be several currencies' ("$", "kr"), so a name means a set of codes, and two names agree if
they share one. Codes are those of ISO 4217:2015 as of 2025, funds and metals aside, upper case only:
"INV 4471" is no amount.
"""

import re

from verifiers.found import Placed

_ISO_4217 = """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
    CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH
    UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"""
_CODES = frozenset(_ISO_4217.split())
_NAMES = {
    "$": """USD AUD CAD NZD SGD HKD TWD BND BBD BMD BSD BZD FJD GYD JMD KYD LRD NAD SBD SRD TTD XCD ARS CLP COP DOP MXN
        UYU""",
    "US$": "USD", "S$": "SGD", "HK$": "HKD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD",
    "NT$": "TWD", "R$": "BRL", "MX$": "MXN",
    "€": "EUR", "Euro": "EUR", "euro": "EUR", "EURO": "EUR", "euros": "EUR",
    "£": "GBP FKP GIP SHP", "¥": "JPY CNY", "￥": "JPY CNY", "円": "JPY", "元": "CNY HKD TWD", "圓": "JPY HKD TWD",
    "RMB": "CNY", "RM": "MYR", "Rp": "IDR", "Rs": "INR LKR MUR NPR PKR SCR", "Rs.": "INR LKR MUR NPR PKR SCR",
    "₹": "INR", "₩": "KRW KPW", "฿": "THB", "₽": "RUB", "₺": "TRY", "₫": "VND", "₱": "PHP", "₪": "ILS", "₦": "NGN",
    "₴": "UAH", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "Fr": "CHF", "Fr.": "CHF", "SFr.": "CHF",
    "kr": "SEK NOK DKK ISK", "kr.": "SEK NOK DKK ISK",
}  # fmt: skip
_MEANS = {code: frozenset((code,)) for code in _CODES} | {
    name: frozenset(codes.split()) for name, codes in _NAMES.items()
}
_ALSO_WORDS = "ALL BAM BOB COP CUP GEL MAD MOP PEN RUB SOS TOP TRY Fr Fr. Ft kr kr. Rs"
_PLAIN_WORDS = frozenset(_ALSO_WORDS.split())
"""Names that are words too ("CUP 3.50" on a receipt): they prove no other currency."""


def _pattern() -> str:
    letters = sorted({code[0] for code in _CODES})
    codes = (
        f"{letter}(?:{'|'.join(sorted(code[1:] for code in _CODES if code[0] == letter))})"
        for letter in letters
    )
    names = sorted(_NAMES, key=len, reverse=True)
    return f"(?:{'|'.join([*map(re.escape, names), *codes])})"


CURRENCY = _pattern()
"""A pattern for one name. What may stand on either side of it is the caller's business."""
_NO_LETTER_BEFORE, _NO_LETTER_AFTER = r"(?<![^\W\d_])", r"(?![A-Za-z\u00c0-\u024f])"
_NAME = re.compile(CURRENCY)
_ALONE = re.compile(rf"{_NO_LETTER_BEFORE}{CURRENCY}{_NO_LETTER_AFTER}")
_BEFORE = re.compile(rf"{_NO_LETTER_BEFORE}({CURRENCY})[ \t):.(\u2212-]{{0,4}}$")
_AFTER = re.compile(rf"(?:,?-)?[ \t]{{0,2}}({CURRENCY}){_NO_LETTER_AFTER}")
_BEFORE_CHARS_MAX = 12
NAMED_MAX = 1_000


def named_in(value: str) -> frozenset[str]:
    """The codes that an amount's own text may mean; empty if it names no currency."""
    return _meant(_NAME.findall(value))


def is_name(value: str) -> bool:
    """Whether `value` names a currency and says nothing else."""
    return value.strip() in _MEANS


def beside(text: str, placed: Placed) -> tuple[frozenset[str], Placed]:
    """What the names that touch a number may mean, either one; and the number with those names."""
    start, end = placed
    names: list[str] = []
    before = _BEFORE.search(text, max(0, start - _BEFORE_CHARS_MAX), start)
    if before is not None:
        names.append(before[1])
        start = before.start()
    after = _AFTER.match(text, end)
    if after is not None:
        names.append(after[1])
        end = after.end()
    if any(name in _PLAIN_WORDS for name in names):
        return frozenset(), placed
    return frozenset().union(*(_MEANS[name] for name in names)), Placed(start, end)


def find_named(text: str) -> dict[str, Placed]:
    """Every code that some name of `text` may mean, and the first place of such a name."""
    found: dict[str, Placed] = {}
    for count, match in enumerate(_ALONE.finditer(text)):
        if count >= NAMED_MAX:
            break
        if match.group() not in _PLAIN_WORDS:
            for code in _MEANS[match.group()]:
                found.setdefault(code, Placed(*match.span()))
    return found


def _meant(names: list[str]) -> frozenset[str]:
    """Of "CAD $5" both names are the same currency's; of two that share none, either is meant."""
    if not names:
        return frozenset()
    meanings = [_MEANS[name] for name in names]
    return frozenset.intersection(*meanings) or frozenset().union(*meanings)
