"""The path of one request, over real SQLite files."""

import json
from pathlib import Path

import pytest

from ledger.history import RequestHistory, request_history
from ledger.ledger import read_only_engine
from ledger.rows import State
from ledger.usage import Units
from support.ledger_rows import NOON_US, RequestMaker, write_ledger

ATTEMPT_KEYS = {
    "attempt_id", "number", "role", "route", "provider", "origin", "model", "model_served", "fingerprint",
    "upstream_id", "state", "bound_nano_usd", "bound_usd", "cost_nano_usd", "cost_usd", "price_id", "usage",
    "finish_reason", "error", "overage", "ttft_us", "latency_us", "simulated", "entries",
    "runs", "place", "jurisdiction", "weights_origin", "weights_licence",
}  # fmt: skip


def read(empty_ledger: Path, folder: Path, *requests: RequestMaker, request_id: str) -> RequestHistory | None:
    engine = read_only_engine(write_ledger(empty_ledger, folder / "ledger.sqlite", requests))
    try:
        return request_history(engine, request_id)
    finally:
        engine.dispose()


def escalated() -> RequestMaker:
    request = RequestMaker(1)
    cheap = request.attempt(cost=1_200, used=Units(input_uncached=30, output_text=4, cpu_us=900_000))
    request.adjust(cheap, -200, Units(input_uncached=2))
    request.answer(request.attempt("premium/big", "premium", cost=5_000_000, role="escalation"), passed=True)
    request.outcome("check", "passed", "items[0].amount", reason="the document holds it", score=0.93)
    request.outcome("gold", "right")
    return request


def test_a_path_holds_every_row_of_its_request_and_none_of_another(
    empty_ledger: Path, tmp_path: Path
) -> None:
    request, other = escalated(), RequestMaker(2)
    other.answer(other.attempt())
    history = read(empty_ledger, tmp_path, other, request, request_id=request.request_id)
    assert history is not None
    rows = [history.request, *history.entries, history.answer, *history.outcomes]
    assert sorted(map(repr, rows)) == sorted(map(repr, request.rows))


def test_a_path_adds_up_its_attempts_with_their_corrections(empty_ledger: Path, tmp_path: Path) -> None:
    history = read(empty_ledger, tmp_path, escalated(), request_id=escalated().request_id)
    assert history is not None
    cheap, premium = history.attempts
    assert (cheap.cost_nano_usd, premium.cost_nano_usd, history.cost_nano_usd) == (
        1_000,
        5_000_000,
        5_001_000,
    )
    assert (cheap.state, premium.state) == (State.ADJUST, State.SETTLED)
    assert cheap.settled is not None
    assert cheap.settled.state == State.SETTLED


def test_a_running_attempt_has_no_cost_yet(empty_ledger: Path, tmp_path: Path) -> None:
    request = RequestMaker(1)
    request.attempt(state=None)
    history = read(empty_ledger, tmp_path, request, request_id=request.request_id)
    assert history is not None
    (attempt,) = history.attempts
    assert (attempt.settled, attempt.cost_nano_usd, attempt.state) == (None, None, State.DISPATCHED)
    assert (history.status, history.cost_nano_usd) == ("open", 0)
    assert history.to_json()["answer"] is None


@pytest.mark.parametrize(
    "request_id", ["req_other", "", "\ud800", "réq"], ids=["other", "empty", "surrogate", "accent"]
)
def test_an_unknown_request_has_no_path(empty_ledger: Path, tmp_path: Path, request_id: str) -> None:
    assert read(empty_ledger, tmp_path, escalated(), request_id=request_id) is None


def test_the_json_of_a_path_keeps_its_names_and_says_money_twice(empty_ledger: Path, tmp_path: Path) -> None:
    history = read(empty_ledger, tmp_path, escalated(), request_id=escalated().request_id)
    assert history is not None
    found = json.loads(json.dumps(history.to_json()))
    assert set(found) == {
        "request_id", "status", "cost_nano_usd", "cost_usd", "simulated", "request", "attempts", "answer", "outcomes",
    }  # fmt: skip
    assert (found["cost_nano_usd"], found["cost_usd"]) == (5_001_000, "0.005001")
    assert found["request"]["at"] == "2026-11-01T12:00:00.000000Z"
    assert found["request"]["routes"] == ["local/small", "hosted/mid"]
    cheap, premium = found["attempts"]
    assert set(cheap) == set(premium) == ATTEMPT_KEYS
    assert cheap["usage"] == {"input_uncached": 32, "output_text": 4, "cpu_us": 900_000}
    assert [entry["state"] for entry in cheap["entries"]] == ["DISPATCHED", "SETTLED", "ADJUST"]
    assert [entry["cost_usd"] for entry in cheap["entries"]] == [None, "0.0000012", "-0.0000002"]
    assert (premium["role"], premium["price_id"], premium["finish_reason"]) == (
        "escalation",
        "pri_own",
        "stop",
    )
    assert found["answer"]["passed"] is True
    assert [outcome["source"] for outcome in found["outcomes"]] == ["check", "gold"]
    assert found["outcomes"][0]["score"] == 0.93


def test_a_path_that_a_simulated_route_touched_says_so(empty_ledger: Path, tmp_path: Path) -> None:
    request = RequestMaker(1, at_us=NOON_US)
    request.attempt(simulated=True)
    history = read(empty_ledger, tmp_path, request, request_id=request.request_id)
    assert history is not None
    assert history.simulated
