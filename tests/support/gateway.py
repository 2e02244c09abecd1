"""A real gateway in a process of its own, for tests: configured, started, watched, stopped or killed."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from router.commands.keys import open_keys
from router.settings import load_settings

POLICY = """\
team: finance
models: ["*"]
plans: {cheap: [fake-model]}
auto: {extraction: cheap, generation: cheap}
baseline: fake-model
limits: {month_usd: "1000"}
"""
PATIENCE_S = 30.0
STEELYARD = ("-m", "router.commands.main")


def config_text(base_url: str, *, route: str = "", provider: str = "", rest: str = "") -> str:
    """A configuration with one hosted route to `base_url`; a dollar a million tokens in, two out."""
    return f"""\
ledger: {{disk_reserve_mb: 0}}
providers:
  fake: {{base_url: "{base_url}"{provider}}}
routes:
  fake-model:
    provider: fake
    price: {{input_usd_per_million: "1", cache_read_usd_per_million: "0.1", output_usd_per_million: "2"}}
    context_window: 100000
    max_output_tokens: 4000
    tokenizer: cl100k_base
{route}{rest}"""


def write_config(folder: Path, text: str, policies: Mapping[str, str] | None = None) -> Path:
    """Write a configuration and its policies into `folder`."""
    (folder / "policies").mkdir(parents=True, exist_ok=True)
    for name, policy in (policies or {"finance": POLICY}).items():
        (folder / "policies" / f"{name}.yaml").write_text(policy)
    path = folder / "steelyard.yaml"
    path.write_text(text)
    return path


def make_key(config: Path, team: str = "finance") -> str:
    """Make a key for `team`."""
    keys = open_keys(load_settings(config))
    _, text = keys.create(team, "test")
    keys.close()
    return text


@dataclass(frozen=True, slots=True)
class Response:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body as a JSON object."""
        value: dict[str, object] = json.loads(self.body)
        return value

    @property
    def error(self) -> dict[str, str | None]:
        """OpenAI's error object."""
        error = self.json["error"]
        assert isinstance(error, dict)
        return error


class RunningGateway:
    """One gateway process."""

    def __init__(
        self,
        config: Path,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = STEELYARD,
        tree: Path | None = None,
    ) -> None:
        self.config = config
        self.data = config.parent / "steelyard-data"
        self._log: list[bytes] = []
        self._logged = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, *program, "serve", "--config", str(config), "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **os.environ,
                **({"PYTHONPATH": str(tree)} if tree is not None else {}),
                **(environment or {}),
            },
            cwd=tree,
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        assert line, f"the gateway did not start: {self.end_log()}"
        self.url = line.rsplit(" ", 1)[-1].strip()

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._logged:
                self._log.append(line)
                self._logged.notify_all()

    def wait_for_log(self, text: str, times: int = 1) -> None:
        """Block until `text` has stood in so many lines of the log."""
        with self._logged:
            came = self._logged.wait_for(
                lambda: sum(text.encode() in line for line in self._log) >= times, PATIENCE_S
            )
        assert came, f"{text!r} was not logged"

    @property
    def log(self) -> str:
        """Everything that the process has written to stderr so far."""
        with self._logged:
            return b"".join(self._log).decode()

    def end_log(self) -> str:
        """Everything that the process wrote to stderr, once it has ended."""
        self.process.wait()
        self._reader.join()
        return self.log

    def request(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send one request; `body` is bytes as they are, or JSON."""
        address = urlsplit(self.url)
        connection = HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE_S)
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = dict(headers or {})
        if key is not None:
            sent["authorization"] = f"Bearer {key}"
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            return Response(
                response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
            )
        finally:
            connection.close()

    def chat(self, key: str, **fields: object) -> Response:
        """Ask one question."""
        body = {"model": "auto", "messages": [{"role": "user", "content": "How much is it?"}], **fields}
        return self.request("POST", "/v1/chat/completions", key=key, body=body)

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Read the ledger from outside."""
        connection = sqlite3.connect(f"file:{self.data / 'ledger.sqlite'}?mode=ro", uri=True)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def wait_for_rows(self, sql: str, count: int) -> list[tuple[object, ...]]:
        """Read until there are `count` rows: settlements join the next group commit."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            rows = self.rows(sql)
            if len(rows) >= count:
                return rows
            assert time.monotonic() < deadline, f"{len(rows)} of {count} rows of {sql}"
            urllib.request.urlopen(f"{self.url}/healthz").read()  # noqa: S310  (loopback)

    def stop(self) -> str:
        """End it gracefully; return its log."""
        self.process.terminate()
        return self.end_log()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def running_gateway(
    config: Path,
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] = STEELYARD,
    *,
    tree: Path | None = None,
) -> Iterator[RunningGateway]:
    """Run a gateway of `config` for as long as the block lasts; `program` is what `steelyard` is for, `tree` a copy of
    the packages that it is of."""
    gateway = RunningGateway(config, environment, program, tree)
    try:
        yield gateway
    finally:
        if gateway.process.poll() is None:
            gateway.stop()
        for pipe in (gateway.process.stdout, gateway.process.stderr):
            if pipe is not None:
                pipe.close()
