"""What `steelyard quote --team` says is held for a request is what the gateway holds for it."""

import json
from pathlib import Path

import pytest

from router.commands.tables import usd
from support.audited import RIGHT, SCHEMA, TEXT, audited_gateway
from support.command_line import invoke
from support.gateway import make_key
from support.upstream_script import Behaviour


@pytest.mark.parametrize("model", ["auto", "cheap", "cheap+audit", "premium"])
def test_the_quoted_hold_of_a_plan_is_the_one_that_the_gateway_holds(tmp_path: Path, model: str) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "invoice", "schema": SCHEMA}}
    body = {"model": model, "messages": [{"role": "user", "content": TEXT}], "response_format": form}
    file = tmp_path / "request.json"
    file.write_text(json.dumps(body))
    with audited_gateway(tmp_path, Behaviour(answer=RIGHT)) as (gateway, _):
        said = invoke("quote", file, "--team", "finance", "--config", gateway.config).stdout
        assert gateway.chat(make_key(gateway.config), **body).status == 200
        ((plan, held),) = gateway.rows("SELECT plan, hold_nano_usd FROM request")
    assert isinstance(held, int)
    assert f"plan {plan} holds at most {usd(held)}: answers" in said
    assert ("; audits big" in said and "; escalates big" in said) == (plan == "cheap+audit")
