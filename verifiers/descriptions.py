"""What a schema says in words about one of its fields: its title and its description."""

import re

from verifiers.json_types import JsonObject, JsonValue
from verifiers.schema_cost import referred

NODES_MAX = 100
_STEP = re.compile(r"\[\]|[^.\[\]]+")


def description_of(schema: JsonObject, path: str) -> str:
    """The title and description of the field `path` (`items[].amount`); "" where nothing is said."""
    nodes: list[JsonValue] = [schema]
    for step in _STEP.findall(path):
        nodes = [inner for node in _alternatives(schema, nodes) for inner in _step(node, step)]
    said: list[str] = []
    for node in _alternatives(schema, nodes):
        said += [text for key in ("title", "description") if isinstance(text := node.get(key), str) and text]
    return ": ".join(dict.fromkeys(said))


def _step(node: JsonObject, step: str) -> list[JsonValue]:
    if step == "[]":
        return [node.get("items")]
    properties = node.get("properties")
    return [properties[step]] if isinstance(properties, dict) and step in properties else []


def _alternatives(schema: JsonObject, nodes: list[JsonValue]) -> list[JsonObject]:
    """The nodes, with all that they refer to or choose from."""
    found: list[JsonObject] = []
    pending = list(reversed(nodes))
    seen: set[int] = set()
    while pending and len(found) < NODES_MAX:
        node = pending.pop()
        if not isinstance(node, dict) or id(node) in seen:
            continue
        seen.add(id(node))
        found.append(node)
        if "$ref" in node:
            pending.append(referred(schema, node["$ref"]))
        for keyword in ("anyOf", "oneOf", "allOf"):
            choices = node.get(keyword)
            pending.extend(choices if isinstance(choices, list) else ())
    return found
