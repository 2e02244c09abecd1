"""The most tokens that a prompt can have, without a tokenizer.

Byte-level BPE never makes more than one token of one byte, so the UTF-8 bytes of all text bound
its tokens. What a provider's template adds is bounded by constants, measured on the templates that
are public (tests/vectors/deepseek_prompt_tokens.json). It costs a few microseconds and is about
four times too high for English: a hold may be, a cost never.
"""

from dataclasses import dataclass

import orjson

from router.errors import InvalidRequestError
from router.image_tokens import IMAGE_TOKENS_DEAREST
from router.json_types import JsonValue

TOKENS_PER_REQUEST = 160
"""Before and after all messages. DeepSeek V4 tells the model how hard to think (92 tokens at
effort `max`) and that JSON is wanted (21); ChatML and OpenAI's format add 3."""
TOKENS_PER_MESSAGE = 16
"""Separators: OpenAI's chat format adds 3 a message, DeepSeek's and ChatML's up to 6, a tool's
result 12."""
TOKENS_PER_TOOLBOX = 1_024
"""Once, where there are tools: how to call them. DeepSeek's explanation has 220 tokens, Anthropic's
up to 530."""
TOKENS_PER_TOOL = 32
TOKENS_PER_ARGUMENT = 24
"""DeepSeek writes each argument of a past tool call between tags of 16 tokens, far more than JSON's
punctuation."""

_ASCII = bytes(range(128))
_UNBOUNDED_KEYS = frozenset({"audio", "input_audio", "file", "video_url"})


@dataclass(frozen=True, slots=True)
class PromptBound:
    """Upper bounds, in tokens."""

    text_tokens: int
    image_tokens: int
    """`images` at the dearest model's price; `image_tokens_max` says what a known model charges."""
    images: int = 0


def prompt_tokens_bound(messages: JsonValue, tools: JsonValue, schema: JsonValue) -> PromptBound:
    """Bound a chat request's prompt; `schema` is the JSON schema that the answer must obey, or None.

    Raises InvalidRequestError for what has no bound yet (audio, files, video) and for tools or a
    schema that cannot be written as JSON again (nested deeper than 254 levels).
    """
    text, images = TOKENS_PER_REQUEST, 0
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        text += TOKENS_PER_MESSAGE
        if not isinstance(message, dict):
            continue
        for key, value in message.items():
            if isinstance(value, str):
                text += utf8_length(value)
            elif value is None:
                continue
            elif key == "content" and isinstance(value, list):
                part_text, part_images = _parts(value, index)
                text += part_text
                images += part_images
            elif key in _UNBOUNDED_KEYS:
                raise _unbounded(f"messages[{index}].{key}", key)
            else:
                place = f"messages[{index}].{key}"
                text += _json_bound(value, place) + TOKENS_PER_ARGUMENT * tool_arguments(value)
    if tools:
        text += TOKENS_PER_TOOLBOX + TOKENS_PER_TOOL * (len(tools) if isinstance(tools, list) else 1)
        text += _json_bound(tools, "tools")
    if schema is not None:
        text += _json_bound(schema, "response_format.json_schema.schema")
    return PromptBound(text, images * IMAGE_TOKENS_DEAREST, images)


def utf8_length(text: str) -> int:
    """Bytes of `text` in UTF-8; half a surrogate pair counts as the three bytes that stand for it."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _json_bound(value: JsonValue, place: str) -> int:
    """Bound the tokens of JSON that a template writes anew, in its own way.

    Compact JSON, and what others put between: a space after a colon, a line break and a run of
    spaces (two tokens) after a comma and on either side of each bracket. A character beyond ASCII
    may be written as `\\uXXXX`: three times its bytes at most.
    """
    try:
        data = orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise InvalidRequestError(
            f"{place} cannot be passed on as JSON ({str(error)[:80]}); nest it less deeply", param=place
        ) from None
    between = data.count(b":") + 2 * data.count(b",") + 4 * (data.count(b"{") + data.count(b"["))
    beyond_ascii = 0 if data.isascii() else len(data.translate(None, _ASCII))
    return len(data) + between + 2 * beyond_ascii


def tool_arguments(calls: JsonValue) -> int:
    """How many arguments past tool calls have together, at most. `calls` is a message's `tool_calls`
    or its old `function_call`."""
    found = 0
    for call in calls if isinstance(calls, list) else (calls,):
        if isinstance(call, dict):
            function = call.get("function", call)
            arguments = function.get("arguments") if isinstance(function, dict) else None
            if isinstance(arguments, str):
                found += _members(arguments)
    return found


def _members(arguments: str) -> int:
    try:
        parsed = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return arguments.count(":")  # a model may have written half of an object: each member has one
    return len(parsed) if isinstance(parsed, dict) else 1


def _parts(parts: list[JsonValue], message: int) -> tuple[int, int]:
    text, images = 0, 0
    for index, part in enumerate(parts):
        if not isinstance(part, dict):
            continue
        kind = part.get("type")
        place = f"messages[{message}].content[{index}]"
        if kind == "image_url":
            _refuse_no_image(part.get("image_url"), f"{place}.image_url")
            images += 1
        elif kind in ("text", "refusal"):
            for value in part.values():
                text += utf8_length(value) if isinstance(value, str) else _json_bound(value, place)
        else:
            raise _unbounded(place, str(kind)[:40])
    return text, images


def _refuse_no_image(image: JsonValue, place: str) -> None:
    """An image is an address, as OpenAI's object or, to some servers, by itself."""
    url, detail = (image.get("url"), image.get("detail")) if isinstance(image, dict) else (image, None)
    if not isinstance(url, str) or not url:
        at = f"{place}.url" if isinstance(image, dict) and "url" in image else place
        raise InvalidRequestError(
            f'{at} names no image; write {{"url": "https://..."}}, or an address that begins with data:',
            param=at,
        )
    if not isinstance(detail, (str, type(None))):
        raise InvalidRequestError(
            f"{place}.detail is no text; write auto, low or high", param=f"{place}.detail"
        )


def _unbounded(place: str, kind: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{place} has the type '{kind}', whose tokens cannot be bounded; send text or image_url",
        param=f"{place}.type" if place.endswith("]") else place,
    )
