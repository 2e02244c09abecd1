"""litellm's answers as OpenAI writes them, and nothing more: what else it adds is its own.

litellm makes up what a provider left out: a usage that it counted itself, a finish reason where a stream was
cut. A usage is kept only where the provider told one; what it was told of is up to the caller here.
"""

from router.json_types import JsonObject, JsonValue

_HEAD = ("id", "object", "created", "model", "system_fingerprint")
_SAID = ("role", "content", "reasoning_content", "refusal", "tool_calls")


def answer_of(told: JsonObject) -> JsonObject:
    """A whole answer."""
    answer = _head(told)
    answer["choices"] = [_choice(choice, "message") for choice in _objects(told.get("choices"))]
    answer["usage"] = usage_of(told.get("usage"))
    return answer


def chunk_of(told: JsonObject) -> JsonObject:
    """A chunk of a stream, without usage."""
    return {**_head(told), "choices": [_choice(choice, "delta") for choice in _objects(told.get("choices"))]}


def usage_chunk_of(told: JsonObject) -> JsonObject:
    """A stream's last chunk, with the usage alone."""
    return {**_head(told), "choices": [], "usage": usage_of(told.get("usage"))}


def usage_of(told: JsonValue) -> JsonValue:
    """A usage in OpenAI's classes. litellm counts what went into a cache within the prompt, as we do."""
    if not isinstance(told, dict):
        return None
    of_prompt, of_answer = told.get("prompt_tokens_details"), told.get("completion_tokens_details")
    usage: JsonObject = {
        name: told.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    }
    usage["prompt_tokens_details"] = {
        "cached_tokens": _count(of_prompt, "cached_tokens") or _count(told, "cache_read_input_tokens"),
        "cache_write_tokens": _count(of_prompt, "cache_creation_tokens")
        or _count(of_prompt, "cache_write_tokens")
        or _count(told, "cache_creation_input_tokens"),
        "audio_tokens": _count(of_prompt, "audio_tokens"),
    }
    usage["completion_tokens_details"] = {
        "reasoning_tokens": _count(of_answer, "reasoning_tokens"),
        "audio_tokens": _count(of_answer, "audio_tokens"),
    }
    return usage


def _head(told: JsonObject) -> JsonObject:
    return {name: told[name] for name in _HEAD if told.get(name) is not None}


def _choice(choice: JsonObject, kind: str) -> JsonObject:
    given = choice.get(kind)
    said: JsonObject = {}
    for name in _SAID:
        value = given.get(name) if isinstance(given, dict) else None
        if value is not None and value != []:
            said[name] = value
    if kind == "message":
        said.setdefault("role", "assistant")
        said["content"] = said.get("content") or (None if "tool_calls" in said else "")
    return {
        "index": choice.get("index", 0),
        kind: said,
        "logprobs": choice.get("logprobs"),
        "finish_reason": choice.get("finish_reason"),
    }


def _count(holder: JsonValue, name: str) -> int:
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if isinstance(value, int) else 0


def _objects(value: JsonValue) -> list[JsonObject]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
