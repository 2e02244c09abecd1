"""Conversations counted with their templates, against what providers have counted themselves."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.usage import Usage
from policies.route_facts import RouteFacts
from router.catalog import Dialect, Encoding, Origin, Route, SchemaMode
from router.counting import PromptCounter
from router.image_tokens import image_tokens_max
from router.json_types import JsonObject, JsonValue
from router.planning import prompt_bound
from router.processes.counters import CounterUnavailableError, TokenCounter
from router.request import ChatRequest
from router.wire.chat_request import read_chat_request
from support.vocabularies import vocabulary

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "deepseek_prompt_tokens.json").read_text())[
    "cases"
]

COOKBOOK: JsonValue = [
    {
        "role": "system",
        "content": "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
    },
    {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
    {
        "role": "system",
        "name": "example_assistant",
        "content": "Things working well together will increase revenue.",
    },
    {
        "role": "system",
        "name": "example_user",
        "content": "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    },
    {
        "role": "system",
        "name": "example_assistant",
        "content": "Let's talk later when we're less busy about how to do better.",
    },
    {
        "role": "user",
        "content": "This late pivot means we don't have time to boil the ocean for the client deliverable.",
    },
]
"""From OpenAI's cookbook, "How to count tokens with tiktoken", with what its API counted: 129 and 124."""


class InProcessCounter(TokenCounter):
    """Counts with the same vocabularies, without the process: a hundred cases then share one load."""

    async def count(self, encoding: str, texts: object) -> int:
        """Count the tokens of `texts` together."""
        assert isinstance(texts, list)
        return sum(map(vocabulary(encoding), texts))


@pytest.fixture
def counter(tmp_path: Path) -> PromptCounter:
    return PromptCounter(InProcessCounter(tmp_path), {})


@pytest.fixture
async def real_counter(tmp_path: Path) -> AsyncIterator[PromptCounter]:
    counter = TokenCounter(tmp_path)
    yield PromptCounter(counter, {})
    await counter.close()


@pytest.mark.parametrize(("encoding", "tokens"), [(Encoding.CL100K, 129), (Encoding.O200K, 124)])
async def test_openais_own_example_is_counted_as_openai_counts_it(
    real_counter: PromptCounter, encoding: Encoding, tokens: int
) -> None:
    assert await real_counter.count_chat(encoding, COOKBOOK) == tokens


@pytest.mark.parametrize("case", VECTORS.values(), ids=VECTORS.keys())
async def test_a_count_for_deepseek_is_never_below_deepseeks_own(
    counter: PromptCounter, case: dict[str, JsonObject]
) -> None:
    request = case["request"]
    wanted = request.get("response_format")
    asked = wanted.get("json_schema") if isinstance(wanted, dict) else None
    schema = asked.get("schema") if isinstance(asked, dict) else None
    counted = await counter.count_chat(Encoding.DEEPSEEK, request["messages"], request.get("tools"), schema)
    theirs = max(json.loads(json.dumps([case["v4"], case["v4_1"]])))
    assert theirs <= counted


async def test_an_image_is_not_counted_as_text(counter: PromptCounter) -> None:
    look: JsonObject = {"type": "text", "text": "look"}
    image: JsonObject = {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64," + "QUFB" * 10_000},
    }
    address: JsonObject = {"type": "image_url", "image_url": "https://example.com/a.png"}
    without = await counter.count_chat(Encoding.O200K, [{"role": "user", "content": [look]}])
    with_images = await counter.count_chat(
        Encoding.O200K, [{"role": "user", "content": [look, image, address]}]
    )
    assert with_images - without == 2 * vocabulary("o200k_base")("image_url")


async def test_the_json_of_tools_and_schemas_is_counted(counter: PromptCounter) -> None:
    messages: JsonValue = [{"role": "user", "content": "hi"}]
    schema: JsonObject = {"type": "object", "properties": {"total": {"type": "string"}}}
    tools: JsonValue = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    plain = await counter.count_chat(Encoding.O200K, messages)
    text = vocabulary("o200k_base")(json.dumps(schema))
    assert await counter.count_chat(Encoding.O200K, messages, tools) > plain + text
    assert await counter.count_chat(Encoding.O200K, messages, None, schema) > plain + text


async def test_a_counter_that_is_gone_is_an_error_of_its_own(tmp_path: Path) -> None:
    counter = TokenCounter(tmp_path)
    await counter.close()
    with pytest.raises(CounterUnavailableError, match="closed"):
        await PromptCounter(counter, {}).count_chat(Encoding.O200K, COOKBOOK)


def asked(*parts: JsonValue) -> ChatRequest:
    return read_chat_request(
        json.dumps({"model": "m", "messages": [{"role": "user", "content": parts}]}).encode(), {}
    )


def route(encoding: Encoding) -> Route:
    return Route(
        name="m@p",
        model="m",
        provider="p",
        upstream_model="gpt-4o",
        origin=Origin.HOSTED,
        price_sku="m",
        context_window=128_000,
        max_output_tokens=16_384,
        schema_mode=SchemaMode.JSON_SCHEMA,
        logprobs=True,
        dialect=Dialect.OPENAI,
        encoding=encoding,
        deadline_s=60,
        idle_timeout_s=30,
        facts=RouteFacts("m@p", "m", "p"),
    )


LOOK: JsonObject = {"type": "text", "text": "Look at this, please, and say what you see."}
IMAGE: JsonObject = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


async def test_an_image_counts_at_the_ceiling_of_the_routes_own_model(counter: PromptCounter) -> None:
    words = await counter.prompt_tokens(asked(LOOK), route(Encoding.O200K))
    seen = await counter.prompt_tokens(asked(LOOK, IMAGE), route(Encoding.O200K))
    assert words is not None
    assert seen is not None
    assert 0 < seen - words - image_tokens_max("gpt-4o") < 10


async def test_a_route_without_an_encoding_is_not_counted(counter: PromptCounter) -> None:
    assert await counter.prompt_tokens(asked(LOOK), route(Encoding.NONE)) is None
    usage = await counter.usage_of(asked(LOOK), route(Encoding.NONE), "Grün")
    assert usage == Usage(input_uncached=prompt_bound(asked(LOOK), route(Encoding.NONE)), output_text=5)


async def test_usage_that_was_not_told_is_counted(counter: PromptCounter) -> None:
    usage = await counter.usage_of(asked(LOOK), route(Encoding.O200K), "I see nothing.")
    prompt = await counter.prompt_tokens(asked(LOOK), route(Encoding.O200K))
    assert usage == Usage(input_uncached=prompt or 0, output_text=4)


async def test_usage_falls_back_to_its_bound_when_the_counter_is_gone(tmp_path: Path) -> None:
    closed = TokenCounter(tmp_path)
    await closed.close()
    usage = await PromptCounter(closed, {}).usage_of(asked(LOOK), route(Encoding.O200K), "four")
    assert usage == Usage(input_uncached=prompt_bound(asked(LOOK), route(Encoding.O200K)), output_text=4)
