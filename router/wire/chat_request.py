"""OpenAI's chat completion request: what we check of it, and what it becomes.

Only the fields that the gateway acts on are checked here; everything else passes to the provider
untouched, known to us or not. Source: OpenAI's API reference, November 2026.
"""

from dataclasses import replace
from typing import Annotated, Literal

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from policies.facts import Label
from router.bounds import PromptBound, prompt_tokens_bound
from router.errors import InvalidRequestError
from router.json_types import JsonObject
from router.request import AnswerShape, ChatRequest, Declared, Message, SchemaAsked
from router.wire.json_body import read_json_object

ENDPOINT = "chat.completions"
CHOICES_MAX = 16
MESSAGES_MAX = 4_096
PATH_CHARS_MAX = 200


def _printable(text: str) -> str:
    """These words stand in headers and rows."""
    if not text.isprintable():
        raise ValueError("must be printable characters")
    return text


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Part(_Open):
    type: StrictStr
    text: StrictStr | None = None


class _Message(_Open):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: StrictStr | list[_Part] | None = None


class _JsonSchema(_Open):
    name: StrictStr = "answer"
    schema_: dict[str, object] | None = Field(default=None, alias="schema")


class _ResponseFormat(_Open):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _JsonSchema | None = None


class _StreamOptions(_Open):
    include_usage: StrictBool = False


class _DocumentRef(_Closed):
    message: Annotated[StrictInt, Field(ge=0)]


_Word = Annotated[StrictStr, Field(min_length=1, max_length=64), AfterValidator(_printable)]
_Name = Annotated[StrictStr, Field(min_length=1, max_length=128), AfterValidator(_printable)]


class _Steelyard(_Closed):
    task: _Word | None = None
    label: Label | None = None
    purpose: _Word | None = None
    conversation: _Name | None = None
    document: _DocumentRef | None = None
    return_: StrictBool = Field(default=False, alias="return")


_Limit = Annotated[StrictInt, Field(ge=1, le=10_000_000)]


class _Chat(_Open):
    model: Annotated[StrictStr, Field(min_length=1, max_length=256)]
    messages: Annotated[list[_Message], Field(min_length=1, max_length=MESSAGES_MAX)]
    stream: StrictBool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: _Limit | None = None
    max_completion_tokens: _Limit | None = None
    n: Annotated[StrictInt, Field(ge=1, le=CHOICES_MAX)] | None = None
    logprobs: StrictBool | None = None
    temperature: Annotated[float, Strict(), Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Strict(), Field(ge=0, le=1)] | None = None
    response_format: _ResponseFormat | None = None
    tools: list[dict[str, object]] | None = None
    tool_choice: StrictStr | dict[str, object] | None = None
    steelyard: _Steelyard | None = None


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
        "web_search_options",
    ]
)
"""Fields that add no tokens to the prompt, or are bounded by themselves."""
_NOTHING_DECLARED = Declared()


def read_chat_request(body: bytes, headers: dict[bytes, bytes]) -> ChatRequest:
    """Read a chat request from its body and the `x-steelyard-*` headers.

    Raises InvalidRequestError, with the field's path in `param`.
    """
    document = read_json_object(body)
    try:
        chat = _Chat.model_validate(document)
    except ValidationError as error:
        raise _explain(error) from None
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
        declared=_declared(chat.steelyard, headers, len(messages)),
    )


def _bound(document: JsonObject, schema: SchemaAsked | None) -> PromptBound:
    """Bound the prompt; a field that we do not know may reach it too, and counts with its bytes."""
    bound = prompt_tokens_bound(
        document["messages"], document.get("tools"), schema.schema if schema is not None else None
    )
    if document.get("web_search_options") is not None:  # {} asks for a search too
        raise InvalidRequestError(
            "web_search_options cannot be held for: a search's price is not a token's; leave it out",
            param="web_search_options",
        )
    if document.get("service_tier") == "priority":
        raise InvalidRequestError(
            "service_tier 'priority' has prices of its own, which no route states; leave it out",
            param="service_tier",
        )
    unknown = {key: value for key, value in document.items() if key not in _NO_PROMPT}
    if not unknown:
        return bound
    return replace(bound, text_tokens=bound.text_tokens + len(orjson.dumps(unknown)))


