"""Providers' usage becomes disjoint classes, or nothing where it makes no sense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.usage import Usage
from router.json_types import JsonObject, JsonValue
from router.wire.openai_usage import read_usage


def told(prompt: JsonValue, completion: JsonValue, **more: JsonValue) -> JsonObject:
    return {"prompt_tokens": prompt, "completion_tokens": completion, **more}


READ: dict[str, tuple[JsonObject, Usage]] = {
    "bare": (told(10, 4), Usage(input_uncached=10, output_text=4)),
    "no answer": (told(10, 0), Usage(input_uncached=10)),
    "cached": (
        told(10, 4, prompt_tokens_details={"cached_tokens": 6}),
        Usage(input_uncached=4, cache_read=6, output_text=4),
    ),
    "all cached": (told(10, 0, prompt_tokens_details={"cached_tokens": 10}), Usage(cache_read=10)),
    "written to the cache": (
        told(10, 0, prompt_tokens_details={"cached_tokens": 3, "cache_write_tokens": 5}),
        Usage(input_uncached=2, cache_read=3, cache_write_5m=5),
    ),
    "DeepSeek's hits": (
        told(10, 4, prompt_cache_hit_tokens=6, prompt_cache_miss_tokens=4),
        Usage(input_uncached=4, cache_read=6, output_text=4),
    ),
    "DeepSeek's hits told twice count once": (
        told(10, 4, prompt_cache_hit_tokens=6, prompt_tokens_details={"cached_tokens": 6}),
        Usage(input_uncached=4, cache_read=6, output_text=4),
    ),
    "reasoning": (
        told(10, 9, completion_tokens_details={"reasoning_tokens": 5}),
        Usage(input_uncached=10, output_text=4, output_reasoning=5),
    ),
    "xAI's reasoning stands beside the completion": (
        told(32, 9, total_tokens=135, completion_tokens_details={"reasoning_tokens": 94}),
        Usage(input_uncached=32, output_text=9, output_reasoning=94),
    ),
    "Gemini tells its thoughts in the total alone": (
        told(10, 4, total_tokens=64), Usage(input_uncached=10, output_text=4, output_reasoning=50)
    ),
    "audio": (
        told(10, 9, prompt_tokens_details={"audio_tokens": 3}, completion_tokens_details={"audio_tokens": 2}),
        Usage(input_uncached=7, input_audio=3, output_text=7, output_audio=2),
    ),
    "details that are null": (
        told(10, 4, prompt_tokens_details=None, completion_tokens_details=None),
        Usage(input_uncached=10, output_text=4),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("usage", "expected"), READ.values(), ids=READ.keys())
def test_usage_is_read_into_disjoint_classes(usage: JsonObject, expected: Usage) -> None:
    assert read_usage(usage) == expected


NONSENSE: dict[str, JsonValue] = {
    "none": None,
    "a list": [],
    "empty": {},
    "no completion": {"prompt_tokens": 3},
    "text": told("10", 4),
    "a fraction": told(10.5, 4),
    "true": told(True, 4),
    "negative": told(-1, 4),
    "beyond all windows": told(2**40, 4),
    "zeros": told(0, 0),
    "more cached than sent": told(10, 4, prompt_tokens_details={"cached_tokens": 11}),
    "more reasoning than spoken": told(10, 4, completion_tokens_details={"reasoning_tokens": 5}),
    "a total that nothing explains": told(
        10, 9, total_tokens=30, completion_tokens_details={"reasoning_tokens": 5}
    ),
}


@pytest.mark.parametrize("usage", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_is_counted_instead(usage: JsonValue) -> None:
    assert read_usage(usage) is None


COUNT = st.one_of(st.none(), st.integers(-5, 50), st.booleans(), st.text(max_size=2))


@given(
    st.fixed_dictionaries(
        {"prompt_tokens": COUNT, "completion_tokens": COUNT},
        optional={
            "prompt_cache_hit_tokens": COUNT,
            "total_tokens": COUNT,
            "prompt_tokens_details": st.fixed_dictionaries(
                {}, optional={"cached_tokens": COUNT, "cache_write_tokens": COUNT, "audio_tokens": COUNT}
            ),
            "completion_tokens_details": st.fixed_dictionaries(
                {}, optional={"reasoning_tokens": COUNT, "audio_tokens": COUNT}
            ),
        },
    )
)
def test_the_classes_add_up_and_none_is_negative(usage: JsonObject) -> None:
    read = read_usage(usage)
    if read is None:
        return
    assert min(read.values()) >= 0
    assert read.input_tokens == usage["prompt_tokens"]
    completion, total = usage["completion_tokens"], usage.get("total_tokens")
    assert isinstance(completion, int)
    counted = isinstance(total, int) and not isinstance(total, bool)
    outside = total - read.input_tokens - completion if counted and isinstance(total, int) else 0
    assert read.output_tokens == completion + max(outside, 0)
