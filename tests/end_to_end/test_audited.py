"""The audited path through a real gateway: scripted models with a bill, and a ledger that equals it to the nano."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from router.json_types import JsonObject
from router.simulated.process import running_scripted
from router.simulated.script import Persona, Rates, Script, Skill
from support.gateway import RunningGateway, make_key, running_gateway, write_config
from support.scripted import write_documents

CHEAP = Rates(150_000_000, 75_000_000, 600_000_000)
DEAR = Rates(5_000_000_000, 500_000_000, 25_000_000_000)
CONFIG = """\
ledger: {{disk_reserve_mb: 0}}
providers:
  scripted: {{base_url: "{address}/v1"}}
  claude: {{type: anthropic, base_url: "{address}", key_env: SCRIPTED_KEY}}
routes:
  small:
    provider: scripted
    price: {{input_usd_per_million: "0.15", cache_read_usd_per_million: "0.075", output_usd_per_million: "0.60"}}
    context_window: 100000
    max_output_tokens: 2000
    logprobs: true
    simulated: true
  big:
    provider: {provider}
    premium: true
    schema: {schema}
    price: {{input_usd_per_million: "5", cache_read_usd_per_million: "0.5", output_usd_per_million: "25"}}
    context_window: 100000
    max_output_tokens: 4000
    simulated: true
  grader:
    provider: scripted
    premium: true
    price: {{input_usd_per_million: "5", cache_read_usd_per_million: "0.5", output_usd_per_million: "25"}}
    context_window: 100000
    max_output_tokens: 4000
    simulated: true
"""
POLICY = """\
team: finance
models: ["*"]
plans:
  cheap: [small]
  premium: [big]
  cheap+audit: {audit: by_risk, sample_percent: 100, criteria: it answers the question}
grading: {percent: 100, graders: [grader]}
auto: {extraction: cheap+audit, generation: cheap}
baseline: big
limits: {day_usd: "100"}
"""
SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "company": {"type": "string", "maxLength": 80},
        "date": {"type": "string", "maxLength": 20},
        "total": {"type": "string", "maxLength": 20},
    },
    "required": ["company", "date", "total"],
}
DOCUMENTS = 12


def receipts() -> list[dict[str, object]]:
    """Receipts of firms that differ; every third total is wrong in the cheap model's answer."""
    found: list[dict[str, object]] = []
    for number in range(DOCUMENTS):
        total, date = f"{number + 20}.50", f"2026-10-{number + 1:02d}"
        text = f"FIRM NUMBER {number} LTD\n12 High Street\nDate {date}\nSubtotal {number + 10}.00\nTotal {total}\nThank you"
        gold = {"company": f"FIRM NUMBER {number} LTD", "date": date, "total": total}
        cheap = {**gold, "total": f"{number + 70}.99"} if number % 3 == 0 else gold
        found.append({"text": text, "gold": gold, "cheap": cheap})
    return found


