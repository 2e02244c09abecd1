"""The fields of OpenAI's chat completion request that have a type here, and the sentence for a wrong one.

Everything else passes to the provider untouched, known to us or not. Source: OpenAI's API
reference, November 2026.
"""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from router.errors import InvalidRequestError
from router.json_types import JsonObject
from router.wire.declared import SteelyardObject

CHOICES_MAX = 16
MESSAGES_MAX = 4_096
PATH_CHARS_MAX = 200
PENALTY_MAX = 2


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Part(_Open):
    """A part of a message's content."""

    type: StrictStr
    text: StrictStr | None = None
    refusal: StrictStr | None = None


class _FunctionCalled(_Open):
    name: StrictStr
    arguments: StrictStr | dict[str, object] | None = None


class _ToolCall(_Open):
    """A past call. One of another type than `function` has what it calls elsewhere."""

    id: StrictStr | None = None
    type: StrictStr | None = None
    function: _FunctionCalled | None = None


class MessageFields(_Open):
    """One turn."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: StrictStr | list[Part] | None = None
    name: StrictStr | None = None
    refusal: StrictStr | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_call_id: StrictStr | None = None
    function_call: _FunctionCalled | None = None


class _FunctionOffered(_Open):
    name: StrictStr
    description: StrictStr | None = None
    parameters: dict[str, object] | None = None
    strict: StrictBool | None = None


class _Tool(_Open):
    """Which types there may be is a matter of `closed_fields`."""

    function: _FunctionOffered | None = None


class _JsonSchema(_Open):
    name: StrictStr = "answer"
    schema_: dict[str, object] | None = Field(default=None, alias="schema")
    strict: StrictBool | None = None


class _ResponseFormat(_Open):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _JsonSchema | None = None


class _StreamOptions(_Open):
    include_usage: StrictBool = False


_Limit = Annotated[StrictInt, Field(ge=1, le=10_000_000)]
_Number = Annotated[float, Strict()]
_Penalty = Annotated[float, Strict(), Field(ge=-PENALTY_MAX, le=PENALTY_MAX)]


class ChatFields(_Open):
    """What we act on first, then what we only pass on."""

    model: Annotated[StrictStr, Field(min_length=1, max_length=256)]
    messages: Annotated[list[MessageFields], Field(min_length=1, max_length=MESSAGES_MAX)]
    stream: StrictBool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: _Limit | None = None
    max_completion_tokens: _Limit | None = None
    n: Annotated[StrictInt, Field(ge=1, le=CHOICES_MAX)] | None = None
    logprobs: StrictBool | None = None
    response_format: _ResponseFormat | None = None
    tools: list[_Tool] | None = None
    tool_choice: StrictStr | dict[str, object] | None = None
    steelyard: SteelyardObject | None = None

    temperature: Annotated[float, Strict(), Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Strict(), Field(ge=0, le=1)] | None = None
    top_logprobs: StrictInt | None = None
    stop: StrictStr | list[StrictStr] | None = None
    seed: StrictInt | None = None
    frequency_penalty: _Penalty | None = None
    presence_penalty: _Penalty | None = None
    logit_bias: dict[str, _Number] | None = None
    parallel_tool_calls: StrictBool | None = None
    reasoning_effort: StrictStr | None = None
    verbosity: StrictStr | None = None
    user: StrictStr | None = None
    store: StrictBool | None = None
    metadata: dict[str, object] | None = None
    prompt_cache_key: StrictStr | None = None
    safety_identifier: StrictStr | None = None
    functions: list[_FunctionOffered] | None = None
    function_call: StrictStr | dict[str, object] | None = None


def check_fields(document: JsonObject) -> ChatFields:
    """Check a request's fields; InvalidRequestError names the first that is wrong, by its path."""
    try:
        return ChatFields.model_validate(document)
    except ValidationError as error:
        raise _explain(error) from None


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
