"""What must stay on this machine has 503 where its engine is down, with the rule that keeps it, and no fallback."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_model.weights import SMOLLM2_FILE
from router.settings import models_folder
from support.gateway import Response, RunningGateway, make_key, running_gateway, write_config
from support.trees import copied_packages, write_played_weights
from support.upstream import Upstream, running_upstream
from support.upstream_script import Behaviour, Fault

SCHEMA = {
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "account",
            "schema": {
                "type": "object",
                "properties": {"total": {"type": "string", "maxLength": 8}},
                "required": ["total"],
                "additionalProperties": False,
            },
        },
    }
}
CONFIG = """\
ledger: {{disk_reserve_mb: 0}}
providers:
  abroad: {{base_url: "{abroad}"}}
  claude: {{type: anthropic, base_url: "{claude}"}}
routes:
  here:
    engine: gguf
    weights: "{weights}"
    model: flash
    price: {{cpu_usd_per_hour: 0}}
    context_window: 8192
    max_output_tokens: 24
    threads: 2
  flash-abroad: {{provider: abroad, model: flash, {rest}}}
  flash-claude: {{provider: claude, model: flash, {rest}}}
  opus: {{provider: claude, premium: true, {rest}}}
"""
REST = 'price: {input_usd_per_million: "1", output_usd_per_million: "2"}, context_window: 100000, max_output_tokens: 99'
POLICY = """\
team: finance
models: [flash, opus]
plans:
  cheap: [flash, opus]
  premium: [opus, flash]
  cheap+audit: {audit: always, auditors: [opus, flash]}
auto: {extraction: cheap+audit, generation: cheap}
grading: {percent: 100, graders: [opus]}
retries: 1
default_label: restricted
"""
ORGANISATION = """\
organisation: acme
rules:
  - {id: stays-here, when: {label: restricted}, require: {local_only: true}, reason: it is the law}
"""
TOLD = "no other route may be asked: route '"
FALLS = (
    "route 'flash-claude' falls by rule acme.rules.stays-here (organisation.yaml:3): "
    "it does not run on this machine (it is the law)"
)


@pytest.fixture
def hosted() -> Iterator[tuple[Upstream, Upstream]]:
    """Both formats; nobody may ask them."""
    with running_upstream() as abroad, running_upstream() as claude:
        yield abroad, claude


def config_of(folder: Path, hosted: tuple[Upstream, Upstream], weights: Path) -> Path:
    abroad, claude = (server.base_url for server in hosted)
    text = CONFIG.format(abroad=abroad, claude=claude, weights=weights, rest=REST)
    return write_config(folder, text, {"finance": POLICY, "organisation": ORGANISATION})


def every_way(gateway: RunningGateway, key: str) -> Iterator[Response]:
    for model in ("auto", "cheap", "premium", "cheap+audit", "flash"):
        for stream in (False, True):
            for fields in ({}, SCHEMA):
                yield gateway.chat(key, model=model, stream=stream, steelyard={"label": "public"}, **fields)


def assert_kept_in(response: Response) -> None:
    """503 in OpenAI's shape, whole, also where a stream was asked for; it names the rule and its place."""
    assert response.status == 503
    assert response.headers["content-type"] == "application/json"
    assert response.error["code"] == "engine_unavailable"
    message = str(response.error["message"])
    assert TOLD in message
    assert FALLS in message


def test_a_local_engine_that_is_down_is_503_with_the_rule_and_nobody_else_is_asked(
    hosted: tuple[Upstream, Upstream], tmp_path: Path
) -> None:
    with running_gateway(config_of(tmp_path, hosted, tmp_path / "none.gguf")) as gateway:
        key = make_key(gateway.config)
        gateway.wait_for_log('"event":"engine_failed"')
        for response in every_way(gateway, key):
            assert_kept_in(response)
        gateway.stop()
        assert gateway.rows("SELECT DISTINCT route FROM entry") == [("here",)]
    assert [server.heard for server in hosted] == [(), ()], "not so much as a connection"


def test_an_engine_that_is_killed_is_503_until_it_is_back_and_nothing_leaves(
    hosted: tuple[Upstream, Upstream], tmp_path: Path
) -> None:
    """The real engine, with the real model."""
    with running_gateway(config_of(tmp_path, hosted, models_folder() / SMOLLM2_FILE)) as gateway:
        key = make_key(gateway.config)
        gateway.wait_for_log('"event":"engine_ready"')
        for stream in (False, True):
            answered = gateway.chat(key, stream=stream)
            assert (answered.status, answered.headers["x-steelyard-route"]) == (200, "here")
        assert gateway.chat(key, model="cheap", **SCHEMA).status == 200
        os.kill(engine_of(gateway), signal.SIGKILL)
        for stream in (False, True):
            assert_kept_in(gateway.chat(key, stream=stream))
        gateway.stop()
        assert gateway.rows("SELECT DISTINCT route FROM entry") == [("here",)]
    assert [server.heard for server in hosted] == [(), ()], "not so much as a connection"


def engine_of(gateway: RunningGateway) -> int:
    """The process of the gateway's one engine."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        parent = status.read_text().rpartition(")")[2].split()[1]
        if int(parent) == gateway.process.pid and b"gguf_server" in (status.parent / "cmdline").read_bytes():
            return int(status.parent.name)
    raise AssertionError("the gateway has no engine")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_engine_that_talks_nonsense_is_down_and_no_fault_of_ours(
    hosted: tuple[Upstream, Upstream], tmp_path: Path, *, stream: bool
) -> None:
    tree, weights = copied_packages(tmp_path / "packages"), tmp_path / "played.gguf"
    nonsense = Behaviour(fault=Fault.INVALID_JSON, fault_after=0)  # half an event, at once
    with running_upstream(nonsense) as engine:
        write_played_weights(weights, engine)
        with running_gateway(config_of(tmp_path, hosted, weights), tree=tree) as gateway:
            key = make_key(gateway.config)
            gateway.wait_for_log('"event":"engine_ready"')
            assert_kept_in(gateway.chat(key, stream=stream))
            assert '"event":"failure"' not in gateway.stop()
