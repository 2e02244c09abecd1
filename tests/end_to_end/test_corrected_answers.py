"""After an audit, all that is told describes what went out: body, headers, `steelyard` object, rows and commands."""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.audited import DOUBTFUL, RIGHT, SCHEMA, TEXT, audited_gateway, extract_from, said_in, verdicts
from support.command_line import invoke, run
from support.gateway import Response, RunningGateway, make_key
from support.upstream_script import Behaviour, Fault

TOKENS = """SELECT SUM(input_uncached + cache_read), SUM(output_text + output_reasoning) FROM entry
    WHERE state = 'SETTLED'"""
TOTALS = "SELECT source, flagged, MIN(outcome) FROM outcome WHERE source LIKE '%check' AND field = 'total' GROUP BY 1, 2"


@dataclass(frozen=True, slots=True)
class Answered:
    """A corrected answer, and the gateway that gave it."""

    gateway: RunningGateway
    response: Response

    @property
    def details(self) -> Any:
        """The `steelyard` object."""
        return json.loads(self.response.body)["steelyard"]


@pytest.fixture
def corrected(tmp_path: Path) -> Iterator[Answered]:
    cheap = Behaviour(answer=DOUBTFUL)
    with audited_gateway(tmp_path, cheap, judge=verdicts("wrong", "12.50")) as (gateway, _):
        response = extract_from(gateway, logprobs=True)
        gateway.wait_for_rows("SELECT 1 FROM answer", 1)
        yield Answered(gateway, response)


def flagged(checks: Any) -> list[str]:
    return [field["field"] for field in checks["fields"] if field["flagged"]]


def test_the_checks_are_those_of_the_corrected_answer(corrected: Answered) -> None:
    assert said_in(corrected.response) == RIGHT
    assert corrected.response.headers["x-steelyard-audit"] == corrected.details["audit"] == "corrected"
    checks = corrected.details["checks"]
    assert (checks["passed"], flagged(checks)) == (True, [])
    fields = {field["field"]: field for field in checks["fields"]}
    (support,) = [each for each in fields["total"]["findings"] if each["check"] == "support"]
    assert "12.50" in support["evidence"]["text"]
    assert fields["total"]["score"] is None, "the model said nothing of how sure it is of the correction"
    assert fields["company"]["score"] is not None


def test_no_log_probabilities_of_words_that_did_not_go_out(corrected: Answered) -> None:
    (choice,) = json.loads(corrected.response.body)["choices"]
    assert choice["logprobs"] is None


def test_attempts_and_tokens_are_those_that_the_cost_is_for(corrected: Answered) -> None:
    ((tokens_in, tokens_out),) = corrected.gateway.rows(TOKENS)
    assert corrected.details["attempts"] == 2
    assert corrected.details["tokens"] == {"input": tokens_in, "output": tokens_out}
    assert corrected.details["cost_usd"] == corrected.response.headers["x-steelyard-cost-usd"]
    usage = json.loads(corrected.response.body)["usage"]
    assert isinstance(tokens_out, int)
    assert usage["completion_tokens"] < tokens_out, "`usage` is the answering model's own"


def test_the_rows_keep_why_it_was_doubted_and_what_went_out(corrected: Answered) -> None:
    assert corrected.gateway.rows("SELECT audit, passed, fields_flagged FROM answer") == [("corrected", 1, 0)]
    assert sorted(corrected.gateway.rows(TOTALS)) == [("check", 1, "failed"), ("recheck", 0, "passed")]


def test_show_tells_the_checks_of_what_went_out_apart(corrected: Answered) -> None:
    request_id = corrected.response.headers["x-steelyard-request-id"]
    told = invoke("show", request_id, "--config", corrected.gateway.config).stdout
    assert "gave the answer, which was corrected" in told
    assert "HTTP 200, audit corrected, passed its checks: 0 of 2 fields flagged" in told
    before, _, after = told.partition("checks of attempt 1, as corrected: what went out")
    assert "checks of attempt 1\n" in before
    assert "flagged" in before.partition("checks of attempt 1\n")[2]
    assert "failed" not in after.partition("judged")[0]


def test_extract_tells_what_went_out_and_counts_the_tokens_of_the_audit(corrected: Answered) -> None:
    folder = corrected.gateway.config.parent
    (folder / "invoice.schema.json").write_text(json.dumps(SCHEMA))
    (folder / "one.txt").write_text(TEXT)
    env = {"STEELYARD_URL": corrected.gateway.url, "STEELYARD_API_KEY": make_key(corrected.gateway.config)}
    ran = run("extract", "--schema", folder / "invoice.schema.json", folder / "one.txt", env=env)
    (line,) = map(json.loads, ran.stdout.splitlines())
    assert (line["answer"], line["audit"], line["passed"], line["flagged"]) == (RIGHT, "corrected", True, [])
    corrected.gateway.wait_for_rows("SELECT 1 FROM answer", 2)
    newest = "SELECT MAX(request_id) FROM request"
    ((tokens_in, tokens_out),) = corrected.gateway.rows(f"{TOKENS} AND request_id = ({newest})")
    assert f"tokens     {tokens_in} in, {tokens_out} out" in " ".join(ran.stderr.decode().split("\n"))


