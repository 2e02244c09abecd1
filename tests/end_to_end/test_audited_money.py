"""Requests over all plans, kinds and both upstream formats, with retries, failed audits, escalations and broken
streams: the ledger's sums are the providers' bills to the nano, but for what stands in suspense, by request.
"""

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from router.json_types import JsonObject
from support.gateway import RunningGateway, make_key, running_gateway, write_config
from support.upstream import Upstream, running_upstream
from support.upstream_bill import Ending, FakeUsage, TokenPrices
from support.upstream_script import Behaviour, Fault, Received, UsageTold

CHEAP = TokenPrices(input=150_000_000, cached=75_000_000, output=600_000_000, reasoning=600_000_000)
DEAR = TokenPrices(
    input=5_000_000_000, cached=500_000_000, output=25_000_000_000, reasoning=25_000_000_000,
    cache_write_5m=6_250_000_000, cache_write_1h=6_250_000_000,
)  # fmt: skip
CONFIG = """\
ledger: {{disk_reserve_mb: 0}}
server: {{log_requests: false}}
providers:
  openai: {{base_url: "{openai}"}}
  claude: {{type: anthropic, base_url: "{claude}", key_env: ANTHROPIC_API_KEY}}
routes:
  small:
    provider: openai
    price: {{input_usd_per_million: "0.15", cache_read_usd_per_million: "0.075", output_usd_per_million: "0.6"}}
    context_window: 100000
    max_output_tokens: 2000
    logprobs: true
  big-gpt:
    provider: openai
    premium: true
    price: {{input_usd_per_million: "5", cache_read_usd_per_million: "0.5", output_usd_per_million: "25"}}
    context_window: 100000
    max_output_tokens: 4000
  big-claude:
    provider: claude
    premium: true
    schema: tool
    price: {{input_usd_per_million: "5", cache_read_usd_per_million: "0.5", cache_write_usd_per_million: "6.25", output_usd_per_million: "25"}}
    context_window: 100000
    max_output_tokens: 4000
"""
POLICY = """\
team: {team}
models: ["*"]
plans:
  cheap: [small, big-gpt]
  premium: [{premium}, {other}]
  cheap+audit: {{audit: {audit}, sample_percent: 50, auditors: [{premium}, {other}], when_unsettled: {unsettled}, when_unaudited: {unaudited}, stream: {stream}}}
grading: {{percent: 20, graders: [{other}]}}
auto: {{extraction: cheap+audit, generation: cheap+audit}}
retries: 1
limits: {{month_usd: "100000"}}
"""
TEAMS = {
    "north": ("big-gpt", "big-claude", "by_risk", "escalate", "pass", "verify_then_stream"),
    "south": ("big-claude", "big-gpt", "always", "pass", "escalate", "stream_then_audit"),
    "west": ("big-claude", "big-gpt", "by_risk", "escalate", "fail", "verify_then_stream"),
}
TEXT = "ACME Ltd\nDate 2026-11-01\nSubtotal 10.00\nTotal 12.50\n"
SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "company": {"type": "string", "maxLength": 50},
        "total": {"type": "string", "maxLength": 20},
    },
    "required": ["company", "total"],
    "additionalProperties": False,
}
SUSPENDED = """
    SELECT request_id, model, cost_nano_usd FROM entry
    WHERE provider = ? AND state IN ('SETTLED_ESTIMATED', 'POSTED_WORST')
"""
SEED = 20_261_126
CLIENTS = 8


def scripted(seed: int) -> Callable[[Received], Behaviour]:
    """What the providers do: answers right and wrong, verdicts of all kinds, and every kind of failure."""

    def behave(request: Received) -> Behaviour:
        chance = random.Random(f"{seed} {request.number} {request.model}")  # noqa: S311  (a script, no secret)
        if chance.random() < 0.05:
            return Behaviour(status=429, error_code="rate_limit_exceeded", headers={"retry-after": "0"})
        if chance.random() < 0.04:
            return Behaviour(status=chance.choice([500, 503, 529]), error_code="server_error")
        usage = _usage(chance, len(request.body), claude=request.path.endswith("/messages"))
        fault = Fault.NONE
        if chance.random() < 0.06:
            fault = chance.choice(
                [Fault.TRUNCATE, Fault.RESET, Fault.HTML, Fault.CUT_SHORT, Fault.ERROR_EVENT]
            )
        told = UsageTold.NEVER if chance.random() < 0.03 else UsageTold.ONCE
        return Behaviour(answer=_answer(request, chance), usage=usage, fault=fault, usage_told=told)

    return behave


