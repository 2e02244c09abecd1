"""kill -9 under load, a full disk, and starts that cannot work."""

import json
import random
import resource
import socket
import subprocess
import sys
import threading
from http.client import HTTPException
from pathlib import Path

import pytest

from support.gateway import POLICY, RunningGateway, config_text, make_key, running_gateway, write_config
from support.upstream import running_upstream
from support.upstream_script import Behaviour


def load(
    gateway: RunningGateway,
    key: str,
    answered: list[str],
    *,
    stream: bool,
    wanted: int,
    enough: threading.Event,
) -> None:
    """Ask until the gateway is gone; keep the ids of what was answered whole."""
    while True:
        try:
            response = gateway.chat(key, stream=stream)
        except (OSError, HTTPException, ValueError):
            return
        if response.status == 200 and (not stream or response.body.endswith(b"[DONE]\n\n")):
            answered.append(response.headers["x-steelyard-request-id"])
            if len(answered) >= wanted:
                enough.set()


def kill_under_load(gateway: RunningGateway, key: str, wanted: int) -> list[str]:
    """Load the gateway from 8 threads, half of them streaming, and kill it after `wanted` answers; return
    the requests that were answered."""
    enough = threading.Event()
    answered: list[str] = []
    threads = [
        threading.Thread(
            target=load,
            args=(gateway, key, answered),
            kwargs={"stream": number % 2 == 0, "wanted": wanted, "enough": enough},
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    gateway.kill()
    for thread in threads:
        thread.join()
    return answered


UNSETTLED = """
    SELECT count(*) FROM entry d WHERE state = 'DISPATCHED'
    AND NOT EXISTS (SELECT 1 FROM entry t WHERE t.attempt_id = d.attempt_id AND t.state <> 'DISPATCHED')
"""


def test_after_kill_9_every_answer_has_its_entry_and_every_dispatch_is_posted(
    tmp_path: Path, kills: int, kill_seed: int
) -> None:
    chance = random.Random(kill_seed)  # noqa: S311  (a test's seed, no secret)
    answered: set[str] = set()
    with running_upstream(Behaviour(latency_s=0.005)) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        key = make_key(config)
        sys.stdout.write(
            f"\n{kills} kills, seed {kill_seed}\nkill  after  answered  dispatched  settled  posted at bound\n"
        )
        for number in range(1, kills + 1):
            wanted = chance.randint(5, 60)
            with running_gateway(config) as gateway:
                answered.update(kill_under_load(gateway, key, wanted))
            with running_gateway(config) as gateway:  # the start finds what was left open
                assert gateway.rows(UNSETTLED) == [(0,)]
                states = {
                    str(state): int(str(rows))
                    for state, rows in gateway.rows("SELECT state, count(*) FROM entry GROUP BY state")
                }
                found = {row[0] for row in gateway.rows("SELECT request_id FROM entry")}
                assert answered <= found
                worst = gateway.rows(
                    "SELECT cost_nano_usd, bound_nano_usd FROM entry WHERE state = 'POSTED_WORST'"
                )
                assert all(cost == bound for cost, bound in worst)
                assert states["DISPATCHED"] >= len(upstream.requests), "nothing is sent unwritten"
                assert gateway.rows("SELECT count(*) FROM request") == gateway.rows(
                    "SELECT count(*) FROM answer"
                )
                assert gateway.rows("PRAGMA integrity_check") == [("ok",)]
                assert gateway.chat(key).status == 200
            settled = states.get("SETTLED", 0)
            sys.stdout.write(
                f"{number:4}{wanted:7}{len(answered):10}{states['DISPATCHED']:12}{settled:9}{len(worst):17}\n"
            )


def test_below_the_disk_reserve_new_work_is_503_before_dispatch(tmp_path: Path) -> None:
    with running_upstream() as upstream:
        text = config_text(upstream.base_url).replace("disk_reserve_mb: 0", "disk_reserve_mb: 1000000")
        config = write_config(tmp_path, text)
        key = make_key(config)
        with running_gateway(config) as gateway:
            response = gateway.chat(key)
            assert (response.status, response.error["code"]) == (503, "ledger_unavailable")
            assert "MiB are free" in str(response.error["message"])
            assert upstream.requests == ()
            assert gateway.request("GET", "/readyz").status == 503


def test_on_a_full_disk_what_was_dispatched_keeps_its_row(tmp_path: Path) -> None:
    """The process may write no file beyond 4 MB: SQLite's WAL hits that as it would a full disk."""
    with running_upstream() as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        key = make_key(config)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        with running_gateway(config) as gateway:
            resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (4_000_000, hard))
            statuses = []
            while 503 not in statuses:
                statuses.append(gateway.chat(key).status)
            assert set(statuses) == {200, 503}
            resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (soft, hard))
            while gateway.chat(key).status != 200:
                continue  # it comes back by itself once there is room
        with running_gateway(config) as gateway:
            ((dispatched,),) = gateway.rows("SELECT count(*) FROM entry WHERE state = 'DISPATCHED'")
            ((ended,),) = gateway.rows("SELECT count(*) FROM entry WHERE state <> 'DISPATCHED'")
            assert dispatched == ended == len(upstream.requests)


