"""OpenAI's usage object, and its cousins', as disjoint classes.

`prompt_tokens` includes what came from the cache, `completion_tokens` includes reasoning.
DeepSeek says the cached part as `prompt_cache_hit_tokens` too. xAI and Gemini count reasoning beside
`completion_tokens`: only their total includes it. Source: the providers' API references, November 2026.
"""

from ledger.usage import Usage
from router.json_types import JsonObject, JsonValue


def read_usage(value: JsonValue) -> Usage | None:
    """Read a usage object; None if it is absent or makes no sense, so that it is counted instead."""
    if not isinstance(value, dict):
        return None
    prompt, completion = _count(value, "prompt_tokens"), _count(value, "completion_tokens")
    if prompt is None or completion is None:
        return None
    of_prompt, of_completion = (
        _details(value, "prompt_tokens_details"),
        _details(value, "completion_tokens_details"),
    )
    cached = _count(of_prompt, "cached_tokens") or _count(value, "prompt_cache_hit_tokens") or 0
    written = _count(of_prompt, "cache_write_tokens") or 0
    audio_in = _count(of_prompt, "audio_tokens") or 0
    reasoning = _count(of_completion, "reasoning_tokens") or 0
    audio_out = _count(of_completion, "audio_tokens") or 0
    beside = (_count(value, "total_tokens") or 0) - prompt - completion
    if beside > 0:
        if reasoning not in (0, beside):
            return None
        reasoning, completion = beside, completion + beside
    if prompt == 0 or cached + written + audio_in > prompt or reasoning + audio_out > completion:
        return None  # every prompt has a token: servers that cannot count say zero
    return Usage(
        input_uncached=prompt - cached - written - audio_in,
        cache_read=cached,
        cache_write_5m=written,
        input_audio=audio_in,
        output_text=completion - reasoning - audio_out,
        output_reasoning=reasoning,
        output_audio=audio_out,
    )


def usage_object(usage: Usage) -> JsonObject:
    """Write usage as OpenAI does."""
    prompt, completion = usage.input_tokens, usage.output_tokens
    of_prompt: JsonObject = {"cached_tokens": usage.cache_read}
    written = usage.cache_write_5m + usage.cache_write_1h
    if written:
        of_prompt["cache_write_tokens"] = written
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": of_prompt,
        "completion_tokens_details": {"reasoning_tokens": usage.output_reasoning},
    }


def _details(usage: JsonObject, key: str) -> JsonObject:
    details = usage.get(key)
    return details if isinstance(details, dict) else {}


def _count(holder: JsonObject, key: str) -> int | None:
    value = holder.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40 else None
