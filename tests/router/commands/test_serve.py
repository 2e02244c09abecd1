"""`steelyard serve`: what keeps it from starting is a sentence; what only hurts one route is not."""

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.command_line import PROGRAM, assert_refused, environment, invoke, run
from support.gateway import config_text, make_key, running_gateway, write_config

LOCAL = 'routes:\n  local: {engine: gguf, weights: gone.gguf, price: {cpu_usd_per_hour: "0"}}\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path, config_text("http://127.0.0.1:1/v1"))


def test_a_port_in_use_is_said_with_its_number(config: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = run("serve", "--config", config, "--port", str(port))
    assert_refused(ran, 3, f"port {port} on 127.0.0.1 is in use")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "192.0.2.1"), "cannot listen on 192.0.2.1 port 0: Cannot assign requested address"),
        (("--host", "no-such-host.invalid"), "cannot listen on no-such-host.invalid port 0"),
    ],
    ids=["another machine's", "unknown"],
)
def test_a_host_that_is_not_ours_is_a_sentence(config: Path, options: tuple[str, ...], said: str) -> None:
    assert_refused(invoke("serve", "--config", config, "--port", "0", "--behind-proxy", *options), 3, said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("routes: {", "steelyard.yaml line "),
        ("ruotes: {}", "line 1: "),
        ("server: {port: 99999}", "line 1: "),
        ("\x00", "steelyard.yaml line 1"),
        ("", "steelyard.yaml line 1"),
    ],
    ids=["syntax", "misspelt", "port", "NUL", "empty"],
)
def test_a_corrupt_configuration_is_said_with_its_line(config: Path, text: str, said: str) -> None:
    config.write_text(text)
    assert_refused(invoke("serve", "--config", config), 2, said)
    assert not (config.parent / "steelyard-data").exists()


def test_a_port_beyond_the_last_is_wrong_usage(config: Path) -> None:
    ran = invoke("serve", "--config", config, "--port", "70000")
    assert ran.exit_code == 2
    assert "'--port'" in ran.stderr


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda home: (home / "ledger.sqlite").mkdir(parents=True), "ledger.sqlite"),
        (lambda home: (home.mkdir(), (home / "ledger.sqlite").write_text("x" * 99)), "ledger.sqlite is not a readable"),
        (lambda home: (home.mkdir(), (home / "state.sqlite").write_text("x" * 99)), "state.sqlite is not a readable"),
    ],
    ids=["folder for a ledger", "no ledger", "no state"],
)  # fmt: skip
def test_a_data_folder_that_cannot_be_used_is_a_sentence(
    config: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(config.parent / "steelyard-data")
    assert_refused(run("serve", "--config", config, "--port", "0"), 3, said)


def test_a_file_in_the_data_folders_place_is_the_configurations_fault(config: Path) -> None:
    (config.parent / "steelyard-data").write_text("a file")
    assert_refused(invoke("serve", "--config", config, "--port", "0"), 2, "steelyard-data")


def test_a_ledger_has_one_gateway(config: Path) -> None:
    with running_gateway(config) as gateway:
        ran = run("serve", "--config", config, "--port", "0")
        assert_refused(ran, 3, f"is in use by process {gateway.process.pid}; stop that gateway")
        assert gateway.request("GET", "/readyz").status == 200
        assert (gateway.data / "gateway.json").exists()


def test_weights_that_are_missing_close_their_route_alone(config: Path) -> None:
    config.write_text(config.read_text().replace("routes:\n", LOCAL))
    key = make_key(config)
    with running_gateway(config) as gateway:
        while (ready := gateway.request("GET", "/readyz")).json["parts"] != {
            "ledger": "ok",
            "route local": "failed",
            "policies": "ok",
        }:
            assert ready.status == 503, "it must not be ready before the weights were looked for"
        assert ready.status == 503
        assert ready.json["status"] == "not ready"
        asked = gateway.chat(key, model="local")
        assert asked.status == 503
        assert asked.error["code"] == "engine_unavailable"
        assert "gone.gguf" in str(asked.error["message"])
        assert gateway.request("GET", "/healthz").status == 200
        log = gateway.stop()
    failed = next(line for line in map(json.loads, log.splitlines()) if line.get("event") == "engine_failed")
    assert "there are no weights at" in failed["detail"]


def test_a_gateway_that_was_told_so_ends_with_its_input(config: Path) -> None:
    child = subprocess.Popen(
        [*PROGRAM, "serve", "--config", str(config), "--port", "0", "--until-stdin-ends"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"what is said there is not listened to\n")
    child.stdin.flush()
    assert child.stdout.readline().startswith(b"steelyard answers at ")
    child.communicate()
    assert child.returncode == 0
