"""Words by which a document labels a field: from the schema's own names, and a small table.

The table is of common business words in a few languages; a property's name, `title` and
`description` choose rows of it. Words are folded (lower case, no accents needed beyond that).
"""

import re

from verifiers.json_types import JsonObject, JsonValue

_GROUPS: dict[str, tuple[str, ...]] = {
    "total": (
        "total", "amount due", "grand total", "balance due", "amount payable", "to pay", "gesamt", "gesamtbetrag",
        "summe", "endbetrag", "rechnungsbetrag", "zu zahlen", "zahlbetrag", "montant total", "total ttc", "net a payer",
        "net à payer", "合计", "总计", "总额", "價稅合計", "价税合计", "应付",
    ),
    "net": ("net", "subtotal", "sub total", "netto", "nettobetrag", "zwischensumme", "sous-total", "total ht", "小计"),
    "tax": ("tax", "vat", "gst", "sst", "mwst", "ust", "umsatzsteuer", "tva", "税额", "增值税"),
    "date": ("date", "dated", "datum", "date de facture", "日期", "日 期", "开票日期"),
    "due": ("due", "due date", "pay by", "payable by", "fällig", "zahlbar bis", "échéance", "echeance", "到期"),
    "delivery": ("delivery", "delivered", "liefer", "lieferdatum", "livraison", "livré", "送货", "交货"),
}  # fmt: skip
_TRIGGERS: dict[str, str] = {
    "total": "total", "gross": "total", "sum": "total", "gesamt": "total", "montant": "total", "合计": "total",
    "net": "net", "subtotal": "net", "tax": "tax", "vat": "tax", "date": "date", "datum": "date", "日期": "date",
    "due": "due", "deadline": "due", "delivery": "delivery", "delivered": "delivery",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")


def field_labels(schema: JsonObject) -> dict[str, tuple[str, ...]]:
    """For each field of a schema (`items[].amount`), the words that may label it."""
    found: dict[str, tuple[str, ...]] = {}
    _walk(schema, "", found, 0)
    return found


def _walk(node: JsonValue, field: str, found: dict[str, tuple[str, ...]], depth: int) -> None:
    if not isinstance(node, dict) or depth > 16:
        return
    properties = node.get("properties")
    for name, inner in (properties if isinstance(properties, dict) else {}).items():
        path = f"{field}.{name}" if field else name
        found[path] = _labels(name, inner)
        _walk(inner, path, found, depth + 1)
    _walk(node.get("items"), f"{field}[]", found, depth + 1)


def _labels(name: str, node: JsonValue) -> tuple[str, ...]:
    title = node.get("title") if isinstance(node, dict) else None
    words = [word.lower() for word in _WORD.findall(name.replace("_", " "))]
    labels = [" ".join(words)]
    if isinstance(title, str):
        labels.append(title.lower())
        words.extend(word.lower() for word in _WORD.findall(title))
    groups = {_TRIGGERS[word] for word in words if word in _TRIGGERS}
    if groups & {"due", "delivery"}:
        groups.discard("date")
    if groups & {"net", "tax"}:
        groups.discard("total")
    for group in sorted(groups):
        labels.extend(_GROUPS[group])
    return tuple(dict.fromkeys(label for label in labels if label))