def test_what_is_corrected_in_part_and_passes_is_described_as_it_went_out(tmp_path: Path) -> None:
    cheap = Behaviour(answer={"company": "Nobody Inc", "total": "99.99"})

    judge = verdicts("wrong", "12.50", on="total", otherwise="cannot_tell")
    audits = "{audit: by_risk, when_unsettled: pass}"
    with audited_gateway(tmp_path, cheap, judge=judge, audits=audits) as (gateway, _):
        response = extract_from(gateway)
        gateway.wait_for_rows("SELECT 1 FROM answer", 1)
        assert gateway.rows("SELECT audit, passed, fields_flagged FROM answer") == [("doubtful", 0, 1)]
    assert said_in(response) == {"company": "Nobody Inc", "total": "12.50"}
    assert flagged(json.loads(response.body)["steelyard"]["checks"]) == ["company"]


def test_a_forced_tools_arguments_are_corrected_and_described(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "bill", "parameters": SCHEMA}}
    with audited_gateway(tmp_path, Behaviour(answer=DOUBTFUL), judge=verdicts("wrong", "12.50")) as running:
        gateway, _ = running
        response = gateway.chat(
            make_key(gateway.config),
            messages=[{"role": "user", "content": TEXT}],
            tools=[tool],
            tool_choice={"type": "function", "function": {"name": "bill"}},
            steelyard={"return": True},
        )
    body = json.loads(response.body)
    (call,) = body["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == RIGHT
    assert (body["steelyard"]["audit"], flagged(body["steelyard"]["checks"])) == ("corrected", [])


def test_an_escalated_answer_is_described_and_the_cheap_ones_checks_stand_apart(tmp_path: Path) -> None:
    with audited_gateway(tmp_path, Behaviour(answer=DOUBTFUL), judge=verdicts("cannot_tell")) as running:
        gateway, _ = running
        response = extract_from(gateway)
        gateway.wait_for_rows("SELECT 1 FROM answer", 1)
        ((tokens_in, tokens_out),) = gateway.rows(TOKENS)
        request_id = response.headers["x-steelyard-request-id"]
        told = invoke("show", request_id, "--config", gateway.config).stdout
    details = json.loads(response.body)["steelyard"]
    assert (response.headers["x-steelyard-route"], details["route"]) == ("big", "big")
    assert (details["attempts"], details["checks"]["passed"]) == (3, True)
    assert details["tokens"] == {"input": tokens_in, "output": tokens_out}
    assert told.index("checks of attempt 1\n") < told.index("checks of attempt 3: what went out")


def test_a_stream_that_was_held_back_says_at_its_end_what_went_out(tmp_path: Path) -> None:
    with audited_gateway(tmp_path, Behaviour(answer=DOUBTFUL), judge=verdicts("wrong", "12.50")) as running:
        gateway, _ = running
        response = extract_from(gateway, stream=True, stream_options={"include_usage": True}, logprobs=True)
    events = [
        json.loads(line.removeprefix("data: "))
        for line in response.body.decode().splitlines()
        if line.startswith("data: {")
    ]
    said = "".join(each["delta"].get("content", "") for event in events for each in event["choices"])
    assert json.loads(said) == RIGHT
    assert not any(each.get("logprobs") for event in events for each in event["choices"])
    details = events[-1]["steelyard"]
    assert response.headers["x-steelyard-audit"] == details["audit"] == "corrected"
    assert (details["attempts"], flagged(details["checks"])) == (2, [])


def test_a_head_that_goes_out_before_the_audit_does_not_say_what_became_of_it(tmp_path: Path) -> None:
    cheap = Behaviour(answer=DOUBTFUL, fault=Fault.HANG_BEFORE_HEADERS)
    with audited_gateway(tmp_path, cheap, judge=verdicts("wrong", "12.50")) as (gateway, upstream):
        form = {"type": "json_schema", "json_schema": {"name": "invoice", "schema": SCHEMA}}
        body = {
            "model": "auto",
            "messages": [{"role": "user", "content": TEXT}],
            "response_format": form,
            "stream": True,
        }
        request = urllib.request.Request(  # noqa: S310  (our own gateway)
            f"{gateway.url}/v1/chat/completions",
            json.dumps(body).encode(),
            {"authorization": f"Bearer {make_key(gateway.config)}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:  # noqa: S310  (our own gateway)
            assert response.headers["x-steelyard-audit"] == "pending"
            assert "x-steelyard-route" not in response.headers
            upstream.release()
            assert b"12.50" in response.read()
        gateway.wait_for_rows("SELECT 1 FROM answer", 1)
        assert gateway.rows("SELECT audit FROM answer") == [("corrected",)]
