"""What Anthropic's API refuses, so that a gateway that sends it is found out.

Sources: the types of anthropic-sdk-python 2.14.0, which the API holds requests to (an unknown field
is "not permitted"); Anthropic's guides to structured outputs and to tool use. November 2026.
"""

from collections.abc import Iterator

from router.json_types import JsonObject, JsonValue
from support.upstream_script import Behaviour, Received

_FIELDS = frozenset(
    [
        "model", "max_tokens", "messages", "system", "stream", "stop_sequences", "temperature", "top_p", "tools",
        "tool_choice", "thinking", "output_config", "metadata", "service_tier",
    ]
)  # fmt: skip
_GRAMMAR = frozenset(
    [
        "type", "properties", "required", "additionalProperties", "items", "minItems", "enum", "const", "anyOf",
        "allOf", "description", "title", "format", "$ref", "$defs", "definitions",
    ]
)  # fmt: skip


def refusal_of(request: Received, api_key: str | None) -> Behaviour | None:
    """The refusal that a request earns before any script is asked, or None."""
    if api_key is not None and request.headers.get("x-api-key") != api_key:
        return Behaviour(status=401, error_code="authentication_error", error_message="invalid x-api-key")
    for reason in _reasons(request):
        return Behaviour(status=400, error_code="invalid_request_error", error_message=reason)
    return None


def _reasons(request: Received) -> Iterator[str]:
    body = request.json
    if "anthropic-version" not in request.headers:
        yield "anthropic-version: header is required"
    for name in ("model", "max_tokens", "messages"):
        if not body.get(name):
            yield f"{name}: Field required"
    for name in body.keys() - _FIELDS:
        yield f"{name}: Extra inputs are not permitted"
    temperature = body.get("temperature", 1)
    if not (isinstance(temperature, (int, float)) and 0 <= temperature <= 1):
        yield "temperature: range: 0..1"
    yield from _conversation(request.messages)
    output = body.get("output_config")
    wanted = output.get("format") if isinstance(output, dict) else None
    if isinstance(wanted, dict):
        yield from _grammar(wanted.get("schema"))


def _conversation(messages: list[JsonObject]) -> Iterator[str]:
    called: set[JsonValue] = set()
    for index, message in enumerate(messages):
        if message.get("role") not in ("user", "assistant") or message.keys() != {"role", "content"}:
            yield f"messages.{index}: Input should be a turn of user or assistant"
        answered: set[JsonValue] = set()
        calls: set[JsonValue] = set()
        for block in _objects(message.get("content")):
            kind = block.get("type")
            text = block.get("text")
            if kind == "text" and not (isinstance(text, str) and text.strip()):
                yield f"messages.{index}: text content blocks must be non-empty"
            if kind == "tool_result":
                answered.add(_word(block.get("tool_use_id")))
            if kind == "tool_use":
                calls.add(_word(block.get("id")))
        if answered != called:
            yield f"messages.{index}: each `tool_use` must have a corresponding `tool_result` in the next message"
        called = calls
    if called or (messages and messages[-1].get("role") != "user"):
        yield "messages: the last turn is the user's: this model does not support assistant message prefill"


def _grammar(schema: JsonValue) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield "output_config.format.schema: a schema is an object"
        return
    for keyword in schema.keys() - _GRAMMAR:
        yield f"output_config.format.schema: property '{keyword}' is not supported"
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        yield "output_config.format.schema: For 'object' type, 'additionalProperties' must be false"
    for key in ("properties", "$defs", "definitions"):
        inner = schema.get(key)
        for each in inner.values() if isinstance(inner, dict) else ():
            yield from _grammar(each)
    for key in ("anyOf", "allOf"):
        for each in _objects(schema.get(key)):
            yield from _grammar(each)
    if "items" in schema:
        yield from _grammar(schema["items"])


def _word(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _objects(value: JsonValue) -> list[JsonObject]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
