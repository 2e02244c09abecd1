"""Plain and streamed answers: what the caller gets, what the provider is sent, what the ledger keeps."""

import json
from pathlib import Path

import openai
import pytest

from router.json_types import JsonValue
from support.gateway import RunningGateway, config_text, make_key, running_gateway, write_config
from support.upstream import Upstream, running_upstream
from support.upstream_script import Behaviour

SCHEMA = {
    "type": "object",
    "properties": {
        "total": {"type": "string", "maxLength": 20, "x-steelyard-sum": "items[].amount"},
        "items": {
            "type": "array",
            "maxItems": 5,
            "items": {"type": "object", "properties": {"amount": {"type": "string", "maxLength": 20}}},
        },
    },
    "required": ["total", "items"],
    "additionalProperties": False,
}
ASKED = {"type": "json_schema", "json_schema": {"name": "invoice", "schema": SCHEMA}}
DOCUMENT = [{"role": "user", "content": "Items\nPaper 4.00\nPens 5.50\nTotal 9.50"}]
RIGHT: JsonValue = {"total": "9.50", "items": [{"amount": "4.00"}, {"amount": "5.50"}]}
WRONG: JsonValue = {"total": "9.80", "items": [{"amount": "4.00"}, {"amount": "5.50"}]}


def test_a_plain_answer_passes_through_with_its_headers(
    gateway: RunningGateway, upstream: Upstream, key: str
) -> None:
    response = gateway.chat(
        key, temperature=0.5, unknown_field={"kept": [1, 2]}, steelyard={"purpose": "test"}
    )
    assert response.status == 200
    assert response.json["object"] == "chat.completion"
    assert "steelyard" not in response.json
    for name in ("request-id", "conversation", "plan", "route", "policy", "cost-usd"):
        assert response.headers[f"x-steelyard-{name}"], name
    sent = upstream.requests[0].json
    assert sent["unknown_field"] == {"kept": [1, 2]}
    assert sent["temperature"] == 0.5
    assert sent["max_tokens"] == 4000
    assert "steelyard" not in sent


def test_the_ledger_holds_the_providers_bill_to_the_nano(
    gateway: RunningGateway, upstream: Upstream, key: str
) -> None:
    for number in range(20):
        gateway.chat(
            key, stream=number % 2 == 0, messages=[{"role": "user", "content": "x" * number * 7 + "?"}]
        )
    rows = gateway.wait_for_rows("SELECT state, cost_nano_usd FROM entry WHERE state <> 'DISPATCHED'", 20)
    assert {state for state, _ in rows} == {"SETTLED"}
    assert sum(int(str(cost)) for _, cost in rows) == upstream.cost_nano_usd
    assert upstream.cost_nano_usd > 0


