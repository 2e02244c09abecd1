"""What a schema's fields are: their kind, and the words that may label them in a document.

A property's name and `title` say it. A kind is closed and small; a field of no kind has only its
own words.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from verifiers.captions import Caption
from verifiers.json_types import JsonObject, JsonValue
from verifiers.schema_cost import referred

DEPTH_MAX = 16
FIELDS_MAX = 2_000


class Kind(StrEnum):
    """What a field holds."""

    TOTAL = "total"
    NET = "net"
    TAX = "tax"
    DATE = "date"
    DUE = "due"
    DELIVERY = "delivery"
    ORDER = "order"
    START = "start"
    END = "end"
    BIRTH = "birth"
    NAME = "name"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Label:
    """What a field is: its kind, and its own names (lower case)."""

    kind: Kind | None
    names: tuple[str, ...]

    def fit(self, caption: Caption | None, words: str) -> int:
        """How well a value with this caption fits the field: 2 best, 0 unknown, -1 it is something else."""
        if self.kind in _FITS:
            return _FITS[self.kind].get(caption, -1) if caption is not None else 0
        spaced = f" {' '.join(_WORD.findall(words))} "
        return int(
            any(f" {name} " in spaced or (not name.isascii() and name in words) for name in self.names)
        )


NO_LABEL = Label(None, ())
_FITS: dict[Kind | None, dict[Caption, int]] = {
    Kind.TOTAL: {Caption.GRAND_TOTAL: 2, Caption.TOTAL: 1, Caption.PAID: 0},
    Kind.NET: {Caption.NET: 2, Caption.TOTAL: 0},
    Kind.TAX: {Caption.TAX: 1},
    Kind.DATE: {Caption.DATE: 1, Caption.ORDER: 0, Caption.START: 0},
    Kind.DUE: {Caption.DUE: 2, Caption.DATE: 0, Caption.END: 0},
    Kind.DELIVERY: {Caption.DELIVERY: 2, Caption.DATE: 0},
    Kind.ORDER: {Caption.ORDER: 2, Caption.DATE: 0},
    Kind.START: {Caption.START: 2, Caption.DATE: 0},
    Kind.END: {Caption.END: 2, Caption.DUE: 1, Caption.DATE: 0},
    Kind.BIRTH: {Caption.BIRTH: 2, Caption.DATE: 0},
}
AMOUNT_KINDS = frozenset({Kind.TOTAL, Kind.NET, Kind.TAX})
_SPECIFIC_DATES = (Kind.DUE, Kind.DELIVERY, Kind.ORDER, Kind.START, Kind.END, Kind.BIRTH)
DATE_KINDS = frozenset({Kind.DATE, *_SPECIFIC_DATES})
_TRIGGERS = {
    Kind.TOTAL: "total gross gesamt gesamtbetrag summe montant 合计 总额",
    Kind.NET: "net subtotal netto nettobetrag 小计",
    Kind.TAX: "tax vat gst mwst tva 税额",
    Kind.DUE: "due deadline expiry expires frist échéance 截止",
    Kind.DELIVERY: "delivery delivered lieferdatum livraison",
    Kind.ORDER: "order ordered bestelldatum commande",
    Kind.START: "start begin effective beginn début",
    Kind.END: "end ende fin",
    Kind.BIRTH: "birth born geburtsdatum",
    Kind.NAME: """company vendor seller supplier merchant shop store firm customer client buyer provider employer sender
        recipient firma verkäufer lieferant händler kunde société fournisseur 公司 销售方 购买方""",
    Kind.ADDRESS: "address adresse anschrift 地址",
}
_WORDS_OF = {kind: frozenset(words.split()) for kind, words in _TRIGGERS.items()}
_MONEY = frozenset(("amount", "balance", "total", "betrag"))
_NO_TEXT = frozenset(
    [
        "number",
        "no",
        "nr",
        "nummer",
        "id",
        "code",
        "phone",
        "tel",
        "telephone",
        "fax",
        "email",
        "mail",
        "url",
        "website",
        "country",
        "city",
        "first",
        "last",
        "type",
        "currency",
        "电话",
        "号码",
    ]
)
_WORD = re.compile(r"[^\W\d_]+")


def field_labels(schema: JsonObject) -> dict[str, Label]:
    """For each field of a schema (`items[].amount`): what it is. Local references are followed."""
    found: dict[str, Label] = {}
    _walk(schema, schema, "", found, 0)
    return found


def property_names(schema: JsonObject) -> frozenset[str]:
    """Every name that the schema itself gives to a property; any other key is the model's."""
    found: set[str] = set()
    pending: list[JsonValue] = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            properties = node.get("properties")
            found.update(properties if isinstance(properties, dict) else ())
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    return frozenset(found)


def _walk(schema: JsonObject, node: JsonValue, field: str, found: dict[str, Label], depth: int) -> None:
    if not isinstance(node, dict) or depth > DEPTH_MAX or len(found) > FIELDS_MAX:
        return
    properties = node.get("properties")
    for name, inner in (properties if isinstance(properties, dict) else {}).items():
        path = f"{field}.{name}" if field else name
        if path not in found:
            found[path] = _label(name, inner)
            _walk(schema, inner, path, found, depth + 1)
    for keyword in ("anyOf", "oneOf", "allOf"):
        choices = node.get(keyword)
        for choice in choices if isinstance(choices, list) else []:
            _walk(schema, choice, field, found, depth + 1)
    _walk(schema, referred(schema, node.get("$ref")), field, found, depth + 1)
    _walk(schema, node.get("items"), f"{field}[]", found, depth + 1)


def _label(name: str, node: JsonValue) -> Label:
    title = node.get("title") if isinstance(node, dict) else None
    names = [_words(name), *([_words(title)] if isinstance(title, str) else [])]
    words = {word for each in names for word in each}
    return Label(_kind(words), tuple(dict.fromkeys(" ".join(each) for each in names if each)))


def _words(text: str) -> list[str]:
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.replace("_", " "))
    return [word.lower() for word in _WORD.findall(parted)]


def _kind(words: set[str]) -> Kind | None:
    kinds = [kind for kind, triggers in _WORDS_OF.items() if words & triggers]
    if words & _MONEY:
        kinds = [Kind.TOTAL if kind is Kind.DUE else kind for kind in kinds]
    if Kind.DUE in kinds or any(word.endswith(("date", "datum", "日期")) for word in words):
        return next((kind for kind in _SPECIFIC_DATES if kind in kinds), Kind.DATE)
    if words & _NO_TEXT:
        return None
    if Kind.ADDRESS in kinds:
        return Kind.ADDRESS
    for kind in (Kind.TAX, Kind.NET, Kind.TOTAL, Kind.NAME):
        if kind in kinds:
            return kind
    return None
