"""What is asked of a document, as a JSON schema, and the right answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from training.documents.chance import Chance
from training.documents.fields import FIELDS, GROUPS, ITEM_FIELDS, LISTS, Field
from training.documents.paper import Paper

USUAL = ("seller_name", "date", "seller_address", "total")
"""What is asked of receipts most often."""
READ = ("type", "title", "description", "format", "enum")
ITEMS_MOST = 4
"""A list of more is not asked for: an answer would be as long as its document."""


@dataclass(frozen=True)
class Question:
    """A schema and what answers it."""

    schema: dict[str, Any]
    answer: dict[str, Any]


@dataclass(frozen=True)
class _Manner:
    """How one schema is written."""

    camel: bool
    titles: bool
    about: bool
    lengths: bool
    numbers: bool
    iso_days: bool
    nullable: bool
    strict: bool


def question(paper: Paper, chance: Chance) -> Question:
    """Draw what is asked of `paper`."""
    manner = _Manner(
        chance.maybe(0.2), chance.maybe(0.35), chance.maybe(0.5), chance.maybe(0.25), chance.maybe(0.3), chance.maybe(0.12), chance.maybe(0.4), chance.maybe(0.6),
    )  # fmt: skip
    facts = paper.facts()
    single = [fact for fact in facts if fact in FIELDS]
    if paper.kind == "receipt" and chance.maybe(0.45):
        wanted = [*USUAL] if chance.maybe(0.6) else chance.some(USUAL, 2, 4)
        if chance.maybe(0.3):
            wanted += [fact for fact in chance.some(single, 1, 3) if fact not in wanted]
    else:
        wanted = chance.some(single, 1, 8)
        wanted += [fact for fact in chance.some(tuple(FIELDS), 0, 2) if fact not in wanted]
    if chance.maybe(0.5):
        wanted = chance.shuffled(wanted)
    return _Writer(paper, chance, manner, facts).question(wanted)


def short_question(paper: Paper, chance: Chance) -> Question:
    """One or two plain questions about what stands in `paper`."""
    facts = paper.facts()
    wanted = chance.some([fact for fact in facts if fact in FIELDS], 1, 2)
    plain = _Manner(
        camel=False,
        titles=False,
        about=False,
        lengths=False,
        numbers=False,
        iso_days=False,
        nullable=False,
        strict=True,
    )
    return _Writer(paper, chance, plain, facts).question(wanted)


class _Writer:
    def __init__(self, paper: Paper, chance: Chance, manner: _Manner, facts: dict[str, str]) -> None:
        self._paper, self._chance, self._manner, self._facts = paper, chance, manner, facts

    def question(self, wanted: list[str]) -> Question:
        chance = self._chance
        properties: dict[str, Any] = {}
        answer: dict[str, Any] = {}
        grouped = [
            who for who in GROUPS if sum(fact.startswith(who) for fact in wanted) > 1 and chance.maybe(0.25)
        ]
        for who in grouped:
            name = self._name(chance.of(GROUPS[who]))
            inner: dict[str, Any] = {}
            said: dict[str, Any] = {}
            for fact in [fact for fact in wanted if fact.startswith(who)]:
                self._ask(FIELDS[fact], fact, inner, said, short=True)
            properties[name], answer[name] = self._object(inner), said
        for fact in wanted:
            if not any(fact.startswith(who) for who in grouped):
                self._ask(FIELDS[fact], fact, properties, answer)
        count = len({fact.split(".")[1] for fact in self._facts if fact.startswith("items.")})
        if 0 < count <= ITEMS_MOST and chance.maybe(0.25):
            self._ask_items(count, properties, answer)
        return Question(self._object(properties), answer)

    def _ask(
        self,
        field: Field,
        fact: str,
        properties: dict[str, Any],
        answer: dict[str, Any],
        *,
        short: bool = False,
    ) -> None:
        name = self._chance.of(field.names)
        if short and self._chance.maybe(0.7):
            name = fact.split("_", 1)[-1]
        name = self._name(name)
        if name in properties:
            return
        properties[name], answer[name] = self._property(field, fact)

    def _property(self, field: Field, fact: str) -> tuple[dict[str, Any], Any]:
        manner, chance = self._manner, self._chance
        said: dict[str, Any] = {}
        value: Any = self._facts.get(fact)
        kind = "string"
        if fact in self._paper.numbers and manner.numbers and value is not None:
            value = self._paper.numbers[fact]
            kind = "integer" if value.as_tuple().exponent == 0 else "number"
        elif fact in self._paper.days and manner.iso_days and value is not None:
            said["format"] = "date"
            value = self._paper.days[fact].isoformat()
        nullable = manner.nullable or (value is None and chance.maybe(0.6))
        said = {"type": [kind, "null"] if nullable else kind, **said}
        if manner.titles:
            said["title"] = chance.of(field.titles)
        if manner.about:
            said["description"] = chance.of(field.about)
        if manner.lengths and kind == "string":
            said["maxLength"] = chance.of((20, 40, 80, 100, 200))
            if isinstance(value, str) and len(value) > said["maxLength"]:
                said["maxLength"] = 200
        if value is None and not nullable:
            value = ""
        return said, value

    def _ask_items(self, count: int, properties: dict[str, Any], answer: dict[str, Any]) -> None:
        name = self._name(self._chance.of(LISTS))
        if name in properties:
            return
        there = [end for end in ITEM_FIELDS if f"items.0.{end}" in self._facts]
        wanted = self._chance.some(there, 1, len(there))
        inner: dict[str, Any] = {}
        names: dict[str, str] = {}
        rows: list[dict[str, Any]] = [{} for _ in range(count)]
        for end in wanted:
            field_name = self._name(self._chance.of(ITEM_FIELDS[end].names))
            if field_name in inner:
                continue
            names[end] = field_name
            for number, row in enumerate(rows):
                described, row[field_name] = self._property(ITEM_FIELDS[end], f"items.{number}.{end}")
                inner.setdefault(field_name, described)
        properties[name] = {"type": "array", "items": self._object(inner)}
        answer[name] = rows

    def _object(self, properties: dict[str, Any]) -> dict[str, Any]:
        said: dict[str, Any] = {"type": "object", "properties": properties, "required": [*properties]}
        if self._manner.strict:
            said["additionalProperties"] = False
        return said

    def _name(self, name: str) -> str:
        if not self._manner.camel:
            return name
        first, *others = name.split("_")
        return first + "".join(other.title() for other in others)


def fields_of(schema: Mapping[str, Any]) -> Any:
    """Of a schema, what a reader needs: each property's name and type, title, description and format.

    What is required, how long it may be and what else may be there is left to the grammar that holds the answer: in a prompt
    it is a third of the tokens.
    """
    if "properties" in schema:
        return {name: fields_of(inner) for name, inner in schema["properties"].items()}
    if "items" in schema:
        return [fields_of(schema["items"])]
    return {name: schema[name] for name in READ if name in schema}


def compact(value: object) -> str:
    """JSON without white space, as answers and schemas are written; numbers with the digits that are printed."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{compact(name)}:{compact(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
