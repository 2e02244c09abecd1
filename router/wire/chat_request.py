"""OpenAI's chat completion request, and what it becomes.

`chat_fields` checks the types of what we know, `closed_fields` refuses what would loosen a decision,
and everything else passes to the provider untouched. Source: OpenAI's API reference, November 2026.
"""

from dataclasses import replace

import orjson

from router.bounds import PromptBound, prompt_tokens_bound
from router.errors import InvalidRequestError
from router.json_types import JsonObject
from router.request import AnswerShape, ChatRequest, Message, SchemaAsked
from router.wire.chat_fields import ChatFields, MessageFields, check_fields
from router.wire.closed_fields import refuse_closed_fields
from router.wire.declared import read_declared
from router.wire.json_body import read_json_object

ENDPOINT = "chat.completions"

_NO_PROMPT = frozenset(
    [
        "model",
        "messages",
        "tools",
        "tool_choice",
        "response_format",
        "steelyard",
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "n",
        "temperature",
        "top_p",
        "logprobs",
        "top_logprobs",
        "stop",
        "seed",
        "user",
        "metadata",
        "store",
        "frequency_penalty",
        "presence_penalty",
        "logit_bias",
        "parallel_tool_calls",
        "reasoning_effort",
        "thinking",
        "service_tier",
        "verbosity",
        "prompt_cache_key",
        "safety_identifier",
    ]
)
"""Fields that add no tokens to the prompt, or are bounded by themselves."""


def read_chat_request(body: bytes, headers: dict[bytes, bytes]) -> ChatRequest:
    """Read a chat request from its body and the `x-steelyard-*` headers.

    Raises InvalidRequestError, with the field's path in `param`.
    """
    document = read_json_object(body)
    chat = check_fields(document)
    refuse_closed_fields(document)
    messages = tuple(_message(index, message) for index, message in enumerate(chat.messages))
    schema = _schema_asked(chat, document)
    forwarded = {key: value for key, value in document.items() if key != "steelyard"}
    return ChatRequest(
        endpoint=ENDPOINT,
        model=chat.model,
        messages=messages,
        body=forwarded,
        bound=_bound(document, schema),
        stream=bool(chat.stream),
        include_usage=chat.stream_options is not None and chat.stream_options.include_usage,
        max_tokens=_output_limit(chat),
        choices=chat.n or 1,
        schema=schema,
        has_tools=bool(chat.tools),
        wants_logprobs=bool(chat.logprobs),
        declared=read_declared(chat.steelyard, headers, len(messages)),
    )


def _bound(document: JsonObject, schema: SchemaAsked | None) -> PromptBound:
    """Bound the prompt; a field that we do not know may reach it too, and counts with its bytes."""
    bound = prompt_tokens_bound(
        document["messages"], document.get("tools"), schema.schema if schema is not None else None
    )
    unknown = {key: value for key, value in document.items() if key not in _NO_PROMPT}
    if not unknown:
        return bound
    return replace(bound, text_tokens=bound.text_tokens + len(orjson.dumps(unknown)))


def _output_limit(chat: ChatFields) -> int | None:
    limits = [limit for limit in (chat.max_tokens, chat.max_completion_tokens) if limit is not None]
    return min(limits) if limits else None


def _message(index: int, message: MessageFields) -> Message:
    content = message.content
    if isinstance(content, str):
        return Message(message.role, content)
    if content is None:
        if message.role == "assistant":
            return Message(message.role, "")
        raise InvalidRequestError(
            f"messages[{index}] has no content; a '{message.role}' message needs text or parts",
            param=f"messages[{index}].content",
        )
    if not content:
        raise InvalidRequestError(
            f"messages[{index}].content is an empty list", param=f"messages[{index}].content"
        )
    return Message(message.role, "\n".join(part.text for part in content if part.text is not None))


def _schema_asked(chat: ChatFields, document: JsonObject) -> SchemaAsked | None:
    asked = chat.response_format
    if asked is not None and asked.type == "json_schema":
        if asked.json_schema is None or asked.json_schema.schema_ is None:
            raise InvalidRequestError(
                "response_format asks for json_schema but holds no schema",
                param="response_format.json_schema.schema",
            )
        schema = _json_object(asked.json_schema.schema_)
        return SchemaAsked(asked.json_schema.name, schema, AnswerShape.CONTENT)
    return _forced_tool(document)


def _forced_tool(document: JsonObject) -> SchemaAsked | None:
    """A named tool_choice forces one tool: its parameters are the answer's schema."""
    choice = document.get("tool_choice")
    if not isinstance(choice, dict):
        return None
    kind = choice.get("type", "function")
    if not isinstance(kind, str):
        raise InvalidRequestError("tool_choice.type is no text; write function", param="tool_choice.type")
    if kind != "function":
        return None  # `allowed_tools` and `custom` force no schema
    function = choice.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str):
        raise InvalidRequestError("tool_choice names no function", param="tool_choice.function.name")
    tools = document.get("tools")
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        offered = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(offered, dict) and offered.get("name") == name:
            parameters = offered.get("parameters")
            if not isinstance(parameters, dict):
                return None
            return SchemaAsked(name, parameters, AnswerShape.TOOL, f"tools[{index}].function.parameters")
    raise InvalidRequestError(
        f"tool_choice forces the tool '{name[:64]}', which tools does not offer",
        param="tool_choice.function.name",
    )


def _json_object(value: dict[str, object]) -> JsonObject:
    parsed: JsonObject = orjson.loads(orjson.dumps(value))
    return parsed
