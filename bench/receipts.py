"""The receipts that benchmarks read: rows of a file that is named, what is asked of each, and gold."""

import json
from collections.abc import Mapping
from pathlib import Path

from router.json_types import JsonObject

FIELDS = {
    "company": ("Company", "The name of the firm that issued the receipt", 80),
    "date": ("Date", "The date of the receipt", 20),
    "address": ("Address", "The firm's address", 200),
    "total": ("Total", "The total amount paid", 20),
}
SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        name: {"type": "string", "title": title, "description": about, "maxLength": length}
        for name, (title, about, length) in FIELDS.items()
    },
    "required": [*FIELDS],
    "additionalProperties": False,
}
SEED = 20261124


def read_rows(path: Path, skip: int, limit: int) -> list[dict[str, object]]:
    """Read rows `skip` to `skip + limit` of a file of JSON lines, or end with a sentence."""
    if not path.is_file():
        raise SystemExit(f"there is no data at {path}; nothing was measured")
    return [json.loads(line) for line in path.read_text().splitlines()[skip : skip + limit]]


def gold_of(row: Mapping[str, object]) -> dict[str, str]:
    """The right values of a row."""
    gold = row["gold"]
    assert isinstance(gold, dict)
    return gold
