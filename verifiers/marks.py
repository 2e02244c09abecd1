"""Our own keywords in a JSON schema, taken out before the schema is forwarded.

`x-steelyard-sum: "items[].amount"` on a field says that it equals the sum of those fields.
"""

import difflib
import re
from dataclasses import dataclass

from verifiers.errors import MarkError, SchemaError
from verifiers.json_types import JsonObject, JsonValue

PREFIX = "x-steelyard-"
SUM = "x-steelyard-sum"
KNOWN = (SUM,)
_ENDINGS = tuple(known[len(PREFIX) :] for known in KNOWN)
DEPTH_MAX = 64
_PATH = re.compile(r"[^.\[\]]+(?:\[\])?(?:\.[^.\[\]]+(?:\[\])?)*")
_HOLDS_NAMES = frozenset({"properties", "$defs", "definitions", "patternProperties"})


@dataclass(frozen=True, slots=True)
class SumMark:
    """The field at `field` equals the sum of the fields at `parts`; `[]` stands for every item."""

    field: str
    parts: str


@dataclass(frozen=True, slots=True)
class MarkedSchema:
    """A schema without our keywords, and what they said."""

    plain: JsonObject
    sums: tuple[SumMark, ...]


def take_out_marks(schema: JsonObject) -> MarkedSchema:
    """Split `schema` into a plain one and its marks. Raises MarkError or SchemaError."""
    sums: list[SumMark] = []
    plain = _strip(schema, "", "#", sums, 0, names=False)
    if not isinstance(plain, dict):
        raise SchemaError("the schema must be an object")
    return MarkedSchema(plain, tuple(sums))


def _strip(
    node: JsonValue, field: str, pointer: str, sums: list[SumMark], depth: int, *, names: bool
) -> JsonValue:
    if depth > DEPTH_MAX:
        raise SchemaError(f"the schema is nested deeper than {DEPTH_MAX} levels")
    if isinstance(node, list):
        return [
            _strip(item, field, f"{pointer}/{i}", sums, depth + 1, names=False) for i, item in enumerate(node)
        ]
    if not isinstance(node, dict):
        return node
    out: JsonObject = {}
    for key, value in node.items():
        here = f"{pointer}/{key}"
        if not names and _is_ours(key):
            sums.append(_sum_mark(key, value, field, here))
        elif not names and key in ("const", "enum", "default", "examples"):
            out[key] = value
        elif names:
            inner = f"{field}.{key}" if field else key
            out[key] = _strip(value, inner, here, sums, depth + 1, names=False)
        else:
            inner = f"{field}[]" if key == "items" else field
            out[key] = _strip(value, inner, here, sums, depth + 1, names=key in _HOLDS_NAMES)
    return out


def _is_ours(key: str) -> bool:
    """Whether `key` is, or was meant to be, one of our keywords: a misspelt one must not be forwarded."""
    plain = _plain(key)
    return plain.startswith(PREFIX) or (
        plain.startswith("x-") and bool(difflib.get_close_matches(plain, KNOWN, n=1, cutoff=0.8))
    )


def _plain(key: str) -> str:
    return key.lower().replace("_", "-")


def _sum_mark(key: str, value: JsonValue, field: str, pointer: str) -> SumMark:
    if key != SUM:
        near = difflib.get_close_matches(_plain(key).rpartition("-")[2], _ENDINGS, n=1, cutoff=0.5)
        hint = f"did you mean '{PREFIX}{near[0]}'?" if near else f"known is {', '.join(KNOWN)}"
        raise MarkError(f"{pointer}: unknown keyword '{key}'; {hint}")
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        raise MarkError(f'{pointer}: must be a path such as "items[].amount"')
    if not field or "[]" in field:
        raise MarkError(
            f"{pointer}: stands at '{field or 'the root'}'; it belongs on a field outside of arrays"
        )
    return SumMark(field, value)
