"""What nobody expected: the caller gets an error in the usual shape, the log its place, and neither more."""

import json
import sqlite3
from pathlib import Path

import pytest

from support import failing_gateway
from support.gateway import config_text, make_key, running_gateway, write_config
from support.upstream import running_upstream

CANARY = "req_canary7f3a91"
FAILING = (str(failing_gateway.__file__),)
BOOKED = """\
SELECT entry.state, entry.cost_nano_usd > 0, entry.cost_nano_usd <= entry.bound_nano_usd, entry.error, answer.error
FROM entry JOIN answer USING (request_id) WHERE entry.state <> 'DISPATCHED'"""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_unexpected_error_after_a_dispatch_is_our_500_and_what_was_spent_stays_booked(
    tmp_path: Path, *, stream: bool
) -> None:
    with running_upstream() as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        key = make_key(config)
        with running_gateway(config, program=FAILING) as gateway:
            messages = [{"role": "user", "content": CANARY}]
            response = gateway.chat(key, messages=messages, stream=stream)
            booked = gateway.wait_for_rows(BOOKED, 1)
            log = gateway.stop()
    last = response.body.strip().split(b"\n\n")[-1].removeprefix(b"data: ")
    error = json.loads(last)["error"]
    request_id = response.headers["x-steelyard-request-id"]
    assert response.status == (200 if stream else 500)
    assert error == {
        "message": f"the gateway failed; its log tells more of {request_id}",
        "type": "server_error",
        "param": None,
        "code": "internal_error",
    }
    assert booked == [("POSTED_WORST", 1, 1, "internal_error", "internal_error")]
    events = [json.loads(line) for line in log.splitlines()]
    (failure,) = [event for event in events if event["event"] not in ("ready", "request")]
    assert (failure["event"], failure["request_id"], failure["error"]) == ("failure", request_id, "KeyError")
    assert CANARY not in log + response.body.decode()


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
