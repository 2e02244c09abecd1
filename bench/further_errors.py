"""Errors that models make beside misreading: a value left out, another currency, an invented number.

Gold of the receipts has no number; `with_numbers` takes the one that a document names as its own.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from bench.receipts import SCHEMA, gold_of
from router.json_types import JsonObject
from verifiers.currencies import find_named

Plant = Callable[[str, str, str, random.Random], str | None]
"""A wrong value out of a field's name, its right value, the document and chance; None if it cannot be made."""
_NUMBER = re.compile(
    r"(?:invoice|receipt|doc(?:ument)?|bill|slip)[ .]*(?:no|number|#)\b[ .:#]*([A-Z]{0,5}[-/]?\d[\w/-]*)",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d{3,}")
_CURRENCIES = ("EUR", "GBP", "CHF", "CNY", "BRL")
_PREFIXES = ("INV ", "NO-", "R", "")
_properties = SCHEMA["properties"]
assert isinstance(_properties, dict)
NUMBERED_SCHEMA: JsonObject = {
    **SCHEMA,
    "properties": {
        **_properties,
        "receipt_number": {"type": "string", "title": "Receipt number", "maxLength": 40},
    },
    "required": [*_properties, "receipt_number"],
}


def omit(*_: object) -> str:
    """Leave the value empty."""
    return ""


def change_currency(name: str, value: str, text: str, chance: random.Random) -> str | None:
    """Put a currency before the total that its document names nowhere."""
    if name != "total":
        return None
    other = chance.choice([code for code in _CURRENCIES if code not in find_named(text)])
    return f"{other} {value.lstrip('RM$ ')}"


def invent_number(name: str, value: str, text: str, chance: random.Random) -> str | None:
    """Make a number up: a prefix, and digits that stand elsewhere in the document or nowhere."""
    if name != "receipt_number":
        return None
    others = sorted(digits for digits in set(_DIGITS.findall(text)) if digits not in value)
    digits = (
        chance.choice(others) if others and chance.random() < 1 / 2 else str(chance.randrange(10**5, 10**6))
    )
    return f"{chance.choice(_PREFIXES if digits not in text else _PREFIXES[:-1])}{digits}"


def with_numbers(rows: Sequence[Mapping[str, object]]) -> Iterator[Mapping[str, object]]:
    """The rows whose document names its own number, with that among gold."""
    for row in rows:
        match = _NUMBER.search(str(row["text"]))
        if match is not None:
            yield {**row, "gold": {**gold_of(row), "receipt_number": match[1]}}
