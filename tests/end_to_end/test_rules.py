"""Rules at work: what a rule closes is never asked, by whichever way; refusals say why; a changed file holds soon."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from router.commands.state_file import office
from router.settings import load_settings
from router.state.rights import Rights
from support.command_line import invoke
from support.gateway import PATIENCE_S, RunningGateway, make_key, running_gateway, write_config
from support.upstream import Upstream, running_upstream
from support.upstream_script import Behaviour, Fault

PRICE = 'price: {input_usd_per_million: "1", output_usd_per_million: "2"}'
SIZE = "context_window: 100000\n    max_output_tokens: 4000"
SECRET = "Der Kontostand beträgt 4711,00 EUR"
ORGANISATION = """\
organisation: acme
default_label: internal
rules:
  - id: restricted-stays-here
    when: {label: restricted}
    require: {on_premises_only: true}
  - id: europe
    when: {project: [eu]}
    require: {jurisdiction: [EU]}
"""
FINANCE = """\
team: finance
models: [flash, opus]
plans:
  cheap: [flash]
  premium: [opus]
  cheap+audit: {audit: always, sample_percent: 100}
auto: {extraction: cheap+audit, generation: cheap}
grading: {percent: 100, graders: [opus]}
retries: 1
limits: {month_usd: "1000"}
rules:
  - id: no-tools
    when: {tools: true}
    deny: true
    reason: tools are not for this team; leave them out
  - id: small
    when: {purpose: [trial]}
    limit: {request_usd: "0.0001"}
"""
SCHEMA = {
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "account", "schema": {"type": "object", "properties": {"total": {"type": "string"}}}},
    }
}  # fmt: skip
TOOL = {"type": "function", "function": {"name": "book", "parameters": {"type": "object"}}}


def config_text(here: str, abroad: str) -> str:
    return f"""\
ledger: {{disk_reserve_mb: 0}}
providers:
  abroad: {{base_url: "{abroad}", jurisdiction: US}}
  ours: {{base_url: "{here}", runs: on_premises, jurisdiction: DE}}
routes:
  flash-abroad:
    provider: abroad
    model: flash
    {PRICE}
    {SIZE}
  flash-here:
    provider: ours
    model: flash
    {PRICE}
    {SIZE}
  opus:
    provider: abroad
    premium: true
    {PRICE}
    {SIZE}
"""


@pytest.fixture
def here() -> Iterator[Upstream]:
    """The operator's own server."""
    with running_upstream() as running:
        yield running


@pytest.fixture
def abroad() -> Iterator[Upstream]:
    """Somebody else's, in another country."""
    with running_upstream() as running:
        yield running


@pytest.fixture
def gateway(here: Upstream, abroad: Upstream, tmp_path: Path) -> Iterator[RunningGateway]:
    config = write_config(
        tmp_path,
        config_text(here.base_url, abroad.base_url),
        {"organisation": ORGANISATION, "finance": FINANCE},
    )
    with running_gateway(config) as running:
        yield running


@pytest.fixture
def key(gateway: RunningGateway) -> str:
    return make_key(gateway.config)


def broken(_request: object) -> Behaviour:
    return Behaviour(status=503)


def reset(_request: object) -> Behaviour:
    return Behaviour(fault=Fault.RESET_BEFORE_HEADERS)


def test_nothing_of_a_restricted_request_leaves_whatever_fails_and_whoever_is_named(
    gateway: RunningGateway, here: Upstream, abroad: Upstream, key: str
) -> None:
    fine = here.behave
    for behave, model, stream, fields in itertools.product(
        (fine, broken, reset), ("auto", "cheap", "cheap+audit", "premium", "flash", "opus"), (False, True), ({}, SCHEMA)
    ):  # fmt: skip
        here.behave = behave
        message = [{"role": "user", "content": SECRET}]
        asked = gateway.chat(
            key, model=model, stream=stream, messages=message, steelyard={"label": "restricted"}, **fields
        )
        if model in ("premium", "opus"):
            assert asked.status == 403
        elif behave is fine:
            assert asked.status == 200
            assert asked.headers["x-steelyard-route"] == "flash-here"
        else:
            assert asked.status >= 500, "no fallback to where it may not go"
    gateway.stop()  # what follows an answer is over, too
    assert abroad.requests == ()
    bodies = [request.body for request in here.requests]
    assert all(b"4711,00" in body for body in bodies)
    assert bodies


def test_an_open_request_takes_the_ways_that_a_restricted_one_may_not(
    gateway: RunningGateway, here: Upstream, abroad: Upstream, key: str
) -> None:
    """The recorder would see a leak: with the same text and no label, it does."""
    assert gateway.chat(key, messages=[{"role": "user", "content": SECRET}]).status == 200
    first, *_ = abroad.wait_for_requests(1)
    assert b"4711,00" in first.body
    assert here.requests == ()


def test_a_refusal_names_the_rule_its_place_and_what_each_route_lacks(
    gateway: RunningGateway, key: str
) -> None:
    refused = gateway.chat(key, model="premium", steelyard={"label": "restricted"})
    assert (refused.status, refused.error["code"]) == (403, "policy_denied")
    assert refused.error["message"] == (
        "no route is left for 'premium': route 'opus' falls by rule acme.rules.restricted-stays-here "
        "(organisation.yaml:4): it does not run on the operator's own machines "
        "(rules: acme.rules.restricted-stays-here at organisation.yaml:4)"
    )
    with_tools = gateway.chat(key, tools=[TOOL])
    assert with_tools.status == 403
    assert "finance.rules.no-tools (finance.yaml:12): tools are not for this team" in str(
        with_tools.error["message"]
    )
    assert gateway.rows("SELECT * FROM request") == []