def _usage(chance: random.Random, sent_bytes: int, *, claude: bool) -> FakeUsage:
    """What a provider that keeps to the limits may count: a token for two bytes at most, and many thoughts."""
    prompt = sent_bytes // chance.randrange(2, 6)
    cached = chance.randrange(prompt // 2)
    written = chance.randrange(prompt // 2) if claude else 0
    thoughts = chance.randrange(1_000)
    return FakeUsage(
        prompt_tokens=prompt,
        cached_tokens=cached,
        completion_tokens=thoughts + chance.randrange(1, 900),
        reasoning_tokens=thoughts,
        cache_write_5m=written,
    )


def _answer(request: Received, chance: random.Random) -> JsonObject:
    body = request.body.decode()
    if "You audit values" in body:
        return _verdicts(request, chance)
    if "You audit an answer" in body:
        return {"verdict": "right", "reason": "meets_criteria"}
    return {"company": "ACME Ltd", "total": chance.choice(["12.50", "12.50", "10.00", "99.99", ""])}


def _verdicts(request: Received, chance: random.Random) -> JsonObject:
    if chance.random() < 0.1:
        return {"nonsense": True}
    records = [json.loads(line) for line in request.last_user_text.splitlines() if line[:1] == "{"]
    spans = [each["span"] for each in records if "span" in each and "Total 12.50" in each["text"]]
    found = []
    for each in records:
        if "field" in each:
            wrong = each["field"] == "total" and each.get("claimed") != "12.50" and chance.random() < 0.8
            right = {"field": each["field"], "verdict": "right", "correction": None, "span_id": None}
            corrected = {
                **right,
                "verdict": "wrong",
                "correction": "12.50",
                "span_id": spans[0] if spans else None,
            }
            found.append(corrected if wrong else right)
    return {"verdicts": [*found]}


@pytest.fixture
def providers() -> Iterator[tuple[Upstream, Upstream]]:
    """OpenAI's format and Anthropic's, each with its own bill."""
    prices = {"small": CHEAP, "big-gpt": DEAR}
    with (
        running_upstream(behave=scripted(SEED), prices=prices) as openai,
        running_upstream(behave=scripted(SEED + 1), prices=DEAR, api_key="sk-ant-test") as claude,
    ):
        yield openai, claude


@pytest.fixture
def gateway(
    providers: tuple[Upstream, Upstream], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningGateway]:
    """A gateway before both, with three teams."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
    openai, claude = providers
    names = ("premium", "other", "audit", "unsettled", "unaudited", "stream")
    policies = {
        team: POLICY.format(team=team, **dict(zip(names, words, strict=True)))
        for team, words in TEAMS.items()
    }
    text = CONFIG.format(openai=openai.base_url, claude=claude.base_url)
    with running_gateway(write_config(tmp_path, text, policies)) as running:
        yield running


def ask(gateway: RunningGateway, key: str, number: int) -> tuple[int, str]:
    """One request of a kind, plan and shape that its number decides; its status and its id."""
    chance = random.Random(f"{SEED} {number}")  # noqa: S311  (a script, no secret)
    body: JsonObject = {"model": chance.choice(["auto", "cheap", "premium", "cheap+audit"])}
    if chance.random() < 0.7:
        body["messages"] = [{"role": "user", "content": f"{TEXT}No. {number}"}]
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "invoice", "schema": SCHEMA},
        }
    else:
        body["messages"] = [{"role": "user", "content": f"Say something about {number}."}]
    if chance.random() < 0.4:
        body["stream"] = True
    answer = gateway.request(
        "POST", "/v1/chat/completions", key=key, body={**body, "user": f"caller-{number}"}
    )
    return answer.status, answer.headers["x-steelyard-request-id"]


@dataclass(frozen=True, slots=True)
class Suspended:
    """A row in suspense, or a line of the bill that is not known to the ledger."""

    caller: str | None
    """Whom the request named as its user; None for a judge's question, which names nobody."""
    model: str
    cost_nano_usd: int


def unknown_of(upstream: Upstream) -> list[Suspended]:
    """What was billed and never told."""
    callers = {request.number: _caller_of(request) for request in upstream.requests}
    return [
        Suspended(callers[charge.number], charge.model, charge.cost_nano_usd)
        for charge in upstream.bill
        if charge.cost_nano_usd and not (charge.ending is Ending.COMPLETE and charge.told)
    ]


def _caller_of(request: Received) -> str | None:
    body = request.json
    metadata = body.get("metadata")
    caller = metadata.get("user_id") if isinstance(metadata, dict) else body.get("user")
    return caller if isinstance(caller, str) else None


def refuse_overspending(booked: list[Suspended], billed: list[Suspended]) -> None:
    """Hold each request's bill against what is in suspense for it; and the largest of all against each other, for
    judges' questions, which name no request."""
    for line in billed:
        if line.caller is not None:
            rows = [
                row.cost_nano_usd for row in booked if (row.caller, row.model) == (line.caller, line.model)
            ]
            lines = [
                each.cost_nano_usd
                for each in billed
                if (each.caller, each.model) == (line.caller, line.model)
            ]
            assert sum(rows) >= sum(lines), line
    largest, highest = (
        sorted((row.cost_nano_usd for row in rows), reverse=True) for rows in (booked, billed)
    )
    assert all(row >= line for row, line in zip(largest, highest, strict=False))


@pytest.fixture
def requests(request: pytest.FixtureRequest) -> int:
    """How many; `--requests 20000` for a long run."""
    count: int = request.config.getoption("--requests")
    return count


def test_the_ledger_is_the_bill_of_both_providers_but_for_what_stands_in_suspense(
    providers: tuple[Upstream, Upstream], gateway: RunningGateway, requests: int
) -> None:
    keys = [make_key(gateway.config, team) for team in TEAMS]
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(
            pool.map(lambda number: ask(gateway, keys[number % len(keys)], number), range(requests))
        )
    assert [status for status, _ in answers].count(200) > requests * 0.8
    callers = {request_id: f"caller-{number}" for number, (_, request_id) in enumerate(answers)}
    dispatched = gateway.rows("SELECT count(*) FROM entry WHERE state = 'DISPATCHED'")[0][0]
    assert isinstance(dispatched, int)
    gateway.stop()  # it waits for the audits and grades that follow

    ended = gateway.rows("SELECT count(*) FROM entry WHERE state NOT IN ('DISPATCHED', 'ADJUST')")[0][0]
    assert ended == gateway.rows("SELECT count(*) FROM entry WHERE state = 'DISPATCHED'")[0][0]
    assert gateway.rows("SELECT count(*) FROM answer") == [(requests,)]
    for provider, upstream in zip(("openai", "claude"), providers, strict=True):
        complete = [c for c in upstream.bill if c.ending is Ending.COMPLETE and c.told and c.cost_nano_usd]
        settled = gateway.rows(
            "SELECT count(*), sum(cost_nano_usd) FROM entry WHERE provider = ? AND state = 'SETTLED'",
            provider,
        )
        suspended = [
            Suspended(callers[str(request_id)], str(model), cost)
            for request_id, model, cost in gateway.rows(SUSPENDED, provider)
            if isinstance(cost, int)
        ]
        assert settled == [(len(complete), sum(charge.cost_nano_usd for charge in complete))]
        charged = [c for c in upstream.bill if c.cost_nano_usd]
        assert len(suspended) >= len(charged) - len(complete), "what was charged and not told is in suspense"
        assert all(row.cost_nano_usd > 0 for row in suspended)
        refuse_overspending(suspended, unknown_of(upstream))
    roles = {row[0] for row in gateway.rows("SELECT DISTINCT role FROM entry")}
    assert {"answer", "retry", "fallback", "audit", "audit_again", "escalation", "grade"} <= roles
    audits = {row[0] for row in gateway.rows("SELECT DISTINCT audit FROM answer")}
    assert {"not_needed", "confirmed", "corrected", "escalated", "follows"} <= audits
