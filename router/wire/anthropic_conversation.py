"""OpenAI's messages as Anthropic's: a system prompt apart, and turns of content blocks.

System and developer messages all go to the front, in their order. Turns of one side become one, as
the results of several tools must. Thoughts of past turns (`reasoning_content`) stay behind: Anthropic
takes back only what it has signed. Whatever else has no counterpart is refused by its place.
Sources: OpenAI's API reference; anthropic-sdk-python 2.14.0 (`types/message_param.py` and what it
names). November 2026.
"""

import re
from dataclasses import dataclass, field

import orjson

from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue

_DATA_URL = re.compile(r"data:(image/(?:jpeg|png|gif|webp));base64,([A-Za-z0-9+/=\s]+)")
_DETAILS = (None, "auto", "high")
"""Anthropic always looks at the whole image."""
_OF_ROLE: dict[str, tuple[str, ...]] = {
    "system": (),
    "developer": (),
    "user": (),
    "assistant": ("tool_calls", "refusal", "reasoning_content", "reasoning"),
    "tool": ("tool_call_id", "name"),
}
"""What a message may hold besides its role and content. A tool's name follows from the call."""


@dataclass(slots=True)
class Conversation:
    """What stands before all turns, and the turns."""

    system: list[JsonValue] = field(default_factory=list)
    turns: list[JsonValue] = field(default_factory=list)
    _open: list[JsonValue] = field(default_factory=list)
    _speaker: str = ""

    def add(self, speaker: str, blocks: list[JsonValue]) -> None:
        """Let `speaker` say more: in the turn that is open, if it is theirs."""
        if speaker != self._speaker:
            self._speaker, self._open = speaker, []
            self.turns.append({"role": speaker, "content": self._open})
        self._open.extend(blocks)

    @property
    def last_speaker(self) -> str:
        """Whose turn was the last."""
        return self._speaker


def read_conversation(messages: JsonValue) -> Conversation:
    """Translate the messages. Raises InvalidRequestError, with the place in `param`."""
    conversation = Conversation()
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(message, dict):
            _add(conversation, message, f"messages[{index}]")
    if conversation.last_speaker != "user":
        said = (
            "end with the assistant's turn, which it would go on with"
            if conversation.turns
            else "hold no user's turn"
        )
        raise InvalidRequestError(
            f"messages {said}; Anthropic's API answers a user's turn or a tool's result: end with one",
            param="messages",
        )
    return conversation


def cache_control(holder: JsonObject, place: str) -> JsonObject:
    """The mark, known from Anthropic's own format, that a prompt's beginning be kept up to here; or nothing."""
    mark = holder.get("cache_control")
    if mark is None:
        return {}
    if isinstance(mark, dict) and mark.get("type") == "ephemeral" and mark.get("ttl", "5m") in ("5m", "1h"):
        only_known = mark.keys() <= {"type", "ttl"}
        if only_known:
            return {"cache_control": mark}
    raise InvalidRequestError(
        f'{place}.cache_control is none that is known; write {{"type": "ephemeral"}}, with "ttl" 5m or 1h if you like',
        param=f"{place}.cache_control",
    )


def refuse_others(holder: JsonObject, known: tuple[str, ...], place: str) -> None:
    """Refuse a key that is not among `known` and says something."""
    for key, value in holder.items():
        if key not in known and value not in (None, "", [], {}):
            raise InvalidRequestError(
                f"{place}.{key[:60]} has no counterpart in Anthropic's API; leave it out",
                param=f"{place}.{key[:60]}",
            )


def _add(conversation: Conversation, message: JsonObject, place: str) -> None:
    role = message.get("role")
    if not isinstance(role, str) or role not in _OF_ROLE:
        raise InvalidRequestError(
            f"{place}.role is '{str(role)[:40]}', the old way of a tool's result; write tool, with tool_call_id",
            param=f"{place}.role",
        )
    refuse_others(message, ("role", "content", *_OF_ROLE[role]), place)
    blocks = _blocks(message.get("content"), f"{place}.content", images=role in ("user", "tool"))
    if role in ("system", "developer"):
        conversation.system.extend(blocks)
    elif role == "tool":
        conversation.add("user", [_tool_result(message, blocks, place)])
    else:
        if role == "assistant":
            refusal = message.get("refusal")
            blocks += _blocks(refusal, f"{place}.refusal", images=False)
            blocks += _tool_uses(message.get("tool_calls"), place)
        if not blocks:
            raise InvalidRequestError(
                f"{place}.content is empty, and Anthropic's API takes no empty turn; leave the message out",
                param=f"{place}.content",
            )
        conversation.add(role, blocks)


