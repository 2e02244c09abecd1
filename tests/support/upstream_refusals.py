"""What real providers refuse, so that a gateway that sends it is found out.

OpenAI's refusals are from its API reference; DeepSeek's from public issues: `json_schema`
(llm-exe#662, oil-oil/wolfcha#67), a forced tool while thinking (deepseek-ai/DeepSeek-V3#1376), the
role `developer` (decolua/9router#773), and from its guides: `json_object` without the word, tool
turns without `reasoning_content`.
"""

from collections.abc import Iterator

from router.json_types import JsonValue
from support.upstream_script import BAD_REQUEST, UNAUTHORIZED, Behaviour, Received

ONE_MODEL = "/engine/"
"""Beneath this path stands an engine of one model, which needs no name."""


def refusal(request: Received, api_key: str | None, *, deepseek: bool) -> Behaviour | None:
    """The refusal that a request earns before any script is asked, or None."""
    if api_key is not None and request.headers.get("authorization") != f"Bearer {api_key}":
        return UNAUTHORIZED
    reasons = [*_everywhere(request), *(_by_deepseek(request) if deepseek else ())]
    if not reasons:
        return None
    return Behaviour(status=400, error_code=BAD_REQUEST.error_code, error_message=reasons[0])


def thinks(request: Received) -> bool:
    """Whether DeepSeek would think about this request: the default, unless told not to."""
    thinking = request.json.get("thinking")
    return not (isinstance(thinking, dict) and thinking.get("type") == "disabled")


def _everywhere(request: Received) -> Iterator[str]:
    body = request.json
    if not body:
        yield "The body is not a JSON object."
    if not request.model and not request.path.startswith(ONE_MODEL):
        yield "you must provide a model parameter"
    if not request.messages:
        yield "Invalid 'messages': empty array."
    if "steelyard" in body:
        yield "Unrecognized request argument supplied: steelyard"
    if "stream_options" in body and not request.stream:
        yield "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    if _kind_of(body.get("response_format")) == "json_object" and "json" not in request.prompt_text.lower():
        yield "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'."


def _by_deepseek(request: Received) -> Iterator[str]:
    body = request.json
    for index, message in enumerate(request.messages):
        if message.get("role") == "developer":
            yield f"Failed to deserialize the JSON body: messages[{index}].role: unknown variant `developer`"
        if thinks(request) and message.get("tool_calls") and "reasoning_content" not in message:
            yield "The `reasoning_content` in the thinking mode must be passed back to the API."
    if _kind_of(body.get("response_format")) == "json_schema":
        yield "This response_format type is unavailable now"
    choice = body.get("tool_choice")
    if thinks(request) and (choice == "required" or isinstance(choice, dict)):
        yield "Thinking mode does not support this tool_choice"


def _kind_of(response_format: JsonValue) -> JsonValue:
    return response_format.get("type") if isinstance(response_format, dict) else None