@pytest.fixture(params=["openai", "anthropic"])
def models(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The scripted models' address, and the format that premium is asked in."""
    documents = write_documents(tmp_path / "documents.jsonl", receipts())
    personas = (
        Persona("small", CHEAP, cheap=True),
        Persona("big", DEAR, Skill(1.0, 1.0, 1.0, 0.0)),
        Persona("grader", DEAR, Skill(1.0, 1.0, 1.0, 0.0)),
    )
    with running_scripted(Script(str(documents), personas, str(tmp_path / "cache"))) as address:
        yield address, request.param


@pytest.fixture
def gateway(
    models: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningGateway]:
    """A gateway before them."""
    address, form = models
    monkeypatch.setenv("SCRIPTED_KEY", "k")
    provider, schema = ("claude", "tool") if form == "anthropic" else ("scripted", "json_schema")
    config = CONFIG.format(address=address, provider=provider, schema=schema)
    with running_gateway(write_config(tmp_path, config, {"finance": POLICY})) as running:
        yield running


def ask(client: openai.OpenAI, text: str, *, stream: bool) -> tuple[Any, str | None]:
    """The answer as JSON, and the header that says what became of its audit."""
    form = {"type": "json_schema", "json_schema": {"name": "receipt", "schema": SCHEMA}}
    messages = [{"role": "user", "content": text}]
    raw = client.chat.completions.with_raw_response.create(
        model="auto",
        messages=messages,
        response_format=form,
        stream=stream,  # type: ignore[call-overload]  # fields by name
    )
    parsed = raw.parse()
    if stream:
        said = "".join(choice.delta.content or "" for chunk in parsed for choice in chunk.choices)
    else:
        said = parsed.choices[0].message.content
    return json.loads(said), raw.headers.get("x-steelyard-audit")


def bill(address: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{address}/bill") as response:  # noqa: S310  (our own server)
        purposes = json.loads(response.read())
    return {model: sum(each["cost_nano_usd"] for each in sums.values()) for model, sums in purposes.items()}


def test_wrong_values_are_corrected_and_the_ledger_equals_the_bill(
    models: tuple[str, str], gateway: RunningGateway
) -> None:
    statuses: list[str | None] = []
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=make_key(gateway.config), max_retries=0
    ) as client:
        for number, row in enumerate(receipts()):
            answer, audit = ask(client, str(row["text"]), stream=number % 2 == 1)
            assert answer == row["gold"], "the cheap model's wrong totals do not go out"
            statuses.append(audit)
    assert statuses.count("corrected") == DOCUMENTS // 3
    assert set(statuses) == {"corrected", "not_needed"}
    graded = "SELECT 1 FROM outcome WHERE check_name LIKE 'grade.%' AND field = ''"
    gateway.wait_for_rows(graded, 2 * DOCUMENTS)
    booked = gateway.rows(
        "SELECT model, SUM(cost_nano_usd) FROM entry WHERE cost_nano_usd > 0 GROUP BY model"
    )
    assert sorted(booked) == sorted(bill(models[0]).items())
    grades = gateway.rows(
        "SELECT check_name, outcome, COUNT(*) FROM outcome WHERE check_name LIKE 'grade.%' AND field = ''"
        " GROUP BY check_name, outcome ORDER BY 1, 2"
    )
    assert grades == [
        ("grade.after", "right", DOCUMENTS),
        ("grade.before", "right", DOCUMENTS * 2 // 3),
        ("grade.before", "wrong", DOCUMENTS // 3),
    ]
    assert gateway.rows("SELECT DISTINCT simulated FROM request") == [(1,)]


def test_generated_text_is_audited_and_graded_after_it_went_out(
    models: tuple[str, str], gateway: RunningGateway
) -> None:
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=make_key(gateway.config), max_retries=0
    ) as client:
        for number in range(6):
            raw = client.chat.completions.with_raw_response.create(
                model="cheap+audit",
                messages=[{"role": "user", "content": f"Say something about {number}."}],
                stream=number % 2 == 1,
            )
            assert raw.headers["x-steelyard-audit"] == "follows"
            parsed: Any = raw.parse()
            if number % 2 == 1:
                assert sum(bool(chunk.choices) for chunk in parsed) > 0
            else:
                assert "scripted answer" in (parsed.choices[0].message.content or "")
    judged = "SELECT source, check_name, outcome, COUNT(*) FROM outcome WHERE check_name != 'sample' GROUP BY 1, 2, 3"
    gateway.wait_for_rows("SELECT 1 FROM outcome WHERE check_name = 'grade.after'", 6)
    assert gateway.rows(judged) == [
        ("auditor", "audit", "right", 6),
        ("shadow", "grade.after", "right", 6),
        ("shadow", "grade.before", "right", 6),
    ]
    chosen = gateway.rows(
        "SELECT code, propensity, COUNT(*) FROM outcome WHERE check_name = 'sample' GROUP BY 1, 2"
    )
    assert chosen == [("sample.audit.chosen", 1.0, 6), ("sample.grade.chosen", 1.0, 6)]
    booked = gateway.rows(
        "SELECT model, SUM(cost_nano_usd) FROM entry WHERE cost_nano_usd > 0 GROUP BY model"
    )
    assert sorted(booked) == sorted(bill(models[0]).items())
    answers = gateway.rows("SELECT DISTINCT status, audit FROM answer")
    assert answers == [("answered", "follows")]
