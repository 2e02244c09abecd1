"""What the gateway costs a request, beside other gateways in the same run, and whether its ledger is right.

    python bench/gateway.py --harness ../shared/bench --peers direct,tensorzero --json gateway.json
    python bench/gateway.py --harness ../shared/bench --model auto

Everything that a user would have on is on: a key that is checked, a team's policy, a budget that is
held and settled, a durable ledger row. The peers run with none of these. The harness starts each
target on one core, the load and the fake provider on the other, and counts what the provider
answered; afterwards the ledger's rows and costs are compared with that count and the bill for it.
It needs `wrk`, and its `peers.sh` run once.
"""

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.machine import machine
from router.commands.keys import open_keys
from router.settings import load_settings

PORT = 8_399
CONFIG = f"""\
server: {{port: {PORT}}}
providers:
  fast: {{base_url: "http://127.0.0.1:9000/v1"}}
  paced: {{base_url: "http://127.0.0.1:9001/v1"}}
routes:
"""
ROUTE = """\
  {name}:
    provider: {provider}
    price: {{input_usd_per_million: "0.15", cache_read_usd_per_million: "0.075", output_usd_per_million: "0.60"}}
    context_window: 128000
    max_output_tokens: 16384
"""
POLICY = """\
team: bench
models: [gpt-4o-mini, gpt-4o-mini-paced]
plans: {cheap: [gpt-4o-mini], premium: [gpt-4o-mini-paced]}
auto: {extraction: cheap, generation: cheap}
limits: {request_usd: "10", day_usd: "100000", month_usd: "1000000"}
"""
NAMED = "gpt-4o-mini"
INPUT, CACHED, OUTPUT = 150_000_000, 75_000_000, 600_000_000
"""The prices above, in nano-USD per million tokens."""
PLAIN, STREAM = (58, 128, 231), (58, 128, 50)
"""What the fake provider says of each answer: uncached, cached and output tokens (`upstream.c`)."""


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger against the provider's own count. Money in nano-USD."""

    upstream_answers: int
    settled_rows: int
    estimated_rows: int
    bill_nano_usd: int
    settled_nano_usd: int

    @property
    def agree(self) -> bool:
        """Whether every answer has its row, and the sum is the bill."""
        return self.upstream_answers == self.settled_rows and self.bill_nano_usd == self.settled_nano_usd


