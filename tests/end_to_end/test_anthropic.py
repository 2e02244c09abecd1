"""Clients that speak OpenAI's format, and Claude behind the gateway: the answers, and the money to the nano."""

import random
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from support.gateway import RunningGateway, make_key, running_gateway, write_config
from support.upstream import Upstream, running_upstream
from support.upstream_bill import Ending, FakeUsage, TokenPrices
from support.upstream_script import Behaviour, Fault, Received

ROUTE = """\
ledger: {{disk_reserve_mb: 0}}
providers:
  claude: {{type: anthropic, base_url: "{base_url}", key_env: ANTHROPIC_API_KEY}}
routes:
  fake-model:
    provider: claude
    premium: true
    upstream_model: claude-opus-5-5
    price: claude-opus-5-5
    context_window: 1_000_000
    max_output_tokens: 128_000
"""
OPUS = TokenPrices(
    input=4_000_000_000,
    cached=200_000_000,
    cache_write_5m=5_000_000_000,
    cache_write_1h=8_000_000_000,
    output=20_000_000_000,
    reasoning=20_000_000_000,
)
"""What litellm's list says of the model, a million tokens each."""
SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": "string", "maxLength": 20}},
    "required": ["total"],
    "additionalProperties": False,
}
KINDS: list[dict[str, object]] = [
    {},
    {"temperature": 0.5, "stop": ["END"], "user": "u-1"},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "receipt", "schema": SCHEMA}}},
    {"tools": [{"type": "function", "function": {"name": "look_up", "parameters": SCHEMA}}]},
]


def scripted(request: Received) -> Behaviour:
    """An answer of odd size, a different one for each request, now and then a failure."""
    chance = random.Random(request.number)  # noqa: S311  a script, no secret
    parts = [chance.randrange(2_000) for _ in range(4)]
    thoughts = chance.randrange(300)
    usage = FakeUsage(
        prompt_tokens=sum(parts) + 1,
        cached_tokens=parts[0],
        completion_tokens=thoughts + chance.randrange(1, 900),
        reasoning_tokens=thoughts,
        cache_write_5m=parts[1],
        cache_write_1h=parts[2],
    )
    if request.number % 7 == 3:
        return Behaviour(status=529, error_code="overloaded_error")
    fault = Fault.TRUNCATE if request.number % 7 == 5 else Fault.NONE
    tool = "look_up" if "tools" in request.json else None
    return Behaviour(answer={"total": "4.20"}, usage=usage, reasoning="Hm.", tool_name=tool, fault=fault)


@pytest.fixture
def claude() -> Iterator[Upstream]:
    """Anthropic's API as far as we know it, with a known bill."""
    with running_upstream(behave=scripted, prices=OPUS, api_key="sk-ant-test") as upstream:
        yield upstream


@pytest.fixture
def gateway(claude: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningGateway]:
    """A gateway before it."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
    config = write_config(tmp_path, ROUTE.format(base_url=claude.base_url.removesuffix("/v1")))
    with running_gateway(config) as running:
        yield running


@pytest.fixture
def client(gateway: RunningGateway) -> Iterator[openai.OpenAI]:
    """The official client."""
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=make_key(gateway.config), max_retries=0
    ) as client:
        yield client


def answer_of(client: openai.OpenAI, *, stream: bool, **fields: object) -> tuple[str, int]:
    """The text or the tool's arguments, and the tokens that the client was told of."""
    body = {"messages": [{"role": "user", "content": "How much is it?"}], **fields}
    if not stream:
        whole = client.chat.completions.create(model="auto", **body)  # type: ignore[call-overload]  # fields by name
        said = whole.choices[0].message
        text = said.tool_calls[0].function.arguments if said.tool_calls else said.content
        return text, whole.usage.total_tokens
    parts: list[str] = []
    tokens = 0
    options = {"include_usage": True}
    for chunk in client.chat.completions.create(  # type: ignore[call-overload]  # fields by name
        model="auto", stream=True, stream_options=options, **body
    ):
        tokens += chunk.usage.total_tokens if chunk.usage else 0
        for choice in chunk.choices:
            calls = choice.delta.tool_calls or []
            parts += [choice.delta.content or "", *(call.function.arguments for call in calls)]
    return "".join(parts), tokens


