"""Scripted models over HTTP: both formats, and a bill that is the tokens sent at the stated prices."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from router.json_types import JsonObject
from router.simulated.process import running_scripted
from router.simulated.script import Persona, Rates, Script, Skill
from support.scripted import write_documents
from support.vocabularies import vocabulary

TEXT = "ACME Ltd\nTotal 12.50\n2026-11-01"
GOLD = {"company": "ACME Ltd", "total": "12.50", "date": "2026-11-01"}
CHEAP = {**GOLD, "total": "12.80"}
RATES = Rates(input_uncached=150_000_000, cache_read=75_000_000, output_text=600_000_000)
SURE = Skill(1.0, 1.0, 1.0, 0.0)
SCHEMA: JsonObject = {"type": "object", "properties": {name: {"type": "string"} for name in GOLD}}
BUNDLE: JsonObject = {"type": "object", "properties": {"receipts": {"type": "array", "items": SCHEMA}}}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("scripted")
    other: dict[str, object] = {
        "text": "BETA GmbH\nSumme 7,00",
        "gold": {"company": "BETA GmbH", "total": "7,00", "date": None},
    }
    documents = write_documents(
        folder / "documents.jsonl", [{"text": TEXT, "gold": GOLD, "cheap": CHEAP}, other]
    )
    personas = (
        Persona("cheap", RATES, cheap=True),
        Persona("premium", RATES, SURE),
        Persona("thinking", RATES, SURE, reasoning_tokens=3_000),
    )
    with running_scripted(Script(str(documents), personas, str(folder / "cache"), api_key="k")) as found:
        yield found


def post(address: str, path: str, body: dict[str, object], key: str = "k") -> Any:
    request = urllib.request.Request(  # noqa: S310  (our own server)
        f"{address}{path}", json.dumps(body).encode(), {"authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310  (our own server)
        return json.loads(response.read())


def bill(address: str) -> Any:
    with urllib.request.urlopen(f"{address}/bill") as response:  # noqa: S310  (our own server)
        return json.loads(response.read())


def openai(model: str, text: str, schema: JsonObject | None = SCHEMA) -> dict[str, object]:
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "logprobs": True,
    }
    if schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    return body


def said(answer: Any) -> Any:
    return json.loads(answer["choices"][0]["message"]["content"])


def test_premium_answers_by_gold_and_cheap_by_its_script(address: str) -> None:
    for model, expected in (("premium", GOLD), ("cheap", CHEAP)):
        answer = post(address, "/v1/chat/completions", openai(model, f"Read:\n{TEXT}"))
        assert said(answer) == expected
        tokens = answer["choices"][0]["logprobs"]["content"]
        assert "".join(token["token"] for token in tokens) == answer["choices"][0]["message"]["content"]


def test_a_bundle_is_answered_in_the_order_of_its_documents(address: str) -> None:
    text = f"BETA GmbH\nSumme 7,00\n\n{TEXT}"
    answer = post(address, "/v1/chat/completions", openai("premium", text, BUNDLE))
    assert [each["company"] for each in said(answer)["receipts"]] == ["BETA GmbH", "ACME Ltd"]


def test_the_bill_is_the_tokens_really_sent_at_the_stated_prices(address: str) -> None:
    before = bill(address).get("premium", {}).get("answer", {"cost_nano_usd": 0, "answers": 0})
    answer = post(address, "/v1/chat/completions", openai("premium", TEXT))
    usage = answer["usage"]
    count = vocabulary("o200k_base")
    assert usage["completion_tokens"] == count(answer["choices"][0]["message"]["content"])
    assert usage["prompt_tokens"] > count(TEXT)
    cost = Fraction(usage["prompt_tokens"] * 150 + usage["completion_tokens"] * 600)
    after = bill(address)["premium"]["answer"]
    assert after["cost_nano_usd"] - before["cost_nano_usd"] == cost
    assert after["answers"] - before["answers"] == 1


def test_reasoning_is_billed_with_an_answer(address: str) -> None:
    usage = post(address, "/v1/chat/completions", openai("thinking", TEXT))["usage"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 3_000
    assert usage["completion_tokens"] > 3_000


def test_anthropics_format_says_the_same(address: str) -> None:
    tool = {"name": "x", "input_schema": SCHEMA}
    body = {
        "model": "premium",
        "max_tokens": 500,
        "system": "Read the receipt.",
        "messages": [{"role": "user", "content": [{"type": "text", "text": TEXT}]}],
        "tools": [tool],
        "tool_choice": {"type": "tool", "name": "x"},
    }
    answer = post(address, "/v1/messages", body)
    assert answer["content"][0]["input"] == GOLD
    assert answer["stop_reason"] == "tool_use"


def test_generation_is_answered_with_words(address: str) -> None:
    answer = post(address, "/v1/chat/completions", openai("premium", "How are you?", None))
    assert "scripted answer" in answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize(("model", "key", "status"), [("premium", "other", 401), ("nobody", "k", 404)])
def test_a_wrong_key_and_an_unknown_model_are_refused(
    address: str, model: str, key: str, status: int
) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        post(address, "/v1/chat/completions", openai(model, TEXT), key)
    assert raised.value.code == status
    raised.value.close()


def test_a_script_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "router.simulated.server"],
        input="{}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "the script cannot be read: KeyError\n"
