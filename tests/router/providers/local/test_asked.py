"""What a local engine is asked: a field is honoured, or refused by its name."""

from dataclasses import replace

import pytest

from router.catalog import SchemaMode
from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue
from router.providers.local.asked import SEEDS, engine_request
from router.providers.local.engine import EngineMessage, EngineRequest
from support.calls import FORCED_TOOL, ROUTE, SCHEMA, SCHEMA_FORMAT, asking, call_of, chat

HONOURED: dict[str, tuple[JsonObject, dict[str, object]]] = {
    "nothing": ({}, {}),
    "temperature": ({"temperature": 0.5, "top_p": 1}, {"temperature": 0.5, "top_p": 1.0}),
    "seed": ({"seed": 7}, {"seed": 7}),
    "a negative seed": ({"seed": -1}, {"seed": SEEDS - 1}),
    "a wide seed": ({"seed": 2**63}, {"seed": 2**63 % SEEDS}),
    "one stop word": ({"stop": "x"}, {"stop": ("x",)}),
    "stop words": ({"stop": ["x", " "]}, {"stop": ("x", " ")}),
    "no stop words": ({"stop": []}, {"stop": ()}),
    "penalties": (
        {"presence_penalty": -2, "frequency_penalty": 1.5},
        {"presence_penalty": -2.0, "frequency_penalty": 1.5},
    ),
    "biases": ({"logit_bias": {"5": -100, "12": 0.5}}, {"logit_bias": ((5, -100.0), (12, 0.5))}),
    "log-probabilities": ({"logprobs": True}, {"logprobs": True, "top_logprobs": 0}),
    "alternatives": ({"logprobs": True, "top_logprobs": 20}, {"logprobs": True, "top_logprobs": 20}),
    "no alternatives": ({"top_logprobs": 0}, {"logprobs": False, "top_logprobs": 0}),
    "any object": ({"response_format": {"type": "json_object"}}, {"schema": {"type": "object"}}),
    "text": ({"response_format": {"type": "text"}}, {"schema": None}),
    "a schema": (SCHEMA_FORMAT, {"schema": SCHEMA, "logprobs": False}),
    "a forced tool": (FORCED_TOOL, {"schema": SCHEMA}),
    "null everywhere": (
        dict.fromkeys(("seed", "stop", "presence_penalty", "logit_bias", "top_logprobs", "functions", "n")),
        {},
    ),
    "what has no effect here": ({"user": "u", "metadata": {}, "store": False, "reasoning_effort": "low"}, {}),
}


@pytest.mark.parametrize(("fields", "expected"), HONOURED.values(), ids=HONOURED.keys())
def test_a_field_reaches_the_engine(fields: JsonObject, expected: dict[str, object]) -> None:
    plain = EngineRequest((EngineMessage("user", "The total is 4.20 EUR."),), 64, 20.0)
    assert engine_request(call_of(chat(fields))) == replace(plain, **expected)  # type: ignore[arg-type]  # by name


def test_the_engine_starts_the_calls_stopwatch_when_it_begins() -> None:
    call = call_of()
    asked = engine_request(call)
    assert call.stopwatch.elapsed_us is None
    asked.on_begin()
    assert call.stopwatch.elapsed_us is not None


def test_a_check_gets_its_logprobs_unasked() -> None:
    call = call_of(chat(SCHEMA_FORMAT), asking(SchemaMode.JSON_SCHEMA, logprobs=True))
    assert engine_request(call).logprobs
    assert not engine_request(replace(call, request=call_of().request)).logprobs


IMAGE: JsonValue = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]
REFUSED: list[tuple[str, JsonObject]] = [
    ("n", {"n": 2}),
    ("tools", {"tools": [{"type": "function", "function": {"name": "f"}}]}),
    ("tools", {**FORCED_TOOL, "tool_choice": "auto"}),
    ("tools", {**FORCED_TOOL, "tool_choice": "required"}),
    ("tools", {**FORCED_TOOL, "tool_choice": "auto", **SCHEMA_FORMAT}),
    ("messages", {"messages": IMAGE}),
    ("functions", {"functions": [{"name": "f"}]}),
    ("function_call", {"function_call": "auto"}),
    ("stop", {"stop": ""}),
    ("stop", {"stop": ["x", ""]}),
    ("stop", {"stop": ["x"] * 17}),
    ("logit_bias", {"logit_bias": {"hello": 1}}),
    ("logit_bias", {"logit_bias": {"-1": 1}}),
    ("logit_bias", {"logit_bias": {"²": 1}}),
    ("logit_bias", {"logit_bias": {"9999999999": 1}}),
    ("logit_bias", {"logit_bias": {"1": 101}}),
    ("logit_bias", {"logit_bias": {str(token): 1 for token in range(1_025)}}),
    ("top_logprobs", {"logprobs": True, "top_logprobs": 21}),
    ("top_logprobs", {"logprobs": True, "top_logprobs": -1}),
    ("top_logprobs", {"top_logprobs": 3}),
]


@pytest.mark.parametrize(
    ("param", "fields"), REFUSED, ids=[f"{number} {param}" for number, (param, _) in enumerate(REFUSED)]
)
def test_what_the_engine_cannot_do_is_refused_by_name(param: str, fields: JsonObject) -> None:
    call = call_of(chat(fields), ROUTE)
    with pytest.raises(InvalidRequestError) as refused:
        engine_request(call)
    assert refused.value.param == param
    assert refused.value.status == 400