def test_every_kind_of_answer_arrives_and_the_ledger_holds_the_bill_to_the_nano(
    client: openai.OpenAI, claude: Upstream, gateway: RunningGateway
) -> None:
    told = 0
    failed = 0
    for number in range(42):
        try:
            text, tokens = answer_of(client, stream=number % 2 == 1, **KINDS[number // 2 % len(KINDS)])
        except (openai.APIError, openai.APIStatusError):
            failed += 1
            continue
        assert text == '{"total":"4.20"}'
        told += tokens
    assert failed == 12
    gateway.wait_for_rows("SELECT 1 FROM entry WHERE state <> 'DISPATCHED'", 42)
    booked = gateway.rows("SELECT SUM(cost_nano_usd) FROM entry WHERE state = 'SETTLED'")
    complete = [charge for charge in claude.bill if charge.ending is Ending.COMPLETE]
    assert booked == [(sum(charge.cost_nano_usd for charge in complete),)]
    assert booked > [(0,)]
    assert told == sum(charge.usage.prompt_tokens + charge.usage.completion_tokens for charge in complete)
    assert gateway.rows("SELECT state, COUNT(*) FROM entry WHERE state <> 'DISPATCHED' GROUP BY state") == [
        ("POSTED_WORST", 6),
        ("SETTLED", 30),
        ("VOID", 6),
    ]
    sums = gateway.rows(
        "SELECT SUM(input_uncached), SUM(cache_read), SUM(cache_write_5m), SUM(cache_write_1h),"
        " SUM(output_text), SUM(output_reasoning) FROM entry WHERE state = 'SETTLED'"
    )
    total = sum((charge.usage for charge in complete), FakeUsage(0, 0, 0, 0))
    written = total.cache_write_5m + total.cache_write_1h
    assert sums == [
        (
            total.prompt_tokens - total.cached_tokens - written,
            total.cached_tokens,
            total.cache_write_5m,
            total.cache_write_1h,
            total.completion_tokens - total.reasoning_tokens,
            total.reasoning_tokens,
        )
    ]


def test_what_claude_cannot_be_told_is_refused_by_name_and_costs_nothing(
    client: openai.OpenAI, claude: Upstream, gateway: RunningGateway
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        answer_of(client, stream=False, seed=7)
    assert refused.value.param == "seed"
    assert claude.requests == ()
    assert gateway.wait_for_rows("SELECT state FROM entry WHERE state <> 'DISPATCHED'", 1) == [("VOID",)]


def test_a_conversation_with_tools_goes_on(client: openai.OpenAI, claude: Upstream) -> None:
    claude.behave = lambda request: Behaviour(
        answer={"total": "4.20"}, tool_name="look_up" if len(request.messages) == 1 else None
    )
    messages: list[object] = [{"role": "user", "content": "How much is it?"}]
    tools = KINDS[3]["tools"]
    asked = client.chat.completions.create(model="auto", messages=messages, tools=tools)  # type: ignore[call-overload]  # plain JSON
    said = asked.choices[0].message
    assert asked.choices[0].finish_reason == "tool_calls"
    messages += [said, {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "4.20 EUR"}]
    answer = client.chat.completions.create(model="auto", messages=messages, tools=tools)  # type: ignore[call-overload]  # plain JSON
    assert answer.choices[0].message.content == '{"total":"4.20"}'
    assert claude.requests[-1].messages[1:] == [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_0", "name": "look_up", "input": {"total": "4.20"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_0", "content": [{"type": "text", "text": "4.20 EUR"}]}]},
    ]  # fmt: skip
