"""Check: a value is of the nature that its field's name says: a day holds a digit, an amount too, a name a letter.

Only what cannot be otherwise: a model that copies a word from beside the value copies something that
stands in the document, and no other check would say so.
"""

from verifiers.answer import LeafValue
from verifiers.document import is_blank
from verifiers.labels import AMOUNT_KINDS, DATE_KINDS, Kind, Label
from verifiers.verdict import Finding, Outcome

CHECK = "nature"


def check_nature(leaf: LeafValue, label: Label) -> Finding | None:
    """Say that a value cannot be what its field is; None where it can, or nothing is known of the field."""
    value = leaf.value
    if not isinstance(value, str) or is_blank(value) or label.is_chosen:
        return None
    has_digit, has_letter = any(map(str.isdecimal, value)), any(map(str.isalpha, value))
    if label.kind in DATE_KINDS and not has_digit:
        return _failed(leaf, "no_date", f"{leaf.path} is a date, and its value holds no digit")
    if label.kind in AMOUNT_KINDS and not has_digit:
        return _failed(leaf, "no_amount", f"{leaf.path} is an amount, and its value holds no digit")
    if label.kind in (Kind.NAME, Kind.ADDRESS) and not has_letter:
        return _failed(
            leaf, "no_words", f"{leaf.path} is a name or an address, and its value holds no letter"
        )
    return None


def _failed(leaf: LeafValue, code: str, reason: str) -> Finding:
    return Finding(CHECK, leaf.path, Outcome.FAILED, f"{CHECK}.{code}", reason)