def _output_limit(chat: _Chat) -> int | None:
    limits = [limit for limit in (chat.max_tokens, chat.max_completion_tokens) if limit is not None]
    return min(limits) if limits else None


def _message(index: int, message: _Message) -> Message:
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


def _schema_asked(chat: _Chat, document: JsonObject) -> SchemaAsked | None:
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
    if not isinstance(choice, dict) or choice.get("type", "function") != "function":
        return None  # `allowed_tools` and `custom` force no schema
    function = choice.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str):
        raise InvalidRequestError("tool_choice names no function", param="tool_choice.function.name")
    tools = document.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        offered = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(offered, dict) and offered.get("name") == name:
            parameters = offered.get("parameters")
            return SchemaAsked(name, parameters, AnswerShape.TOOL) if isinstance(parameters, dict) else None
    raise InvalidRequestError(
        f"tool_choice forces the tool '{name[:64]}', which tools does not offer",
        param="tool_choice.function.name",
    )


def _json_object(value: dict[str, object]) -> JsonObject:
    parsed: JsonObject = orjson.loads(orjson.dumps(value))
    return parsed


def _declared(steelyard: _Steelyard | None, headers: dict[bytes, bytes], message_count: int) -> Declared:
    if steelyard is None and not any(name.startswith(b"x-steelyard-") for name in headers):
        return _NOTHING_DECLARED
    body = steelyard if steelyard is not None else _Steelyard()
    if body.document is not None and body.document.message >= message_count:
        raise InvalidRequestError(
            f"steelyard.document.message is {body.document.message}, but there are {message_count} messages, counted from 0",
            param="steelyard.document.message",
        )
    return Declared(
        task=body.task or _header(headers, b"x-steelyard-task", 64),
        label=_stricter(body.label, _header(headers, b"x-steelyard-label", 64)),
        purpose=body.purpose or _header(headers, b"x-steelyard-purpose", 64),
        conversation=body.conversation or _header(headers, b"x-steelyard-conversation", 128),
        document_message=body.document.message if body.document is not None else None,
        return_details=body.return_,
    )


def _stricter(in_body: Label | None, in_header: str | None) -> Label | None:
    if in_header is None:
        return in_body
    labels = list(Label)
    if in_header not in labels:
        raise InvalidRequestError(
            f"x-steelyard-label is '{in_header}'; it is one of {', '.join(labels)}", param="x-steelyard-label"
        )
    header_label = Label(in_header)
    return header_label if in_body is None else max(in_body, header_label, key=labels.index)


def _header(headers: dict[bytes, bytes], name: bytes, length_max: int) -> str | None:
    value = headers.get(name)
    if value is None:
        return None
    text = value.decode("latin-1")
    if not 0 < len(text) <= length_max or not text.isprintable():
        raise InvalidRequestError(
            f"the header {name.decode()} must be 1 to {length_max} printable characters", param=name.decode()
        )
    return text


def _explain(error: ValidationError) -> InvalidRequestError:
    """Name the deepest field at fault; the value itself is never repeated."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    fault = max(faults, key=lambda each: len(_real(each["loc"])))
    path = ""
    for step in fault["loc"] if fault["type"] == "extra_forbidden" else _real(fault["loc"]):
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    path = path[:PATH_CHARS_MAX]
    if fault["type"] == "extra_forbidden":
        message = f"unknown key {path}; the steelyard object knows task, label, purpose, conversation, document and return"
    elif fault["type"] == "missing":
        message = f"{path} is missing"
    else:
        message = f"{path}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"
    return InvalidRequestError(message, param=path or None)


def _real(location: tuple[int | str, ...]) -> list[int | str]:
    """Drop pydantic's names of union members from an error's location."""
    return [
        step
        for step in location
        if isinstance(step, int) or not (step == "str" or "[" in step or "-" in step)
    ]