def fails_to_start(config: Path, *options: str) -> tuple[int, str]:
    """Try to start a gateway that cannot; return its exit code and what it said."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "router.commands.main",
            "serve",
            "--config",
            str(config),
            *(options or ("--port", "0")),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr


CONFIGS = {
    "not yaml": ("routes: [", 2, "this is not YAML"),
    "unknown key": ("ruotes: {}\n", 2, "unknown key 'ruotes'; did you mean 'routes'?"),
    "no routes": ("providers: {}\n", 2, "routes is empty"),
    "unknown provider": (config_text("http://127.0.0.1:9").replace("provider: fake", "provider: fkae"), 2, "did you mean 'fake'?"),
    "no price": (config_text("http://127.0.0.1:9").replace("    price:", "    # price:"), 2, "an unknown price is never zero"),
    "unlisted price": (
        config_text("http://127.0.0.1:9") + "  other: {provider: fake, price: gpt-4o-mni, context_window: 1000, max_output_tokens: 9}\n",
        2, "did you mean gpt-4o-mini",
    ),
    "negative price": (config_text("http://127.0.0.1:9").replace('"2"', '"-2"'), 2, "is negative"),
    "no such port": (config_text("http://127.0.0.1:9") + "server: {port: 99999}\n", 2, "server.port is 99999"),
    "key that is not set": (
        config_text("http://127.0.0.1:9", provider=", key_env: STEELYARD_TEST_UNSET"), 2, "STEELYARD_TEST_UNSET is not set"
    ),
    "address with a password": (config_text("http://user:pass@127.0.0.1:9"), 2, "holds a user or a password"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code", "said"), CONFIGS.values(), ids=CONFIGS.keys())
def test_a_corrupt_config_is_one_sentence_with_its_place(
    tmp_path: Path, text: str, code: int, said: str
) -> None:
    found, message = fails_to_start(write_config(tmp_path, text))
    assert found == code, message
    assert said in message
    assert len(message.strip().splitlines()) == 1


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    config = write_config(tmp_path, config_text("http://127.0.0.1:9/v1"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, message = fails_to_start(config, "--port", str(taken.getsockname()[1]))
    assert (code, "is in use" in message) == (3, True)


def test_a_second_gateway_on_the_same_ledger_is_refused(tmp_path: Path) -> None:
    config = write_config(tmp_path, config_text("http://127.0.0.1:9/v1"))
    with running_gateway(config) as gateway:
        code, message = fails_to_start(config, "--port", "0")
    assert code == 3
    assert f"in use by process {gateway.process.pid}" in message


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"\0" * 8192], ids=["text", "zeros"])
def test_a_corrupt_ledger_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    config = write_config(tmp_path, config_text("http://127.0.0.1:9/v1"))
    ledger = tmp_path / "steelyard-data" / "ledger.sqlite"
    ledger.parent.mkdir()
    ledger.write_bytes(content)
    code, message = fails_to_start(config)
    assert code == 3
    assert "restore a backup" in message
    assert ledger.read_bytes() == content


def test_sigterm_lets_a_request_finish(tmp_path: Path) -> None:
    behaviour = Behaviour(latency_s=0.5)
    with running_upstream(behaviour) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url), {"finance": POLICY})
        key = make_key(config)
        with running_gateway(config) as gateway:
            statuses: list[int] = []
            thread = threading.Thread(target=lambda: statuses.append(gateway.chat(key).status))
            thread.start()
            upstream.wait_for_requests(1)
            log = gateway.stop()
            thread.join()
            assert statuses == [200]
            assert gateway.rows("SELECT count(*) FROM entry WHERE state = 'SETTLED'") == [(1,)]
            assert all(json.loads(line) for line in log.splitlines())
