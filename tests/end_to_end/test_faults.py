"""Providers that misbehave: the caller gets a clear error, the ledger an honest entry."""

import json
from pathlib import Path

import pytest

from support.gateway import config_text, make_key, running_gateway, write_config
from support.streams import leave_after_the_first_piece
from support.upstream import Upstream, running_upstream
from support.upstream_script import (
    BAD_REQUEST,
    RATE_LIMITED,
    SERVER_ERROR,
    UNAUTHORIZED,
    Behaviour,
    Fault,
    UsageTold,
)

ALL_IS_SHOWN = "    hidden_reasoning: false\n"
FAULTS = {
    "rate limited": (RATE_LIMITED, 429, "rate_limit_exceeded", "VOID"),
    "our key is wrong": (UNAUTHORIZED, 502, "upstream_credentials", "VOID"),
    "refused": (BAD_REQUEST, 400, "invalid_request", "VOID"),
    "server error": (SERVER_ERROR, 502, "upstream_error", "SETTLED_ESTIMATED"),
    "html": (Behaviour(fault=Fault.HTML), 502, "upstream_invalid", "POSTED_WORST"),
    "error body": (Behaviour(fault=Fault.ERROR_BODY), 502, "upstream_error", "POSTED_WORST"),
    "not json": (Behaviour(fault=Fault.INVALID_JSON), 502, "upstream_invalid", "POSTED_WORST"),
    "no object": (Behaviour(fault=Fault.NOT_AN_OBJECT), 502, "upstream_invalid", "POSTED_WORST"),
    "truncated": (Behaviour(fault=Fault.TRUNCATE), 502, "upstream_broken", "POSTED_WORST"),
    "reset": (Behaviour(fault=Fault.RESET_BEFORE_HEADERS), 502, "upstream_broken", "POSTED_WORST"),
    "a proxy gave up": (Behaviour(status=504), 502, "upstream_error", "POSTED_WORST"),
    "redirect": (
        Behaviour(status=302, headers={"location": "http://127.0.0.1:9/elsewhere"}), 502, "upstream_invalid", "VOID"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("behaviour", "status", "code", "state"), FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_fault_before_any_content_is_an_error_with_an_entry(
    tmp_path: Path, behaviour: Behaviour, status: int, code: str, state: str, *, stream: bool
) -> None:
    with running_upstream(behaviour) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        key = make_key(config)
        with running_gateway(config) as gateway:
            response = gateway.chat(key, stream=stream)
            if stream and response.status == 200:  # it broke after its first piece
                last = json.loads(response.body.decode().strip().split("\n\n")[-1][6:])
                assert last["error"]["code"] in (
                    code,
                    "upstream_error",
                    "upstream_invalid",
                    "upstream_truncated",
                )
                assert "[DONE]" not in response.body.decode()
            else:
                assert response.status == status
                assert response.error["code"] in ((code, "upstream_invalid") if stream else (code,))
            rows = gateway.wait_for_rows(
                "SELECT state, cost_nano_usd FROM entry WHERE state <> 'DISPATCHED'", 1
            )
            assert rows[0][0] == state
            assert (int(str(rows[0][1])) > 0) is (state != "VOID")
            assert gateway.wait_for_rows("SELECT status FROM answer", 1) == [("failed",)]
            assert "Traceback" not in gateway.stop()


@pytest.mark.parametrize("fault", [Fault.CUT_SHORT, Fault.TRUNCATE, Fault.RESET, Fault.ERROR_EVENT])
def test_a_stream_that_breaks_says_so_and_is_charged_for_what_came(tmp_path: Path, fault: Fault) -> None:
    with running_upstream(Behaviour(fault=fault, text="word " * 40, chunks=20, fault_after=10)) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url, route=ALL_IS_SHOWN))
        key = make_key(config)
        with running_gateway(config) as gateway:
            body = gateway.chat(key, stream=True).body.decode()
            assert '"error"' in body.strip().split("\n\n")[-1]
            assert "[DONE]" not in body
            ((output, state),) = gateway.wait_for_rows(
                "SELECT output_text, state FROM entry WHERE state <> 'DISPATCHED'", 1
            )
            assert state == "SETTLED_ESTIMATED"
            assert 5 <= int(str(output)) <= 40, "half of the words had come"


def test_a_silent_provider_times_out_and_its_bound_is_not_lost(tmp_path: Path) -> None:
    with running_upstream(Behaviour(fault=Fault.HANG_BEFORE_HEADERS)) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url, route="    idle_timeout_s: 1\n"))
        key = make_key(config)
        with running_gateway(config) as gateway:
            response = gateway.chat(key)
            assert (response.status, response.error["code"]) == (504, "upstream_timeout")
            rows = gateway.wait_for_rows(
                "SELECT state, cost_nano_usd = bound_nano_usd FROM entry WHERE state <> 'DISPATCHED'", 1
            )
            assert rows == [("POSTED_WORST", 1)]
        upstream.release()