def _blocks(content: JsonValue, place: str, *, images: bool) -> list[JsonValue]:
    """Content as blocks; white space alone is none, since Anthropic's API takes no empty text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content.strip() else []
    found: list[JsonValue] = []
    for index, part in enumerate(content if isinstance(content, list) else ()):
        if not isinstance(part, dict):
            continue
        at = f"{place}[{index}]"
        kind = part.get("type")
        if kind == "image_url" and images:
            refuse_others(part, ("type", "image_url", "cache_control"), at)
            found.append({**_image(part.get("image_url"), f"{at}.image_url"), **cache_control(part, at)})
        elif kind in ("text", "refusal"):
            refuse_others(part, ("type", kind, "cache_control"), at)
            text = part.get(kind)
            if isinstance(text, str) and text.strip():
                found.append({"type": "text", "text": text, **cache_control(part, at)})
        else:
            raise InvalidRequestError(
                f"{at}.type is '{str(kind)[:40]}', which Anthropic's API does not take here",
                param=f"{at}.type",
            )
    return found


def _image(value: JsonValue, place: str) -> JsonObject:
    url = value.get("url") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(url, str):
        raise InvalidRequestError(f'{place} must be an object with a url, {{"url": ...}}', param=place)
    refuse_others(value, ("url", "detail"), place)
    if value.get("detail") not in _DETAILS:
        raise InvalidRequestError(
            f"{place}.detail has no counterpart in Anthropic's API, which looks at the whole image; leave it out",
            param=f"{place}.detail",
        )
    if url.startswith("https://"):
        return {"type": "image", "source": {"type": "url", "url": url}}
    found = _DATA_URL.fullmatch(url)
    if found is None:
        raise InvalidRequestError(
            f"{place}.url is none that Anthropic's API takes; send an https address, or "
            "data:image/png;base64,... (jpeg, png, gif or webp)",
            param=f"{place}.url",
        )
    return {"type": "image", "source": {"type": "base64", "media_type": found[1], "data": found[2]}}


def _tool_result(message: JsonObject, blocks: list[JsonValue], place: str) -> JsonObject:
    call = message.get("tool_call_id")
    if not isinstance(call, str) or not call:
        raise InvalidRequestError(
            f"{place}.tool_call_id is missing; name the call that this answers", param=f"{place}.tool_call_id"
        )
    result: JsonObject = {"type": "tool_result", "tool_use_id": call}
    if blocks:
        result["content"] = blocks
    return result


def _tool_uses(calls: JsonValue, place: str) -> list[JsonValue]:
    found: list[JsonValue] = []
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        at = f"{place}.tool_calls[{index}]"
        function = call.get("function") if isinstance(call, dict) else None
        if (
            not isinstance(call, dict)
            or not isinstance(function, dict)
            or call.get("type", "function") != "function"
        ):
            raise InvalidRequestError(
                f"{at} is no call of a function, and Anthropic's API knows no other", param=at
            )
        for holder, key, where in ((call, "id", at), (function, "name", f"{at}.function")):
            if not isinstance(holder.get(key), str) or not holder[key]:
                raise InvalidRequestError(
                    f"{where}.{key} is missing; name the call as it was made", param=f"{where}.{key}"
                )
        refuse_others(call, ("id", "type", "function", "index"), at)
        refuse_others(function, ("name", "arguments"), f"{at}.function")
        found.append(
            {
                "type": "tool_use",
                "id": call.get("id"),
                "name": function.get("name"),
                "input": _arguments(function.get("arguments"), f"{at}.function.arguments"),
            }
        )
    return found


def _arguments(text: JsonValue, place: str) -> JsonObject:
    """What a tool was called with: text at OpenAI, an object at Anthropic."""
    try:
        value: JsonValue = orjson.loads(text or "{}") if isinstance(text, str | None) else None
        orjson.dumps(value)  # read, JSON may be nested more deeply than it can be written
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        value = None
    if not isinstance(value, dict):
        raise InvalidRequestError(
            f"{place} is not the text of a JSON object that can be passed on, which Anthropic's API wants",
            param=place,
        )
    return value
