"""What a choice says, in OpenAI's shape: in a whole answer its `message`, in a stream its `delta`.

Two questions, two answers: the text that a schema is about, and everything that was generated,
which is what an estimate of the tokens counts.
"""

from router.call import Call
from router.json_types import JsonObject, JsonValue
from router.request import AnswerShape
from router.wire.upstream_chat import asks_by_tool
from verifiers.tokens import TokenLogprob

_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


def choices_of(body: JsonObject) -> list[JsonObject]:
    """The choices of an answer or a chunk; what is no object is left out."""
    choices = body.get("choices")
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def said_in(choice: JsonObject) -> JsonObject:
    """A choice's message or delta."""
    for key in ("delta", "message"):
        said = choice.get(key)
        if isinstance(said, dict):
            return said
    return {}


def index_of(choice: JsonObject) -> int:
    """A choice's (or a tool call's) number; some servers leave a lone one's out."""
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def says_something(choice: JsonObject) -> bool:
    """Whether a choice holds generated tokens: text, thoughts or a tool's call; a role alone is none."""
    said = said_in(choice)
    return any(said.get(key) for key in (*_TEXTS, "tool_calls", "function_call"))


def everything_said(choice: JsonObject) -> str:
    """All generated text: answer, thoughts, refusal, the names and arguments of all tools."""
    said = said_in(choice)
    calls = said.get("tool_calls")
    functions = [call.get("function") for call in _objects(calls)] + [said.get("function_call")]
    parts = [said.get(key) for key in _TEXTS]
    parts += [function.get(key) for function in _objects(functions) for key in ("name", "arguments")]
    return "".join(part for part in parts if isinstance(part, str))


def answer_text(call: Call, said: JsonObject) -> str | None:
    """The text that the request's schema is about; None if there is none."""
    if expects_a_tool(call):
        arguments = first_tool_arguments(said)
        if arguments is not None:
            return arguments
    content = said.get("content")
    return content if isinstance(content, str) else None


def expects_a_tool(call: Call) -> bool:
    """Whether the answer should stand in a tool's arguments."""
    schema = call.request.schema
    return (schema is not None and schema.shape is AnswerShape.TOOL) or asks_by_tool(call)


def first_tool_arguments(said: JsonObject) -> str | None:
    """The arguments of the first tool called, or the part of them that a delta brings."""
    for call in _objects(said.get("tool_calls")):
        function = call.get("function")
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if isinstance(arguments, str) and index_of(call) == 0:
            return arguments
    return None


def logprobs_of(choice: JsonObject) -> tuple[TokenLogprob, ...]:
    """The tokens of a choice's content with their log-probabilities; () where it tells none."""
    logprobs = choice.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    found: list[TokenLogprob] = []
    for token in _objects(content):
        text, logprob = token.get("token"), token.get("logprob")
        if isinstance(text, str) and isinstance(logprob, (int, float)):
            found.append(TokenLogprob(text, float(logprob)))
    return tuple(found)


def _objects(value: JsonValue) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