def test_a_row_has_the_label_in_force_and_the_rules_that_took_something(
    gateway: RunningGateway, key: str
) -> None:
    assert gateway.chat(key).status == 200
    assert gateway.chat(key, steelyard={"label": "public"}).status == 200
    assert gateway.chat(key, steelyard={"label": "restricted"}).status == 200
    rows = gateway.wait_for_rows("SELECT label, rule_ids, routes FROM request ORDER BY at_us", 3)
    granted = "finance.auto.generation,finance.plans.cheap"
    assert rows == [
        ("internal", granted, "flash-abroad,flash-here"),
        ("internal", granted, "flash-abroad,flash-here"),
        ("restricted", f"{granted},acme.rules.restricted-stays-here", "flash-here"),
    ]


def test_a_rules_limit_bounds_a_request(gateway: RunningGateway, key: str) -> None:
    refused = gateway.chat(key, steelyard={"purpose": "trial"}, max_tokens=3_000)
    assert refused.status == 402
    assert "limit 0.0001 USD a request" in str(refused.error["message"])


def test_the_list_of_models_holds_what_a_key_may_ask(gateway: RunningGateway, key: str) -> None:
    with office(load_settings(gateway.config)) as opened:
        opened.directory.create_project("finance", "eu")
        european = opened.register.create("finance", "", Rights(project="eu"))[1]
    assert listed(gateway, key) == ["auto", "cheap", "cheap+audit", "premium", "flash", "opus"]
    assert listed(gateway, european) == ["auto", "cheap", "cheap+audit", "flash"]
    assert gateway.chat(european).headers["x-steelyard-route"] == "flash-here"


def listed(gateway: RunningGateway, key: str) -> list[str]:
    found = gateway.request("GET", "/v1/models", key=key).json["data"]
    assert isinstance(found, list)
    return [str(model["id"]) for model in found]


def until(holds: Callable[[], bool]) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it is not so yet"


def test_a_changed_file_is_in_force_soon_and_one_that_is_wrong_changes_nothing_and_is_told(
    gateway: RunningGateway, key: str
) -> None:
    path = gateway.config.parent / "policies" / "finance.yaml"
    closed = FINANCE + "  - id: closed\n    deny: true\n    reason: the year is closed\n"

    def told() -> str:
        response = gateway.request("GET", "/readyz")
        assert response.status == 200, "it answers by the policies from before"
        parts = response.json["parts"]
        assert isinstance(parts, dict)
        return str(parts["policies"])

    assert gateway.chat(key).status == 200
    path.write_text(closed)
    until(lambda: gateway.chat(key).status == 403)
    path.write_text(closed + "rulez: []\n")
    until(lambda: told() != "ok")
    assert told() == "finance.yaml line 22: unknown key 'rulez'; did you mean 'rules'?"
    assert gateway.chat(key).status == 403
    path.write_text(FINANCE.replace('month_usd: "1000"', 'month_usd: "0"'))
    until(lambda: told() == "ok")
    assert gateway.chat(key).status == 402
    changes = gateway.rows("SELECT action FROM change WHERE object_kind = 'policy' AND object_id = 'finance'")
    assert changes == [("loaded",)] * 3
    log = gateway.stop()
    assert log.count('"event":"policies_loaded"') == 2
    assert log.count('"event":"policies_refused"') == 1


WHERE = """
    SELECT r.label, e.route, e.runs, e.place, e.jurisdiction, e.weights_origin, e.state FROM entry e
    JOIN request r ON r.request_id = e.request_id ORDER BY e.seq
"""


def test_the_ledger_keeps_where_each_attempt_ran_as_of_its_dispatch(
    here: Upstream, abroad: Upstream, tmp_path: Path
) -> None:
    text = config_text(here.base_url, abroad.base_url)
    config = write_config(tmp_path, text, {"finance": FINANCE.replace("grading", "#grading")})
    with running_gateway(config) as running:
        key = make_key(config)
        assert running.chat(key, steelyard={"label": "restricted"}).status == 200
        running.stop()
    moved = text.replace("jurisdiction: US}", "jurisdiction: CA, place: toronto}")
    config.write_text(moved.replace("model: flash\n", "model: flash\n    weights_origin: CN\n", 1))
    with running_gateway(config) as running:
        assert running.chat(make_key(config)).status == 200
        running.stop()
        rows = running.rows(WHERE)
    before = ("restricted", "flash-abroad", "hosted", None, "US", None)
    after = (None, "flash-abroad", "hosted", "toronto", "CA", "CN")
    assert rows == [(*each, state) for each in (before, after) for state in ("DISPATCHED", "SETTLED")]
    told = invoke("report", "--by", "origin,jurisdiction,label", "--format", "csv", "--config", config)
    keys = sorted(line.split(",")[:3] for line in told.stdout.splitlines())
    assert keys == [
        ["CN", "CA", ""],
        ["not stated", "US", "restricted"],
        ["origin", "jurisdiction", "label"],
    ]
