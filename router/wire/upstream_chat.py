"""What an OpenAI-shaped provider is sent: the caller's body, with the route's own ways.

Routes differ in how a schema is asked of them. Sources: OpenAI's API reference; DeepSeek's guide
and public issues (its chat API refuses `json_schema`, and a forced tool while it thinks).
"""

import orjson

from router.call import Call
from router.catalog import Dialect, SchemaMode
from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue
from router.request import AnswerShape, SchemaAsked

SCHEMA_PROMPT = (
    "Answer with one JSON object that obeys this JSON schema, and with nothing else: "
    "no fence, no explanation.\nJSON schema:\n"
)


def render_chat(call: Call) -> bytes:
    """Write the body for `call`'s route. Raises InvalidRequestError for what the route cannot do."""
    request, route = call.request, call.route
    body: JsonObject = dict(request.body)
    body["model"] = route.upstream_model
    body.pop("max_tokens", None)
    body.pop("max_completion_tokens", None)
    body["max_completion_tokens" if route.dialect is Dialect.OPENAI else "max_tokens"] = call.max_tokens
    if request.stream:
        options = body.get("stream_options")
        body["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    if route.dialect is not Dialect.OPENAI:
        _rename_developer(body)
    if route.dialect is Dialect.DEEPSEEK:
        _add_reasoning(body)
        if _forces_a_tool(body):
            body["thinking"] = {"type": "disabled"}
    if request.schema is not None and call.plain_schema is not None:
        _ask_for_schema(body, call, request.schema, call.plain_schema)
        if route.logprobs and not request.wants_logprobs:
            body["logprobs"] = True
    return orjson.dumps(body)


def asks_by_tool(call: Call) -> bool:
    """Whether the caller wants content but the route is asked by a tool, so that its answer must be moved."""
    schema = call.request.schema
    return (
        schema is not None
        and schema.shape is AnswerShape.CONTENT
        and call.route.schema_mode is SchemaMode.TOOL
    )


def adds_logprobs(call: Call) -> bool:
    """Whether log-probabilities were asked for by us alone, so that the caller must not see them."""
    return call.request.schema is not None and call.route.logprobs and not call.request.wants_logprobs


def _ask_for_schema(body: JsonObject, call: Call, asked: SchemaAsked, schema: JsonObject) -> None:
    mode, deepseek = call.route.schema_mode, call.route.dialect is Dialect.DEEPSEEK
    if asked.shape is AnswerShape.TOOL:
        body["tools"] = [_with_parameters(tool, asked.name, schema) for tool in _tools(body)]
        return
    if mode is SchemaMode.JSON_SCHEMA:
        given = body["response_format"]
        inner = given["json_schema"] if isinstance(given, dict) else {}
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {
                **(inner if isinstance(inner, dict) else {}),
                "name": asked.name,
                "schema": schema,
            },
        }
        return
    if deepseek:
        body["thinking"] = {"type": "disabled"}
    if mode is SchemaMode.TOOL:
        if call.request.has_tools:
            raise InvalidRequestError(
                f"route '{call.route.name}' is asked for a schema by a tool and so takes no tools beside response_format",
                param="tools",
            )
        del body["response_format"]
        body["tools"] = [
            {"type": "function", "function": {"name": asked.name, "parameters": schema, "strict": True}}
        ]
        body["tool_choice"] = {"type": "function", "function": {"name": asked.name}}
        return
    messages = body["messages"]
    prompt: JsonObject = {"role": "system", "content": SCHEMA_PROMPT + orjson.dumps(schema).decode()}
    body["messages"] = [prompt, *(messages if isinstance(messages, list) else [])]
    if mode is SchemaMode.JSON_OBJECT:
        body["response_format"] = {"type": "json_object"}
    else:
        del body["response_format"]


def _forces_a_tool(body: JsonObject) -> bool:
    """DeepSeek refuses `required` and a named tool while it thinks."""
    choice = body.get("tool_choice")
    return choice == "required" or isinstance(choice, dict)


def _tools(body: JsonObject) -> list[JsonValue]:
    tools = body.get("tools")
    return tools if isinstance(tools, list) else []


def _with_parameters(tool: JsonValue, name: str, schema: JsonObject) -> JsonValue:
    if isinstance(tool, dict):
        function = tool.get("function")
        if isinstance(function, dict) and function.get("name") == name:
            return {**tool, "function": {**function, "parameters": schema}}
    return tool


def _add_reasoning(body: JsonObject) -> None:
    """DeepSeek refuses a past tool call without `reasoning_content`, which OpenAI's clients do not keep."""
    messages = body["messages"]
    body["messages"] = [
        {"reasoning_content": "", **message}
        if isinstance(message, dict) and message.get("tool_calls")
        else message
        for message in (messages if isinstance(messages, list) else [])
    ]


def _rename_developer(body: JsonObject) -> None:
    """Only OpenAI knows the role `developer`; elsewhere it is `system`."""
    messages = body["messages"]
    if isinstance(messages, list) and any(
        isinstance(message, dict) and message.get("role") == "developer" for message in messages
    ):
        body["messages"] = [
            {**message, "role": "system"}
            if isinstance(message, dict) and message.get("role") == "developer"
            else message
            for message in messages
        ]
