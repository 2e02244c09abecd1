"""How long a spend report takes, against the same measures by a plain scan in Python.

Makes a ledger of `--requests` requests (fallbacks, failures, checks, judgements, a baseline), then
measures `spend_report` grouped by team, model and day, and its peer in `bench/naive_report.py`: every
row read by sqlite3 and added up in dictionaries. Both must agree to the nano-USD.

    python bench/report.py --requests 100000 --json report.json
"""

import argparse
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Engine

from bench.naive_report import naive_report
from ledger.ledger import read_only_engine
from ledger.report_values import Dimension, Report
from ledger.reports import spend_report
from ledger.rows import AnswerRow, EntryRow, OutcomeRow, RequestRow, Row, State
from ledger.schema import ensure_schema
from ledger.usage import UNIT_CLASSES
from ledger.writer import INSERTS

START_US = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 1_000_000
DAY_US = 86_400_000_000
ROUTES = (
    ("local/smollm2", "local", "smollm2-135m", 0),
    ("deepseek-flash", "hosted", "deepseek-v4-flash", 300_000_000),
    ("claude-opus", "premium", "claude-opus-5-5", 15_000_000_000),
)
TEAMS = ("finance", "legal", "support", "research")
CHECKS = ("support", "support", "sum", "schema")
BATCH = 5_000


