"""OpenAI's tools and its choice of one in Anthropic's words.

Sources: OpenAI's API reference; anthropic-sdk-python 2.14.0 (`types/tool_param.py`,
`types/tool_choice_param.py`). November 2026.
"""

from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue
from router.request import AnswerShape, SchemaAsked
from router.wire.anthropic_conversation import cache_control, refuse_others
from router.wire.anthropic_schema import closed_schema

_CHOICES = {"auto": "auto", "required": "any", "none": "none"}


def tool_fields(body: JsonObject, asked: SchemaAsked | None, plain_schema: JsonObject | None) -> JsonObject:
    """`tools` and `tool_choice`, or nothing. `plain_schema` takes the place of a forced tool's own
    parameters. Raises InvalidRequestError."""
    given = body.get("tools")
    if not isinstance(given, list) or not given:
        if body.get("tool_choice") not in (None, "auto", "none"):
            raise InvalidRequestError(
                "tool_choice wants a tool, and tools offers none; offer one or leave it out",
                param="tool_choice",
            )
        return {}
    forced = asked.name if asked is not None and asked.shape is AnswerShape.TOOL else None
    tools: list[JsonValue] = [
        _tool(tool, f"tools[{index}]", forced, plain_schema)
        for index, tool in enumerate(given)
        if isinstance(tool, dict)
    ]
    choice = _choice(body.get("tool_choice"))
    if body.get("parallel_tool_calls") is False and choice.get("type") != "none":
        choice = {"type": "auto", **choice, "disable_parallel_tool_use": True}
    return {"tools": tools, "tool_choice": choice} if choice else {"tools": tools}


def forced_tool(name: str, schema: JsonObject) -> JsonObject:
    """The fields that have an answer written as one tool's arguments."""
    return {
        "tools": [{"name": name, "description": "Takes the answer.", "input_schema": _object(schema)}],
        "tool_choice": {"type": "tool", "name": name, "disable_parallel_tool_use": True},
    }


def _tool(tool: JsonObject, place: str, forced: str | None, plain_schema: JsonObject | None) -> JsonObject:
    function = tool.get("function")
    if not isinstance(function, dict) or tool.get("type", "function") != "function":
        raise InvalidRequestError(
            f"{place}.type is no function, the one kind of tool that Anthropic's API takes from a caller; describe it as one",
            param=f"{place}.type",
        )
    refuse_others(tool, ("type", "function", "cache_control"), place)
    refuse_others(function, ("name", "description", "parameters", "strict"), f"{place}.function")
    name, parameters = function.get("name"), function.get("parameters")
    schema: JsonObject = parameters if isinstance(parameters, dict) else {}
    if name == forced and plain_schema is not None:
        schema = plain_schema
    written: JsonObject = {"name": name, "input_schema": _object(schema)}
    if function.get("description"):
        written["description"] = function["description"]
    if function.get("strict") is True:
        written["strict"] = True
        closed = {"additionalProperties": False, **schema} if not schema.get("properties") else schema
        written["input_schema"] = closed_schema(_object(closed), f"{place}.function.parameters")
    return {**written, **cache_control(tool, place)}


def _choice(choice: JsonValue) -> JsonObject:
    if choice is None:
        return {}
    if isinstance(choice, str):
        if choice not in _CHOICES:
            raise InvalidRequestError(
                f"tool_choice is '{choice[:40]}'; it is auto, required, none, or names a function",
                param="tool_choice",
            )
        return {"type": _CHOICES[choice]}
    function = choice.get("function") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(function, dict):
        raise InvalidRequestError(
            "tool_choice has no counterpart in Anthropic's API; write auto, required, none, or name a function",
            param="tool_choice",
        )
    refuse_others(choice, ("type", "function"), "tool_choice")
    return {"type": "tool", "name": function.get("name")}


def _object(schema: JsonObject) -> JsonObject:
    """Parameters are an object's; OpenAI lets the word be left out."""
    return {"type": "object", **schema}
