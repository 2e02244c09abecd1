"""What Anthropic's Messages API is sent for a chat request.

A schema is asked as the route says: in Anthropic's own field (`output_config.format`, a grammar that
the answer must obey), by a forced tool whose arguments are the answer, or in the prompt. Source:
anthropic-sdk-python 2.14.0 (`types/message_create_params.py`), November 2026.
"""

import orjson

from router.call import Call
from router.catalog import SchemaMode
from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue
from router.request import AnswerShape
from router.wire.anthropic_conversation import read_conversation
from router.wire.anthropic_fields import refuse_untranslatable, translated_fields
from router.wire.anthropic_schema import closed_schema
from router.wire.anthropic_tools import forced_tool, tool_fields
from router.wire.upstream_chat import SCHEMA_PROMPT

JSON_PROMPT = "Answer with one JSON object and with nothing else: no fence, no explanation."


def render_messages(call: Call) -> bytes:
    """Write the body for `call`'s route. Raises InvalidRequestError for what Anthropic's API cannot do,
    with the field in `param`."""
    request, route = call.request, call.route
    refuse_untranslatable(request.body, route.name)
    conversation = read_conversation(request.body.get("messages"))
    body: JsonObject = {
        "model": route.upstream_model,
        "max_tokens": call.max_tokens,
        "messages": conversation.turns,
        **translated_fields(request.body),
        **tool_fields(request.body, request.schema, call.plain_schema),
    }
    system = [*_asked_in_the_prompt(call), *conversation.system]
    if system:
        body["system"] = system
    if request.stream:
        body["stream"] = True
    if request.schema is not None and request.schema.shape is AnswerShape.CONTENT:
        _ask_for_schema(body, call)
    return orjson.dumps(body)


def _asked_in_the_prompt(call: Call) -> list[JsonValue]:
    """What Anthropic's API has no field for: JSON without a schema, or a schema where the route says so."""
    asked, schema = call.request.schema, call.plain_schema
    text = ""
    if asked is not None and asked.shape is AnswerShape.CONTENT and schema is not None:
        if call.route.schema_mode in (SchemaMode.JSON_OBJECT, SchemaMode.NONE):
            text = SCHEMA_PROMPT + orjson.dumps(schema).decode()
    else:
        wanted = call.request.body.get("response_format")
        if isinstance(wanted, dict) and wanted.get("type") == "json_object":
            text = JSON_PROMPT
    return [{"type": "text", "text": text}] if text else []


def _ask_for_schema(body: JsonObject, call: Call) -> None:
    asked, schema = call.request.schema, call.plain_schema
    if asked is None or schema is None:
        return
    if call.route.schema_mode is SchemaMode.JSON_SCHEMA:
        closed = closed_schema(schema, "response_format.json_schema.schema")
        given = body.get("output_config")
        body["output_config"] = {
            **(given if isinstance(given, dict) else {}),
            "format": {"type": "json_schema", "schema": closed},
        }
    elif call.route.schema_mode is SchemaMode.TOOL:
        if call.request.has_tools:
            raise InvalidRequestError(
                f"route '{call.route.name}' is asked for a schema by a tool and so takes no tools beside response_format",
                param="tools",
            )
        body.update(forced_tool(asked.name, schema))
