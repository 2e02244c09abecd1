"""`steelyard report`, as a person and as a pipe see it."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from ledger.ledger import read_only_engine
from ledger.report_values import MEASURES, Dimension
from ledger.reports import spend_report
from ledger.rows import OutcomeRow
from ledger.schema import ensure_schema
from ledger.usage import Units
from router.commands.report import EPILOG, report
from router.report_formats import DERIVED
from support.ledger_rows import DAY_US, NOON_US, RequestMaker, write_ledger

PROGRAM = "import typer; from router.commands.report import report; typer.run(report)"


@pytest.fixture(scope="module")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "ledger.sqlite"
    ensure_schema(path)
    return path


@pytest.fixture(scope="module")
def ledger(empty_ledger: Path) -> Path:
    made = []
    for number in range(6):
        request = RequestMaker(
            number,
            team=("finance", 'legal, "EU"')[number % 2],
            at_us=NOON_US + number * DAY_US,
            simulated=number == 5,
        )
        used = Units(input_uncached=1_000 + number, cache_read=10, output_text=7)
        attempt_id = request.attempt(cost=123_456 + number, used=used)
        request.answer(attempt_id, passed=number % 2 == 0, checked=4, flagged=1)
        request.outcome("gold", "right" if number else "wrong")
        made.append(request)
    rates = {"input_uncached": 5_000_000_000, "output_text": 25_000_000_000}
    return write_ledger(empty_ledger, empty_ledger.with_name("filled.sqlite"), made, rates)


def run(*arguments: str | Path) -> Result:
    app = typer.Typer(add_completion=False)
    app.command(epilog=EPILOG)(report)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_csv_gives_back_the_integers_of_the_report(ledger: Path) -> None:
    ran = run("--ledger", ledger, "--by", "team,day", "--format", "csv")
    assert ran.exit_code == 0
    engine = read_only_engine(ledger)
    found = spend_report(engine, by=(Dimension.TEAM, Dimension.DAY))
    engine.dispose()
    lines = list(csv.DictReader(io.StringIO(ran.stdout)))
    expected = [
        *((row, "false") for row in found.observed.rows),
        *((row, "true") for row in found.simulated.rows),
    ]
    assert len(lines) == len(expected) == 6
    for line, (row, simulated) in zip(lines, expected, strict=True):
        assert (line["team"], line["day"]) == row.key
        assert line["simulated"] == simulated
        assert {name: int(line[name]) for name in MEASURES} == {
            name: getattr(row.measures, name) for name in MEASURES
        }
        each = row.measures.cost_per_correct_nano_usd
        assert line["cost_per_correct_nano_usd"] == ("" if each is None else str(each))


def test_the_json_keeps_its_names(ledger: Path) -> None:
    found = json.loads(run("--ledger", ledger, "--format", "json", "--by", "team").stdout)
    assert list(found) == [
        "team",
        "from",
        "to",
        "by",
        "rows",
        "total",
        "estimate",
        "plan_costs",
        "accuracies",
        "simulated",
    ]
    assert found["by"] == ["team"]
    assert set(found["total"]) == {"cost_usd", "cost_per_correct_reason", *DERIVED, *MEASURES}
    assert set(found["rows"][0]) == {"key", *found["total"]}
    assert set(found["simulated"]) == {"rows", "total", "plan_costs"}
    assert found["estimate"]["is_estimate"] is True
    assert found["estimate"]["method"].startswith("ESTIMATE")
    assert found["estimate"]["baseline_routes"] == ["premium/big"]
    assert found["estimate"]["requests_covered"] == 5
    assert found["total"]["cost_nano_usd"] == sum(123_456 + number for number in range(5))
    assert found["total"]["cost_usd"] == "0.00061729"


def test_the_names_of_the_measures_are_a_contract() -> None:
    assert MEASURES[:6] == ("requests", "answers", "failures", "left", "unfinished", "attempts")
    assert MEASURES[6:10] == (
        "settled_nano_usd", "estimated_nano_usd", "posted_worst_nano_usd", "adjusted_nano_usd",
    )  # fmt: skip
    assert MEASURES[-3:] == ("baseline_requests", "baseline_cost_nano_usd", "baseline_estimate_nano_usd")
    assert len(MEASURES) == len(set(MEASURES)) == 42


def test_the_table_says_everything_in_a_pipe_without_colours_or_folds(ledger: Path) -> None:
    ran = run("--ledger", ledger)
    assert ran.exit_code == 0
    assert "\x1b" not in ran.stdout
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("Spend report  all teams, all time")
    assert any("finance" in line and "small" in line and "$0.000370374" in line for line in lines)
    assert any(
        "ESTIMATE $0.025925 at the price of premium/big, for 5 requests that cost" in line for line in lines
    )
    assert any(line.startswith("ESTIMATE, not observed:") and line.endswith("is left out.") for line in lines)
    assert any("4 of 5 answers (80.0 %, 95 % interval 38-96 %)" in line for line in lines)
    assert any("local 100.0 % (5)" in line for line in lines)
    assert any(
        "3 of 5 checked answers passed (60.0 %); 5 of 20 fields flagged (25.0 %)" in line for line in lines
    )
    simulated = next(place for place, line in enumerate(lines) if line.startswith("SIMULATED"))
    assert any("$0.000123461" in line for line in lines[simulated:])
    assert not any("$0.000123461" in line for line in lines[:simulated])
    assert not any("ESTIMATE" in line for line in lines[simulated:])


@pytest.mark.parametrize(
    ("options", "requests"),
    [
        (("--from", "2026-11-02"), 4),
        (("--to", "2026-11-02"), 2),
        (("--from", "2026-11-02", "--to", "2026-11-02"), 1),
        (("--from", "2026-11-02T12:00:00Z", "--to", "2026-11-03T12:00:00Z"), 1),
        (("--from", "2026-11-02T13:00+01:00", "--to", "2026-11-02T13:00:01+01:00"), 1),
        (("--team", "finance"), 3),
        (("--by", ""), 5),
    ],
    ids=[
        "from a day",
        "to a day",
        "one whole day",
        "half open times",
        "another zone",
        "one team",
        "only the total",
    ],
)
def test_a_report_covers_the_requests_that_were_asked_for(
    ledger: Path, options: tuple[str, ...], requests: int
) -> None:
    found = json.loads(run("--ledger", ledger, "--format", "json", *options).stdout)
    assert found["total"]["requests"] == requests


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--by", "modle"), "did you mean 'model'?"),
        (("--by", "zzz"), "write any of team, model, day, route, plan, kind, tier"),
        (("--from", "yesterday"), "write e.g. 2026-11-01"),
        (("--to", "9999-12-31"), "write e.g. 2026-11-01"),
        (("--from", "2026-11-02", "--to", "2026-11-01"), "ends (2026-11-01) before it begins (2026-11-02)"),
        (("--team", "a\x1bb"), "printable characters"),
        (("--format", "xml"), "xml"),
    ],
    ids=["misspelt", "unknown", "no time", "beyond the calendar", "backwards", "control character", "format"],
)
def test_wrong_usage_is_told_what_to_write_instead(ledger: Path, options: tuple[str, ...], said: str) -> None:
    ran = run("--ledger", ledger, *options)
    assert ran.exit_code == 2
    assert said in " ".join(ran.stderr.replace("│", " ").split())


@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_an_empty_ledger_says_so_in_a_sentence(empty_ledger: Path, output: str) -> None:
    ran = run("--ledger", empty_ledger, "--format", output, "--team", "finance")
    assert ran.exit_code == 1
    assert ran.stderr == f"steelyard: the ledger {empty_ledger} holds no request: team finance, all time\n"
    if output == "json":
        assert json.loads(ran.stdout)["rows"] == []


def test_a_missing_ledger_is_said_to_be_missing(tmp_path: Path) -> None:
    ran = run("--ledger", tmp_path / "none.sqlite")
    assert ran.exit_code == 1
    assert "there is no ledger at" in ran.stderr
    assert not (tmp_path / "none.sqlite").exists()


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a ledger, but long enough to be looked at as a file of SQLite")
    ran = run("--ledger", tmp_path / "notes.txt")
    assert ran.exit_code == 3
    assert "is not a readable SQLite file" in ran.stderr


def test_the_help_has_an_example() -> None:
    ran = run("--help")
    assert ran.exit_code == 0
    assert "Example: steelyard report --team finance" in ran.stdout


@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_a_reader_that_goes_away_ends_the_command_quietly(ledger: Path, output: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "--ledger", str(ledger), "--by", "day", "--format", output],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        process.wait()
    assert (process.returncode, said) == (0, b"")


@pytest.fixture(scope="module")
def audited_ledger(empty_ledger: Path) -> Path:
    made = []
    for number in range(4):
        request = RequestMaker(number, plan="cheap+audit", simulated=number == 3)
        attempt_id = request.attempt(cost=1_000)
        request.attempt("premium/big", "premium", cost=5_000, role="audit")
        if number == 1:
            attempt_id = request.attempt("premium/big", "premium", cost=90_000, role="escalation")
        request.answer(attempt_id)
        made.append(request)
    return write_ledger(empty_ledger, empty_ledger.with_name("audited.sqlite"), made)


def test_what_an_answer_costs_on_an_audited_plan_stands_below_with_its_advice(audited_ledger: Path) -> None:
    said = run("--ledger", audited_ledger).stdout
    observed, _, simulated = said.partition("SIMULATED  What an answer costs")
    assert "What an answer costs" in observed
    assert "finance, invoices: premium would be cheaper" not in observed
    assert "finance, invoices: the audited plan is cheaper than premium: $0.000036 an answer" in observed
    assert "nothing to compare with" in simulated


def test_the_json_holds_the_terms_of_the_formula(audited_ledger: Path) -> None:
    found = json.loads(run("--ledger", audited_ledger, "--format", "json").stdout)
    (costs,) = found["plan_costs"]
    assert (costs["plan"], costs["answers"]) == ("cheap+audit", 3)
    assert (costs["cheap_nano_usd"], costs["audit_nano_usd"], costs["premium_nano_usd"]) == (
        1_000,
        5_000,
        90_000,
    )
    assert (costs["audited_share"], costs["escalated_share"]) == (1.0, pytest.approx(1 / 3))
    assert costs["total_nano_usd"] == 36_000
    assert costs["break_even_share"] == pytest.approx(1 - 6_000 / 90_000)
    assert [each["answers"] for each in found["simulated"]["plan_costs"]] == [1]


def test_what_a_random_sample_says_of_accuracy_stands_below_with_its_interval(empty_ledger: Path) -> None:
    made = []
    for number in range(10):
        request = RequestMaker(number)
        request.answer(request.attempt())
        request.outcome("shadow", "right" if number else "wrong")
        row = request.rows[-1]
        assert isinstance(row, OutcomeRow)
        request.rows[-1] = row._replace(check_name="grade.after", propensity=0.02)
        made.append(request)
    path = write_ledger(empty_ledger, empty_ledger.with_name("sampled.sqlite"), made)
    said = run("--ledger", path).stdout
    assert "How right answers are" in said
    assert re.search(r"finance +invoices +shadow +as it went out +90\.0 % +60-98 % +9 of 10", said)
    (found,) = json.loads(run("--ledger", path, "--format", "json").stdout)["accuracies"]
    assert (found["right"], found["judged"], found["share"]) == (9, 10, pytest.approx(0.9))
