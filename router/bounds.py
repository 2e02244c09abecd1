"""The most tokens that a prompt can have, without a tokenizer.

Byte-level BPE never makes more than one token of one byte, so the UTF-8 bytes of all text bound
the tokens of it. What templates add is bounded by a constant a message and a tool; a JSON schema
and tool definitions count with the bytes of their JSON. Images count by a table. It costs a few
microseconds and is about four times too high for English: a hold may be, a cost never.
"""

from dataclasses import dataclass

import orjson

from router.errors import InvalidRequestError
from router.json_types import JsonValue

TOKENS_PER_MESSAGE = 16
"""Role words and separators: OpenAI's chat format adds 3 to 4 a message, DeepSeek's and ChatML's up
to 6, tool calls a few more."""
TOKENS_PER_REQUEST = 32
TOKENS_PER_TOOL = 32
TOKENS_PER_IMAGE = 2_048
"""OpenAI counts 85 + 170 a tile, at most 1,445 at high detail; Anthropic width x height / 750, at
most about 1,600. Vendors' guides, November 2026; the dearest, rounded up."""


@dataclass(frozen=True, slots=True)
class PromptBound:
    """Upper bounds, in tokens."""

    text_tokens: int
    image_tokens: int


def prompt_tokens_bound(messages: JsonValue, tools: JsonValue, schema: JsonValue) -> PromptBound:
    """Bound a chat request's prompt. Raises InvalidRequestError for audio and files, which have no bound yet."""
    text, images = TOKENS_PER_REQUEST, 0
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        text += TOKENS_PER_MESSAGE
        if not isinstance(message, dict):
            continue
        for key, value in message.items():
            if isinstance(value, str):
                text += utf8_length(value)
            elif key == "content" and isinstance(value, list):
                part_text, part_images = _parts(value, index)
                text += part_text
                images += part_images
            elif value is not None:
                text += len(orjson.dumps(value))
    if tools:
        text += len(orjson.dumps(tools)) + TOKENS_PER_TOOL * (len(tools) if isinstance(tools, list) else 1)
    if schema is not None:
        text += len(orjson.dumps(schema))
    return PromptBound(text, images)


def utf8_length(text: str) -> int:
    """Bytes of `text` in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _parts(parts: list[JsonValue], message: int) -> tuple[int, int]:
    text, images = 0, 0
    for index, part in enumerate(parts):
        if not isinstance(part, dict):
            continue
        kind = part.get("type")
        if kind == "image_url":
            images += TOKENS_PER_IMAGE
        elif kind in ("text", "refusal"):
            text += sum(utf8_length(value) for value in part.values() if isinstance(value, str))
        else:
            raise InvalidRequestError(
                f"messages[{message}].content[{index}] has the type '{str(kind)[:40]}', whose tokens cannot be bounded; "
                "send text or image_url",
                param=f"messages[{message}].content[{index}].type",
            )
    return text, images
