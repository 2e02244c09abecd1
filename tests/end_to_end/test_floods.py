"""Providers that send without end: the gateway stops reading, stays small, and goes on answering."""

import json
from pathlib import Path

import pytest

from support.gateway import config_text, make_key, running_gateway, write_config
from support.processes import peak_bytes
from support.streams import leave_after_the_first_piece
from support.upstream import running_upstream
from support.upstream_script import Behaviour, Fault

MEBIBYTE = 1024 * 1024
ENDLESS = Behaviour(fault=Fault.ENDLESS, text="lorem " * 10_000, chunks=1)
ONE_LETTER = Behaviour(fault=Fault.ENDLESS, text="a", chunks=1)
ENTRY = "SELECT state, cost_nano_usd <= bound_nano_usd, overage, error FROM entry WHERE state <> 'DISPATCHED'"


def config_of(folder: Path, base_url: str, *, claude: bool = False, route: str = "") -> Path:
    """A configuration whose provider speaks OpenAI's format or Anthropic's."""
    text = config_text(base_url, provider=", type: anthropic" if claude else "", route=route)
    return write_config(folder, text.replace("    tokenizer: cl100k_base\n", "") if claude else text)


@pytest.mark.parametrize("claude", [False, True], ids=["OpenAI's format", "Anthropic's"])
@pytest.mark.parametrize("behaviour", [ENDLESS, ONE_LETTER], ids=["long chunks", "tiny chunks"])
def test_a_stream_without_end_is_broken_off_and_settled_within_its_bound(
    tmp_path: Path, behaviour: Behaviour, *, claude: bool
) -> None:
    with running_upstream(behaviour) as upstream:
        config = config_of(tmp_path, upstream.base_url, claude=claude)
        key = make_key(config)
        with running_gateway(config) as gateway:
            at_rest = peak_bytes(gateway.process.pid)
            body = gateway.chat(key, stream=True, max_tokens=100).body
            last = json.loads(body.strip().split(b"\n\n")[-1].removeprefix(b"data: "))
            assert last["error"]["code"] == "upstream_invalid"
            assert len(body) < 80 * MEBIBYTE
            ((_, within_bound, overage, error),) = gateway.wait_for_rows(ENTRY, 1)
            assert (within_bound, overage, error) == (1, 0, "upstream_invalid")
            assert peak_bytes(gateway.process.pid) - at_rest < 100 * MEBIBYTE


def test_a_stream_without_end_is_read_no_further_after_its_caller_has_left(tmp_path: Path) -> None:
    with running_upstream(ENDLESS) as upstream:
        config = config_of(tmp_path, upstream.base_url)
        key = make_key(config)
        with running_gateway(config) as gateway:
            at_rest = peak_bytes(gateway.process.pid)
            leave_after_the_first_piece(gateway, key)
            ((_, within_bound, overage, error),) = gateway.wait_for_rows(ENTRY, 1)
            assert (within_bound, overage, error) == (1, 0, "upstream_invalid")
            assert gateway.wait_for_rows("SELECT status FROM answer", 1) == [("client_left",)]
            assert peak_bytes(gateway.process.pid) - at_rest < 100 * MEBIBYTE


def test_the_deadline_holds_in_a_flood_and_others_are_answered_meanwhile(tmp_path: Path) -> None:
    """A limit of a hundred million tokens lets more through than can come in a second."""
    with running_upstream(ONE_LETTER) as upstream:
        config = config_of(tmp_path, upstream.base_url, route="    deadline_s: 1\n")
        text = config.read_text().replace(": 100000\n", ": 100000000\n").replace(": 4000\n", ": 90000000\n")
        config.write_text(text)
        key = make_key(config)
        with running_gateway(config) as gateway:
            leave_after_the_first_piece(gateway, key)
            while not gateway.rows(ENTRY):
                assert gateway.request("GET", "/healthz").status == 200
            assert gateway.rows(ENTRY)[0][1:] == (1, 0, "upstream_timeout")
