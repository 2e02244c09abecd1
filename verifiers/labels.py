"""What a schema's fields are: their kind, and the words that may label them in a document.

A property's name and `title` say it. A kind is closed and small; a field of no kind has only its
own words.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from verifiers.caption_words import Caption
from verifiers.json_types import JsonObject, JsonValue
from verifiers.schema_cost import referred

DEPTH_MAX = 16
FIELDS_MAX = 2_000
BRANCHES_MAX = 100


class Kind(StrEnum):
    """What a field holds."""

    TOTAL = "total"
    NET = "net"
    PAYABLE = "payable"
    """What is still to be paid: the total of a document that says no more, nothing of a paid one."""
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
    """What a field is: its kind, its own names (lower case), and what its schema lets it hold."""

    kind: Kind | None
    names: tuple[str, ...]
    is_chosen: bool = False
    """It holds one of the schema's own values (enum, const, boolean), which no document need contain."""
    is_nullable: bool = False
    """The schema lets it hold null: where the document has nothing for it, it may be empty."""
    is_required: bool = False
    """It is required of the object that holds it."""
    is_alternative: bool = False
    """It belongs to one choice of several: another may do without it."""

    @property
    def fits_by(self) -> Kind | tuple[str, ...]:
        """What `fit` depends on: fields that share it fit alike."""
        return self.kind if self.kind in _FITS and self.kind is not None else self.names

    @property
    def words(self) -> frozenset[str]:
        """Every word of its names."""
        return frozenset(word for name in self.names for word in name.split())

    @property
    def is_identifier(self) -> bool:
        """Whether it names a thing: its value is compared as it is written, never as an amount."""
        return self.kind is None and any(
            not IDENTIFIES.isdisjoint(words := name.split()) and _COUNTS.isdisjoint(words)
            for name in self.names
        )

    @property
    def is_money(self) -> bool:
        """Whether its names say that it is an amount of money."""
        return self.kind in AMOUNT_KINDS or not _IS_MONEY.isdisjoint(self.words)

    @property
    def best_fit(self) -> int:
        """What `fit` says of a value whose caption names just this field."""
        return max(_FITS[self.kind].values()) if self.kind in _SPECIFIC else 1

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
    Kind.TOTAL: {Caption.GRAND_TOTAL: 2, Caption.PAYABLE_TOTAL: 2, Caption.TOTAL: 1, Caption.PAID: 0},
    Kind.PAYABLE: {Caption.PAYABLE: 2, Caption.PAYABLE_TOTAL: 2, Caption.GRAND_TOTAL: 1, Caption.TOTAL: 1},
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
AMOUNT_KINDS = frozenset({Kind.TOTAL, Kind.PAYABLE, Kind.NET, Kind.TAX})
_SPECIFIC_DATES = (Kind.DUE, Kind.DELIVERY, Kind.ORDER, Kind.START, Kind.END, Kind.BIRTH)
DATE_KINDS = frozenset({Kind.DATE, *_SPECIFIC_DATES})
_SPECIFIC = frozenset({Kind.NET, Kind.PAYABLE, *_SPECIFIC_DATES})
_TRIGGERS = {
    Kind.TOTAL: "total gross gesamt gesamtbetrag summe montant 合计 总额",
    Kind.NET: "net subtotal netto nettobetrag 小计",
    Kind.TAX: "tax vat gst mwst tva 税额",
    Kind.PAYABLE: "zahlbetrag restbetrag",
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
_UNPAID = frozenset(("due", "payable", "outstanding", "owed", "owing", "remaining", "offener"))
_OTHER_WORDS = {
    "identifiers": "number no nr nummer id code phone tel telephone fax reference 电话 号码",
    "others": "email mail url website country city first last type currency",
    "counts": """count quantity qty item items piece pieces pcs unit units page pages line lines hour hours day days person
        persons guest guests weight rate percent percentage discount discounts savings change points anzahl menge stück
        artikel stunden gewicht rabatt quantité articles poids remise 数量 件数 折扣""",
    "prices": "price cost value fee preis kosten prix 金额",
}
IDENTIFIES, _OTHERS, _COUNTS, _PRICES = (frozenset(words.split()) for words in _OTHER_WORDS.values())
_NO_TEXT = IDENTIFIES | _OTHERS
_IS_MONEY = (_MONEY - {"total"}) | _PRICES
"""Without one of these a count ("total items") is no total, net amount or tax."""
_WORD = re.compile(r"[^\W\d_]+")


def field_labels(schema: JsonObject) -> dict[str, Label]:
    """For each field of a schema (`items[].amount`): what it is. Local references are followed."""
    found: dict[str, Label] = {}
    _walk(schema, schema, "", found, 0, set())
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


def _walk(
    schema: JsonObject,
    node: JsonValue,
    field: str,
    found: dict[str, Label],
    depth: int,
    seen: set[tuple[str, int]],
    *,
    is_alternative: bool = False,
) -> None:
    here = (field, id(node))
    if not isinstance(node, dict) or depth > DEPTH_MAX or len(found) > FIELDS_MAX or here in seen:
        return
    seen.add(here)
    properties, required = node.get("properties"), node.get("required")
    names = (
        frozenset(name for name in required if isinstance(name, str)) if isinstance(required, list) else ()
    )
    for name, inner in (properties if isinstance(properties, dict) else {}).items():
        path = f"{field}.{name}" if field else name
        if path not in found:
            label = _label(schema, name, inner)
            is_required = name in names and not is_alternative
            found[path] = replace(label, is_required=is_required, is_alternative=is_alternative)
            _walk(schema, inner, path, found, depth + 1, seen, is_alternative=is_alternative)
    for inner in _alternatives(schema, node):
        apart = is_alternative or "anyOf" in node or "oneOf" in node
        _walk(schema, inner, field, found, depth + 1, seen, is_alternative=apart)
    _walk(schema, node.get("items"), f"{field}[]", found, depth + 1, seen, is_alternative=is_alternative)


def _label(schema: JsonObject, name: str, node: JsonValue) -> Label:
    title = node.get("title") if isinstance(node, dict) else None
    names = [_words(name), *([_words(title)] if isinstance(title, str) else [])]
    words = {word for each in names for word in each}
    own = tuple(dict.fromkeys(" ".join(each) for each in names if each))
    branches = _branches(schema, node)
    chosen = [branch for branch in branches if branch.get("type") != "null"]
    return Label(
        _kind(words, set(names[0])),
        own,
        is_chosen=bool(chosen) and all(map(_is_chosen, chosen)),
        is_nullable=any(map(_takes_null, branches)),
    )


def _branches(schema: JsonObject, node: JsonValue) -> list[JsonObject]:
    """What a value may be, one description each: references and choices are followed."""
    found: list[JsonObject] = []
    pending, seen = [node], set[int]()
    while pending and len(seen) < BRANCHES_MAX:
        each = pending.pop()
        if isinstance(each, dict) and id(each) not in seen:
            seen.add(id(each))
            inner = _alternatives(schema, each)
            pending.extend(inner)
            found.extend([] if inner else [each])
    return found


def _alternatives(schema: JsonObject, node: JsonObject) -> list[JsonValue]:
    inner: list[JsonValue] = [referred(schema, node["$ref"])] if "$ref" in node else []
    for keyword in ("anyOf", "oneOf", "allOf"):
        choices = node.get(keyword)
        inner += choices if isinstance(choices, list) else []
    return inner


def _is_chosen(branch: JsonObject) -> bool:
    types = branch.get("type")
    is_truth = types == "boolean" or (isinstance(types, list) and set(map(str, types)) <= {"boolean", "null"})
    return "enum" in branch or "const" in branch or is_truth


def _takes_null(branch: JsonObject) -> bool:
    types, values = branch.get("type"), branch.get("enum")
    if isinstance(values, list):
        return None in values
    return types is None or types == "null" or (isinstance(types, list) and "null" in types)


def _words(text: str) -> list[str]:
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.replace("_", " "))
    return [word.lower() for word in _WORD.findall(parted)]


def _kind(words: set[str], own: set[str]) -> Kind | None:
    """What `words`, of a property's name and title, say; `own` are those of its name."""
    kinds = [kind for kind, triggers in _WORDS_OF.items() if words & triggers]
    said = own if any(own & triggers for triggers in _WORDS_OF.values()) else words
    if words & _MONEY:
        kinds = [kind for kind in kinds if kind is not Kind.DUE]
        kinds += [Kind.PAYABLE if said & _UNPAID else Kind.TOTAL] if words & _UNPAID else []
    if Kind.DUE in kinds or any(word.endswith(("date", "datum", "日期")) for word in words):
        return next((kind for kind in _SPECIFIC_DATES if kind in kinds), Kind.DATE)
    if words & _NO_TEXT or (said & _COUNTS and not said & _IS_MONEY):
        return None
    if Kind.ADDRESS in kinds:
        return Kind.ADDRESS
    for kind in (Kind.TAX, Kind.NET, Kind.PAYABLE, Kind.TOTAL, Kind.NAME):
        if kind in kinds:
            return kind
    return None
