"""Refuse a schema that would take forever to check against.

A validator tries every branch: 25 definitions that each name the one before twice make 33 million
trials of one value. So the trials that one place of an answer can cost are counted beforehand.
Branches that look at the same value (anyOf, $ref ...) add up; properties are different values.
"""

from collections.abc import Iterator

from verifiers.errors import SchemaError
from verifiers.json_types import JsonObject, JsonValue

TRIALS_MAX = 100_000
LEVELS = 20
"""Levels of an answer that a recursive schema is followed down: enough to see one that doubles."""
CHAIN_MAX = 100
_SAME_VALUE = ("anyOf", "oneOf", "allOf", "not", "if", "then", "else")
_REFERENCES = ("$ref", "$dynamicRef")
_BRANCHES = frozenset((*_SAME_VALUE, *_REFERENCES, "dependentSchemas"))
_ITEMS = ("items", "prefixItems", "contains", "additionalItems", "unevaluatedItems")
_MEMBERS = ("additionalProperties", "unevaluatedProperties", "propertyNames")
_APPLICATORS = _BRANCHES.union(_ITEMS, _MEMBERS, ("properties", "patternProperties"))


def refuse_costly(schema: JsonObject) -> None:
    """Raise SchemaError if some value could need more than TRIALS_MAX trials."""
    parts = _every_part(schema)
    if all(_BRANCHES.isdisjoint(part) for part in parts):
        return
    names = _anchors(schema, parts)
    below: dict[int, tuple[int, int]] = {}
    for _ in range(LEVELS):
        level = _Level(schema, names, below)
        if any(max(level.trials(part, ())) > TRIALS_MAX for part in parts):
            raise SchemaError(
                f"the schema branches so much that checking one value could take more than {TRIALS_MAX} trials"
            )
        if level.known == below:
            return
        below = level.known


def _every_part(schema: JsonObject) -> list[JsonObject]:
    parts: list[JsonObject] = []
    pending: list[JsonValue] = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            parts.append(node)
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    return parts


def _anchors(schema: JsonObject, parts: list[JsonObject]) -> dict[str, JsonObject]:
    found: dict[str, JsonObject] = {}
    for part in parts:
        if part is not schema and isinstance(part.get("$id"), str):
            raise SchemaError("a part of the schema has an $id of its own; refer to it by its place in $defs")
        for keyword in ("$anchor", "$dynamicAnchor"):
            name = part.get(keyword)
            if isinstance(name, str):
                found["#" + name] = part
    return found


class _Level:
    """Trials of each part of the schema, given those of the parts one level of the answer below."""

    def __init__(
        self, schema: JsonObject, anchors: dict[str, JsonObject], below: dict[int, tuple[int, int]]
    ) -> None:
        self.schema = schema
        self.anchors = anchors
        self.below = below
        self.known: dict[int, tuple[int, int]] = {}

    def trials(self, node: JsonValue, chain: tuple[int, ...]) -> tuple[int, int]:
        """Trials if the value is an array, and if it is an object."""
        if not isinstance(node, dict) or _APPLICATORS.isdisjoint(node) or id(node) in chain:
            return 1, 1
        if id(node) in self.known:
            return self.known[id(node)]
        if len(chain) > CHAIN_MAX:
            raise SchemaError(f"the schema refers on and on, over more than {CHAIN_MAX} steps")
        array = 1 + sum(self._most(node.get(keyword)) for keyword in _ITEMS)
        named = node.get("properties")
        patterns = node.get("patternProperties")
        members = 1 + self._most(list(named.values()) if isinstance(named, dict) else None)
        members += sum(self._most(part) for part in patterns.values()) if isinstance(patterns, dict) else 0
        members += sum(self._most(node.get(keyword)) for keyword in _MEMBERS)
        for branch in self._branches(node):
            in_array, in_object = self.trials(branch, (*chain, id(node)))
            array, members = array + in_array, members + in_object
        self.known[id(node)] = min(array, TRIALS_MAX + 1), min(members, TRIALS_MAX + 1)
        return self.known[id(node)]

    def _branches(self, node: JsonObject) -> Iterator[JsonValue]:
        for keyword in _SAME_VALUE:
            yield from _parts(node.get(keyword))
        for keyword in _REFERENCES:
            reference = node.get(keyword)
            if isinstance(reference, str):
                yield self.anchors.get(reference, referred(self.schema, reference))
        dependent = node.get("dependentSchemas")
        yield from dependent.values() if isinstance(dependent, dict) else ()

    def _most(self, parts: JsonValue) -> int:
        return max((max(self.below.get(id(part), (1, 1))) for part in _parts(parts)), default=0)


def referred(schema: JsonObject, reference: JsonValue) -> JsonValue:
    """What a local reference names; None if it names nothing."""
    if reference == "#":
        return schema
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    node: JsonValue = schema
    for step in reference[2:].split("/"):
        node = node.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
    return node


def _parts(node: JsonValue) -> list[JsonValue]:
    return node if isinstance(node, list) else [] if node is None else [node]
