"""What would let another model answer than the policy chose, or cost more than was held, is refused by name."""

import orjson
import pytest

from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue
from router.wire.upstream_chat import render_chat
from support.calls import FORCED_TOOL, call_of, chat, read

REFUSED: list[tuple[str, JsonValue]] = [
    ("models", ["dear/model"]),
    ("models", "dear/model"),
    ("route", "fallback"),
    ("provider", {"order": ["somebody"], "allow_fallbacks": True}),
    ("provider", {}),
    ("preset", "mine"),
    ("fallbacks", [{"model": "dear"}]),
    ("lora", [{"id": 0, "scale": 1}]),
    ("lora_path", "other"),
    ("api_base", "http://192.0.2.1"),
    ("base_url", "http://192.0.2.1"),
    ("plugins", [{"id": "web"}]),
    ("web_search_options", {}),
    ("search_parameters", {"mode": "on"}),
    ("enable_search", True),
    ("enable_search", 0),
    ("search_options", {"forced_search": True}),
    ("transforms", ["middle-out"]),
    ("previous_response_id", "resp_1"),
    ("conversation", "conv_1"),
    ("data_sources", [{"type": "azure_search"}]),
    ("cached_content", "cachedContents/1"),
    ("chat_template", "{% for m in messages %}{{ m.content * 99 }}{% endfor %}"),
    ("mm_processor_kwargs", {"max_pixels": 10**9}),
    ("best_of", 2),
    ("best_of", True),
    ("best_of", "1"),
    ("use_beam_search", True),
    ("use_beam_search", 0),
    ("prediction", {"type": "content", "content": "x"}),
    ("n_predict", -1),
    ("n_cmpl", 4),
    ("max_new_tokens", 9),
    ("max_output_tokens", 9),
    ("modalities", ["text", "audio"]),
    ("modalities", ["image"]),
    ("modalities", "text"),
    ("audio", {"voice": "alloy", "format": "wav"}),
    ("audio", {}),
    ("extra_body", {"google": {"cached_content": "x"}}),
    ("service_tier", "priority"),
    ("service_tier", "flex"),
    ("service_tier", "scale"),
    ("service_tier", 1),
]


@pytest.mark.parametrize(
    ("name", "value"), REFUSED, ids=[f"{name}={str(value)[:40]}" for name, value in REFUSED]
)
def test_a_field_that_loosens_what_was_decided_or_held_is_refused_by_name(
    name: str, value: JsonValue
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read(chat({name: value}))
    assert refused.value.param == name
    assert refused.value.message.startswith(f"{name} ")


HARMLESS: list[tuple[str, JsonValue]] = [
    *((name, None) for name in sorted({name for name, _ in REFUSED})),
    ("models", []),
    ("plugins", []),
    ("transforms", []),
    ("enable_search", False),
    ("best_of", 1),
    ("use_beam_search", False),
    ("n_cmpl", 1),
    ("modalities", ["text"]),
    ("service_tier", "auto"),
    ("service_tier", "default"),
]


@pytest.mark.parametrize(
    ("name", "value"), HARMLESS, ids=[f"{name}={str(value)[:40]}" for name, value in HARMLESS]
)
def test_a_value_of_it_that_changes_nothing_passes(name: str, value: JsonValue) -> None:
    sent = orjson.loads(render_chat(call_of(chat({name: value}))))
    assert sent[name] == value


SERVED: list[JsonObject] = [
    {"type": "web_search"},
    {"type": "web_search_preview", "search_context_size": "high"},
    {"type": "code_interpreter", "container": {"type": "auto"}},
    {"type": "builtin_function", "function": {"name": "$web_search"}},
    {"type": "mcp", "server_url": "http://192.0.2.1"},
    {"googleSearch": {}},
    {"type": None, "function": {"name": "x"}},
    {},
]


@pytest.mark.parametrize("tool", SERVED, ids=str)
def test_a_tool_that_the_provider_runs_is_refused_by_its_place(tool: JsonObject) -> None:
    harmless: JsonObject = {"type": "function", "function": {"name": "x"}}
    with pytest.raises(InvalidRequestError) as refused:
        read(chat({"tools": [harmless, tool]}))
    assert refused.value.param == "tools[1].type"


TAKEN: list[JsonObject] = [
    {"type": "function", "function": {"name": "x"}},
    {"type": "custom", "custom": {"name": "x"}},
    {"function": {"name": "x"}},
]


@pytest.mark.parametrize("tool", TAKEN, ids=str)
def test_a_tool_that_the_caller_runs_is_taken(tool: JsonObject) -> None:
    assert read(chat({"tools": [tool]})).has_tools
    assert read(chat(FORCED_TOOL)).schema is not None