def main() -> None:
    """Generate, measure, print a table; with --json also write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        generate(path, chosen.requests)
        figures = measure(path, chosen.repeat)
    figures["requests"] = chosen.requests
    for name, value in figures.items():
        print(f"{name:32} {value}")
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(path: Path, repeat: int) -> dict[str, float]:
    """Time the report and its peer on one file; exit with a sentence if they disagree."""
    engine = read_only_engine(path)
    by = (Dimension.TEAM, Dimension.MODEL, Dimension.DAY)
    report_s, report = _timed(lambda: spend_report(engine, by=by), repeat)
    day_s, _ = _timed(lambda: _last_day(engine), repeat)
    scan_s, scanned = _timed(lambda: naive_report(path, by=by), 1)
    if scanned != {(False, row.key): row.measures for row in report.observed.rows}:
        sys.exit("the report and the plain scan disagree")
    connection = sqlite3.connect(path)
    counts = {
        table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608  (our own names)
        for table in ("entry", "outcome")
    }
    connection.close()
    return {
        "entries": counts["entry"],
        "outcomes": counts["outcome"],
        "file_mb": round(path.stat().st_size / 1e6, 1),
        "report_rows": len(report.observed.rows),
        "report_s": round(report_s, 3),
        "report_one_team_one_day_s": round(day_s, 3),
        "python_scan_s": round(scan_s, 3),
        "scan_over_report": round(scan_s / report_s, 2),
    }


def _last_day(engine: Engine) -> Report:
    return spend_report(engine, team="legal", from_us=START_US + 29 * DAY_US, by=(Dimension.MODEL,))


Found = TypeVar("Found")


def _timed(work: Callable[[], Found], repeat: int) -> tuple[float, Found]:
    times: list[float] = []
    for _ in range(repeat):
        began = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - began)
    return statistics.median(times), found


def generate(path: Path, requests: int) -> None:
    """Write a ledger of `requests` requests over thirty days, always the same one."""
    ensure_schema(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN")
    _baseline_price(connection)
    chance = random.Random(7)  # noqa: S311  (test rows, not secrets)
    batch: dict[type[Row], list[Row]] = {}
    for number in range(requests):
        for row in _request(number, START_US + number * 30 * DAY_US // requests, chance):
            batch.setdefault(type(row), []).append(row)
        if number % BATCH == BATCH - 1 or number == requests - 1:
            for kind, rows in batch.items():
                connection.executemany(INSERTS[kind], rows)
            batch.clear()
    connection.execute("COMMIT")
    connection.close()


def _baseline_price(connection: sqlite3.Connection) -> None:
    rates = {
        name: 15_000_000_000 if name.startswith(("input", "cache")) else 75_000_000_000
        for name in UNIT_CLASSES
    }
    rates["cpu_us"] = rates["gpu_us"] = 0
    columns = {
        "price_id": "pri_premium",
        "sku": "claude-opus-5-5",
        "tier": "standard",
        "min_input_tokens": 0,
        "effective_from_us": 0,
        "recorded_at_us": 0,
        "source": "bench",
        "source_sha256": "",
        **rates,
    }
    connection.execute(
        f"INSERT INTO price ({', '.join(columns)}) VALUES ({', '.join('?' for _ in columns)})",  # noqa: S608  (our own names)
        tuple(columns.values()),
    )


def _request(number: int, at_us: int, chance: random.Random) -> Iterator[Row]:
    request_id = f"req_{number:026d}"
    team, first = chance.choice(TEAMS), chance.choices((0, 1, 2), (5, 4, 1))[0]
    extraction = number % 2 == 0
    yield RequestRow(
        request_id,
        at_us,
        team,
        "key_1",
        "chat.completions",
        "auto",
        "cheap",
        "a,b",
        "extraction" if extraction else "generation",
        "",
        "",
        None,
        None,
        None,
        False,
        2,
        4_000,
        1_500,
        1_024,
        1,
        9_000_000,
        "claude-opus",
        "pri_premium",
        1.0,
        1,
        "p1",
        "r1",
        False,
    )
    fallback = number % 10 == 0
    attempt_id = ""
    for attempt_no, choice in enumerate((first, (first + 1) % 3) if fallback else (first,), 1):
        route, origin, model, rate = ROUTES[choice]
        attempt_id = f"att_{number:025d}{attempt_no}"
        dispatched = _dispatch(request_id, attempt_id, at_us, attempt_no, team, route, origin, model)
        yield dispatched
        tokens = chance.randrange(100, 4_000)
        last = attempt_no == 2 or not fallback
        yield dispatched._replace(
            entry_id=dispatched.entry_id + "s",
            state=State.SETTLED.value if last else State.SETTLED_ESTIMATED.value,
            cost_nano_usd=tokens * rate // 1_000_000,
            input_uncached=tokens,
            cache_read=tokens // 3,
            output_text=tokens // 10,
        )
    yield from _ending(number, request_id, attempt_id, at_us, chance, extraction=extraction)


def _ending(
    number: int, request_id: str, attempt_id: str, at_us: int, chance: random.Random, *, extraction: bool
) -> Iterator[Row]:
    failed = number % 50 == 49
    checked = 6 if extraction and not failed else 0
    yield AnswerRow(
        request_id,
        at_us + 900_000,
        None if failed else attempt_id,
        "failed" if failed else "answered",
        502 if failed else 200,
        None,
        checked,
        checked // 6,
        number % 4 == 0 if checked else None,
        None,
        None,
        900_000,
    )
    if checked:
        for check in CHECKS:
            yield _outcome(number, request_id, attempt_id, at_us, "check", check, "total", "passed")
    if checked and number % 20 == 0:
        for field in ("", "total", "date", "company"):
            verdict = "right" if chance.random() < 0.8 else "wrong"
            yield _outcome(number, request_id, attempt_id, at_us, "gold", "gold", field, verdict)


def _dispatch(
    request_id: str, attempt_id: str, at_us: int, number: int, team: str, route: str, origin: str, model: str
) -> EntryRow:
    return EntryRow(
        "ent" + attempt_id[3:], attempt_id, request_id, State.DISPATCHED.value, at_us, at_us, number,
        "answer" if number == 1 else "fallback", team, "key_1", "cheap", route, route, origin, model, None, None,
        None, 9_000_000, None, None, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, None, False, None, None, "p1", "r1", False,
    )  # fmt: skip


def _outcome(
    number: int,
    request_id: str,
    attempt_id: str,
    at_us: int,
    source: str,
    check: str,
    field: str,
    outcome: str,
) -> OutcomeRow:
    return OutcomeRow(
        f"out_{number}_{source}_{check}_{field}_{at_us}_{random.getrandbits(60)}",
        request_id,
        attempt_id,
        at_us,
        source,
        check,
        field,
        outcome,
        "",
        "",
        None,
        None,
        None,
        False,
        1.0,
        False,
    )


if __name__ == "__main__":
    main()
