"""What nobody expected: the caller gets an error in the usual shape, the log its place, and neither more."""

import json
import sqlite3
from pathlib import Path

from support.gateway import config_text, make_key, running_gateway, write_config

CANARY = "req_canary7f3a91"


def test_an_unexpected_error_of_a_fastapi_route_is_our_500_and_is_logged_once(tmp_path: Path) -> None:
    config = write_config(tmp_path, config_text("http://127.0.0.1:9/v1"))
    key = make_key(config)
    with running_gateway(config) as gateway:
        with sqlite3.connect(gateway.data / "ledger.sqlite") as other:
            other.execute("ALTER TABLE request RENAME TO elsewhere")
        other.close()
        response = gateway.request("GET", f"/v1/steelyard/requests/{CANARY}", key=key)
        log = gateway.stop()
    assert (response.status, response.headers["content-type"]) == (500, "application/json")
    assert (response.error["type"], response.error["code"]) == ("server_error", "internal_error")
    request_id = response.headers["x-steelyard-request-id"]
    assert request_id in str(response.error["message"])
    events = [json.loads(line) for line in log.splitlines()]
    (failure,) = [event for event in events if event["event"] not in ("ready", "request")]
    assert (failure["event"], failure["request_id"]) == ("failure", request_id)
    assert any("history" in place for place in failure["places"])
    assert key not in log
    assert "Traceback" not in log + response.body.decode()