def test_a_provider_that_cannot_be_reached_costs_nothing(tmp_path: Path) -> None:
    config = write_config(tmp_path, config_text("http://127.0.0.1:9/v1"))
    key = make_key(config)
    with running_gateway(config) as gateway:
        response = gateway.chat(key)
        assert (response.status, response.error["code"]) == (502, "upstream_unreachable")
        assert gateway.wait_for_rows("SELECT cost_nano_usd FROM entry WHERE state = 'VOID'", 1) == [(0,)]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_without_usage_the_tokens_are_counted_into_suspense_and_told_to_the_caller(
    tmp_path: Path, *, stream: bool
) -> None:
    behaviour = Behaviour(usage_told=UsageTold.NEVER, text="one two three four five")
    with running_upstream(behaviour) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url, route=ALL_IS_SHOWN))
        key = make_key(config)
        with running_gateway(config) as gateway:
            options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
            response = gateway.chat(key, steelyard={"return": True}, **options)
            assert response.status == 200
            ((state, prompt, output),) = gateway.wait_for_rows(
                "SELECT state, input_uncached, output_text FROM entry WHERE state <> 'DISPATCHED'", 1
            )
            assert (state, output) == ("SETTLED_ESTIMATED", 5)
            last = response.body.decode().strip().split("\n\n")[-2 if stream else -1].removeprefix("data: ")
            told = json.loads(last)
            assert (told["usage"]["prompt_tokens"], told["usage"]["completion_tokens"]) == (prompt, output)
            assert told["steelyard"]["usage_estimated"] is True


def test_usage_told_twice_is_counted_once(tmp_path: Path) -> None:
    with running_upstream(Behaviour(usage_told=UsageTold.TWICE)) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        key = make_key(config)
        with running_gateway(config) as gateway:
            gateway.chat(key, stream=True)
            ((tokens,),) = gateway.wait_for_rows(
                "SELECT input_uncached + cache_read FROM entry WHERE state = 'SETTLED'", 1
            )
            assert tokens == upstream.usage.prompt_tokens


def test_a_caller_that_leaves_is_read_on_for_until_the_usage_is_known(tmp_path: Path) -> None:
    behaviour = Behaviour(usage_told=UsageTold.LATE, text="word " * 50)
    with running_upstream(behaviour) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        key = make_key(config)
        with running_gateway(config) as gateway:
            leave_after_the_first_piece(gateway, key)
            for _ in range(2):  # answered by the loop that has the caller's leaving before it
                assert gateway.request("GET", "/healthz").status == 200
            upstream.release()
            rows = gateway.wait_for_rows(
                "SELECT state, output_text FROM entry WHERE state <> 'DISPATCHED'", 1
            )
            assert rows == [("SETTLED", upstream.usage.completion_tokens)]
            assert gateway.wait_for_rows("SELECT status FROM answer", 1) == [("client_left",)]


def test_the_next_route_of_the_plan_answers_when_the_first_fails(tmp_path: Path) -> None:
    with running_upstream(by_model={"fake-model": SERVER_ERROR}) as upstream:
        second = (
            '  second:\n    provider: fake\n    price: {input_usd_per_million: "1", output_usd_per_million: "2"}\n'
            "    context_window: 100000\n    max_output_tokens: 100\n"
        )
        policy = (
            'team: finance\nmodels: ["*"]\nplans: {cheap: [fake-model, second]}\nauto: {generation: cheap}\n'
        )
        config = write_config(tmp_path, config_text(upstream.base_url, rest=second), {"finance": policy})
        key = make_key(config)
        with running_gateway(config) as gateway:
            response = gateway.chat(key)
            assert response.status == 200
            assert response.headers["x-steelyard-route"] == "second"
            rows = gateway.wait_for_rows(
                "SELECT attempt_no, role, state FROM entry ORDER BY attempt_no, seq", 4
            )
            assert rows == [
                (1, "answer", "DISPATCHED"), (1, "answer", "SETTLED_ESTIMATED"),
                (2, "fallback", "DISPATCHED"), (2, "fallback", "SETTLED"),
            ]  # fmt: skip


def test_a_providers_error_text_is_not_repeated(upstream: Upstream, tmp_path: Path) -> None:
    leaky = Behaviour(status=400, error_code="bad", error_message="you said: my secret prompt")
    with running_upstream(leaky) as leaking:
        config = write_config(tmp_path, config_text(leaking.base_url))
        key = make_key(config)
        with running_gateway(config) as gateway:
            assert b"secret" not in gateway.chat(key).body
            assert "secret" not in gateway.stop()