def main() -> None:
    """Run the harness, compare the books, print the table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--harness", type=Path, required=True, help="the folder with bench.py and upstream.c"
    )
    options.add_argument("--peers", default="direct,tensorzero", help="targets of the harness beside ours")
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--model", default=NAMED, help="what Steelyard is asked for: the model, or auto")
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    if not (chosen.harness / "bench.py").is_file() or shutil.which("wrk") is None:
        raise SystemExit(f"nothing was measured: it needs wrk, and bench.py in {chosen.harness}")
    with tempfile.TemporaryDirectory(prefix="steelyard-bench-") as scratch:
        folder = Path(scratch)
        key = _configure(folder)
        harness = _asking_for(chosen.model, chosen.harness.resolve(), folder)
        results = _run(harness, folder, key, chosen.peers, chosen.repeat)
        ours = next(result for result in results if result["target"] == "steelyard")
        books = _books(folder / "steelyard-data" / "ledger.sqlite", ours)
    figures = {
        "machine": machine(),
        "peer": chosen.peers,
        "model": chosen.model,
        "targets": {str(result["target"]): _figures(result) for result in results},
        "books": {**asdict(books), "agree": books.agree},
    }
    _print(figures)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n")
    if not books.agree:
        raise SystemExit("the ledger and the provider's count disagree")


def _configure(folder: Path) -> str:
    routes = "".join(
        ROUTE.format(name=name, provider=provider)
        for name, provider in (("gpt-4o-mini", "fast"), ("gpt-4o-mini-paced", "paced"))
    )
    config = folder / "steelyard.yaml"
    config.write_text(CONFIG + routes)
    (folder / "policies").mkdir()
    (folder / "policies" / "bench.yaml").write_text(POLICY)
    keys = open_keys(load_settings(config))
    _, key = keys.create("bench", "bench")
    keys.close()
    return key


def _asking_for(model: str, harness: Path, folder: Path) -> Path:
    """The harness, in a copy where it is to ask Steelyard for something else."""
    if model == NAMED:
        return harness
    copy = folder / "harness"
    shutil.copytree(harness, copy)
    text = (copy / "bench.py").read_text()
    ours = '"steelyard":dict('
    if text.count(ours) != 1:
        raise SystemExit(
            f"nothing was measured: {harness / 'bench.py'} has no target that begins with {ours}"
        )
    (copy / "bench.py").write_text(text.replace(ours, f"{ours}model={model!r},"))
    return copy


def _run(harness: Path, folder: Path, key: str, peers: str, repeat: int) -> list[dict[str, object]]:
    out = folder / "out.jsonl"
    names = [*filter(None, peers.split(",")), "steelyard"]
    program = Path(sys.executable).parent / "steelyard"
    subprocess.run(
        [sys.executable, str(harness / "bench.py"), str(out), ",".join(names), str(repeat)],
        check=True,
        env={
            **os.environ,
            "STEELYARD_CMD": f"{program} serve --config {folder / 'steelyard.yaml'}",
            "STEELYARD_CWD": str(folder),
            "STEELYARD_PORT": str(PORT),
            "STEELYARD_KEY": key,
            "WORK": str(folder),
        },
    )
    results = [json.loads(line) for line in out.read_text().splitlines()]
    for result in results:
        if result.get("fail"):
            raise SystemExit(f"{result['target']} failed: {result['fail']}")
    return results


def _books(ledger: Path, ours: dict[str, object]) -> Books:
    upstream = ours["upstream"]
    assert isinstance(upstream, dict)
    plain = sum(counted["plain"] for counted in upstream.values())
    stream = sum(counted["stream"] for counted in upstream.values())
    connection = sqlite3.connect(ledger)
    found = {
        state: (rows, cost)
        for state, rows, cost in connection.execute(
            "SELECT state, count(*), sum(cost_nano_usd) FROM entry GROUP BY state"
        )
    }
    connection.close()
    settled, cost = found.get("SETTLED", (0, 0))
    estimated = sum(found.get(state, (0, 0))[0] for state in ("SETTLED_ESTIMATED", "POSTED_WORST"))
    return Books(plain + stream, settled, estimated, plain * _bill(PLAIN) + stream * _bill(STREAM), cost)


def _bill(tokens: tuple[int, int, int]) -> int:
    """One answer's price, rounded half to even as the ledger rounds it."""
    uncached, cached, output = tokens
    return round((uncached * INPUT + cached * CACHED + output * OUTPUT) / 1_000_000)


def _figures(result: dict[str, object]) -> dict[str, object]:
    medians = result["med"]
    assert isinstance(medians, dict)
    found: dict[str, object] = {
        name: result.get(name) for name in ("startup_s", "rss_idle", "rss_end", "procs", "load0")
    }
    for load in ("c1", "c16", "c64"):
        found[load] = {name: medians[load][name] for name in ("rps", "p50", "p99", "cpu_ms")}
    for load in ("sse16", "paced8"):
        if load in medians:
            found[load] = medians[load]
    return found


def _print(figures: dict[str, object]) -> None:
    targets, books = figures["targets"], figures["books"]
    assert isinstance(targets, dict)
    assert isinstance(books, dict)
    print(figures["machine"])
    columns = ("req/s c1", "c16", "c64", "CPU ms c16", "c64", "p50 ms c16", "p99", "start s", "MB idle")
    print(f"{'target':<12}" + "".join(f"{column:>12}" for column in columns))
    for name, found in targets.items():
        loads = [found[load] for load in ("c1", "c16", "c64")]
        cells = [
            *(load["rps"] for load in loads), loads[1]["cpu_ms"], loads[2]["cpu_ms"],
            loads[1]["p50"], loads[1]["p99"], found["startup_s"], found["rss_idle"],
        ]  # fmt: skip
        print(f"{name:<12}" + "".join(f"{cell!s:>12}" for cell in cells))
    print("books:", ", ".join(f"{name} {value}" for name, value in books.items()))


if __name__ == "__main__":
    main()
