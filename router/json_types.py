"""JSON as Python holds it: the verifiers' types, whose findings go out through here as they are."""

from verifiers.json_types import JsonObject, JsonValue

__all__ = ["JsonObject", "JsonValue"]