def test_the_official_client_streams_and_does_not(gateway: RunningGateway, key: str) -> None:
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key)
    answer = client.chat.completions.create(model="auto", messages=[{"role": "user", "content": "Hello"}])
    assert answer.choices[0].message.content
    assert answer.usage is not None
    stream = client.chat.completions.create(
        model="auto", messages=[{"role": "user", "content": "Hello"}], stream=True
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert text == answer.choices[0].message.content
    assert "fake-model" in [model.id for model in client.models.list()]
    client.close()


@pytest.mark.parametrize("asked", [True, False], ids=["asked for usage", "did not ask"])
def test_the_usage_event_reaches_only_who_asked_for_it(
    gateway: RunningGateway, key: str, *, asked: bool
) -> None:
    options = {"stream_options": {"include_usage": True}} if asked else {}
    events = gateway.chat(key, stream=True, **options).body.decode().split("\n\n")
    payloads = [json.loads(event[6:]) for event in events if event.startswith("data: {")]
    assert any(payload.get("usage") for payload in payloads) is asked
    assert events[-2] == "data: [DONE]"
    (entry,) = gateway.wait_for_rows(
        "SELECT input_uncached + cache_read FROM entry WHERE state = 'SETTLED'", 1
    )
    assert int(str(entry[0])) > 0


def test_details_come_back_only_if_they_were_asked_for(gateway: RunningGateway, key: str) -> None:
    details = gateway.chat(key, steelyard={"return": True}).json["steelyard"]
    assert isinstance(details, dict)
    assert details["cost_nano_usd"] > 0
    events = gateway.chat(
        key, stream=True, stream_options={"include_usage": True}, steelyard={"return": True}
    ).body.decode()
    assert '"steelyard":{"request_id":"req_' in events


@pytest.mark.parametrize("mode", ["json_schema", "tool", "json_object"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_schema_is_asked_in_the_routes_own_way_and_answered_in_the_callers(
    tmp_path: Path, mode: str, *, stream: bool
) -> None:
    with running_upstream(Behaviour(answer=RIGHT), deepseek=mode != "json_schema") as upstream:
        dialect = ", dialect: deepseek" if mode != "json_schema" else ""
        config = write_config(
            tmp_path, config_text(upstream.base_url, route=f"    schema: {mode}\n", provider=dialect)
        )
        key = make_key(config)
        with running_gateway(config) as gateway:
            response = gateway.chat(key, messages=DOCUMENT, response_format=ASKED, stream=stream)
            assert response.status == 200, response.body
            assert json.loads(_text(response.body, stream=stream)) == RIGHT
            assert b"tool_calls" not in response.body
            sent = upstream.requests[0].body
            assert b"x-steelyard" not in sent
            rows = gateway.wait_for_rows("SELECT passed, fields_checked, fields_flagged FROM answer", 1)
            assert rows == [(1, 3, 0)]


def test_checks_flag_a_wrong_field_and_say_why(tmp_path: Path) -> None:
    with running_upstream(Behaviour(answer=WRONG)) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        key = make_key(config)
        with running_gateway(config) as gateway:
            response = gateway.chat(key, messages=DOCUMENT, response_format=ASKED, steelyard={"return": True})
            details = response.json["steelyard"]
            assert isinstance(details, dict)
            flagged = [field for field in details["checks"]["fields"] if field["flagged"]]
            assert [field["field"] for field in flagged] == ["total"]
            codes = {finding["code"] for finding in flagged[0]["findings"] if finding["outcome"] == "failed"}
            assert codes == {"support.unsupported", "sum.differs"}
            request_id = response.headers["x-steelyard-request-id"]
            gateway.wait_for_rows("SELECT 1 FROM outcome WHERE flagged", 1)
            shown = gateway.request("GET", f"/v1/steelyard/requests/{request_id}", key=key)
            assert shown.status == 200
            assert b"9.80" not in shown.body, "the ledger holds no words of answers"


def test_a_score_needs_log_probabilities(tmp_path: Path) -> None:
    for logprobs, expected in (("true", False), ("false", True)):
        with running_upstream(Behaviour(answer=RIGHT)) as upstream:
            folder = tmp_path / logprobs
            config = write_config(folder, config_text(upstream.base_url, route=f"    logprobs: {logprobs}\n"))
            key = make_key(config)
            with running_gateway(config) as gateway:
                response = gateway.chat(
                    key, messages=DOCUMENT, response_format=ASKED, steelyard={"return": True}
                )
                details = response.json["steelyard"]
                assert isinstance(details, dict)
                assert all((field["score"] is None) is expected for field in details["checks"]["fields"])
                choices = response.json["choices"]
                assert isinstance(choices, list)
                assert not choices[0].get("logprobs"), "the caller did not ask for them"


def test_another_teams_request_cannot_be_seen(tmp_path: Path) -> None:
    rules = 'models: ["*"]\nplans: {cheap: [fake-model]}\nauto: {generation: cheap}\n'
    with running_upstream() as upstream:
        policies = {team: f"team: {team}\n{rules}" for team in ("finance", "legal")}
        config = write_config(tmp_path, config_text(upstream.base_url), policies)
        key, other = make_key(config), make_key(config, "legal")
        with running_gateway(config) as gateway:
            path = f"/v1/steelyard/requests/{gateway.chat(key).headers['x-steelyard-request-id']}"
            assert gateway.request("GET", path, key=key).status == 200
            assert gateway.request("GET", path, key=other).status == 404


def _text(body: bytes, *, stream: bool) -> str:
    if not stream:
        content: str = json.loads(body)["choices"][0]["message"]["content"]
        return content
    chunks = [json.loads(event[6:]) for event in body.decode().split("\n\n") if event.startswith("data: {")]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])
