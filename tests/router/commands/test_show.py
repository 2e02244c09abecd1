"""`steelyard show`, as a person and as a pipe see it."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from ledger.rows import State
from ledger.schema import ensure_schema
from ledger.usage import Units
from router.commands.show import EPILOG, show
from support.ledger_rows import Ran, RequestMaker, write_ledger


def escalated() -> RequestMaker:
    request = RequestMaker(7)
    used = Units(input_uncached=1_234, output_text=45, cpu_us=1_500_000)
    request.attempt(state=State.SETTLED_ESTIMATED, cost=1_000, used=used)
    request.answer(
        request.attempt("premium/big", "premium", cost=2_000, role="escalation", simulated=True),
        passed=False,
        checked=4,
        flagged=1,
    )
    request.outcome(
        "check", "failed", "items[0].amount", reason="no span of the document holds it", score=0.41
    )
    request.outcome("person", "right", reason="looked at\x1b[31m it")
    return request


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledgers")
    ensure_schema(folder / "empty.sqlite")
    running = RequestMaker(8)
    running.attempt(state=None, ran=Ran("on_premises", "cellar", "DE", "CN", "MIT"))
    return write_ledger(folder / "empty.sqlite", folder / "ledger.sqlite", [escalated(), running])


def run(*arguments: str | Path) -> Result:
    app = typer.Typer(add_completion=False)
    app.command(epilog=EPILOG)(show)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_path_is_told_attempt_by_attempt(ledger: Path) -> None:
    ran = run(escalated().request_id, "--ledger", ledger)
    assert ran.exit_code == 0
    for said in (
        f"{escalated().request_id}  answered  $0.000003 in 1.20 s  SIMULATED",
        "asked  2026-11-01 12:00:00 UTC by team finance (key key_1) for 'auto'",
        "decided  plan cheap: local/small, then hosted/mid; $0.009 held",
        "rules finance/extraction, finance/limits; policy cdcdcdcdcdcd; baseline premium/big",
        "attempt 1  answer: local/small (local, small)  SETTLED_ESTIMATED  $0.000001",
        "1,234 input uncached, 45 output text, 1.50 s of CPU",
        "attempt 2  escalation: premium/big (premium, big)  SETTLED  $0.000002  gave the answer  SIMULATED",
        "did not pass its checks: 1 of 4 fields flagged",
        "items[0].amount",
        "no span of the document holds it",
        "0.41",
    ):
        assert said in ran.stdout


def test_a_pipe_gets_no_control_characters_whatever_the_rows_hold(ledger: Path) -> None:
    assert "\x1b" not in run(escalated().request_id, "--ledger", ledger).stdout


def test_an_open_request_says_that_its_cost_is_not_known(ledger: Path) -> None:
    ran = run(RequestMaker(8).request_id, "--ledger", ledger)
    assert "open  $0.00" in ran.stdout
    assert "DISPATCHED  cost not known yet" in ran.stdout


def test_where_an_attempt_ran_is_told_where_it_is_recorded(ledger: Path) -> None:
    told = run(RequestMaker(8).request_id, "--ledger", ledger).stdout
    assert "ran on premises at cellar under DE; weights CN MIT" in told
    assert "ran " not in run(escalated().request_id, "--ledger", ledger).stdout
    found = json.loads(run(RequestMaker(8).request_id, "--ledger", ledger, "--format", "json").stdout)
    (attempt,) = found["attempts"]
    assert (attempt["runs"], attempt["place"], attempt["jurisdiction"]) == ("on_premises", "cellar", "DE")
    assert (attempt["weights_origin"], attempt["weights_licence"]) == ("CN", "MIT")


def test_the_json_is_the_path_as_the_gateway_answers_it(ledger: Path) -> None:
    found = json.loads(run(escalated().request_id, "--ledger", ledger, "--format", "json").stdout)
    assert found["request_id"] == escalated().request_id
    assert [attempt["state"] for attempt in found["attempts"]] == ["SETTLED_ESTIMATED", "SETTLED"]


@pytest.mark.parametrize(
    ("request_id", "said"),
    [
        ("req_none", "holds no request 'req_none'\n"),
        ("x\x1b[0m", "'x\ufffd[0m'; a request's id begins with req_\n"),
    ],
    ids=["unknown", "no id at all"],
)
def test_an_unknown_request_is_said_to_be_unknown(ledger: Path, request_id: str, said: str) -> None:
    ran = run(request_id, "--ledger", ledger)
    assert ran.exit_code == 1
    assert ran.stderr.endswith(said)


def test_wrong_usage_and_help(ledger: Path) -> None:
    assert run("--ledger", ledger).exit_code == 2
    assert "Example: steelyard show req_" in run("--help").stdout
