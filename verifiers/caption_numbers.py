"""Numbers that belong to the caption of an amount and are none: "Total 2025: 45.00", "VAT 20 %", "Total 3 items"."""

import re

from verifiers.captioned import Captioned
from verifiers.currencies import CURRENCY
from verifiers.document import Document
from verifiers.found import Placed

_RATE_FOLLOWS = re.compile(r"[ \t]?(?:%|percent\b|prozent\b|v\.\s?h\.)", re.IGNORECASE)
_COUNTED_FOLLOWS = re.compile(
    r"[ \t]?[([]?(?:items?|pcs?|pieces?|qty|units?|nights?|hours?|hrs?|days?|pages?|lines?|articles?|artikel|stück|stk|"
    r"positionen|pos|std|stunden|nächte|tage|pièces?|nuits?|heures?|jours?)\b",
    re.IGNORECASE,
)
_COLON_FOLLOWS = re.compile(r"[ \t]?[)\]]?[ \t]?[:：](?!\d)")
_ONLY_A_GAP = re.compile(rf"[ \t]*(?:{CURRENCY})?[ \t]*")
_CURRENCY_BEFORE = re.compile(rf"{CURRENCY}[ \t]?$")
_BEFORE_CHARS_MAX = 8


def is_of_caption(document: Document, captioned: Captioned, following: Captioned | None) -> bool:
    """Whether a captioned number is a rate, a count, a part of a day or of the caption of what follows."""
    text, (start, end, _) = document.text, captioned.value
    if _RATE_FOLLOWS.match(text, end):
        return True
    if captioned.is_money:
        return False
    if _COUNTED_FOLLOWS.match(text, end) or _COLON_FOLLOWS.match(text, end):
        return True
    if following is not None and following.is_money and "\n" not in text[end : following.value.start]:
        is_before = _ONLY_A_GAP.fullmatch(text, end, following.value.start) is not None
        if is_before and not _CURRENCY_BEFORE.search(text, max(0, start - _BEFORE_CHARS_MAX), start):
            return True
    return document.day_around(Placed(start, end)) is not None
