"""What an audited answer says of itself, over HTTP: its form, its header, its checks, its rows."""

import json
from pathlib import Path

import pytest

from router.json_types import JsonObject
from support.audited import RIGHT, audited_gateway, extract_from, said_in, verdicts
from support.upstream_script import Behaviour

ROLES = "SELECT role FROM entry WHERE state = 'DISPATCHED' ORDER BY seq"
FORMS = {
    "no JSON": Behaviour(text="The company is ACME Ltd, the total 12.50."),
    "cut off": Behaviour(text='{"company": "ACME Ltd", "total": "1', finish_reason="length"),
    "a number in place of a text": Behaviour(answer={"company": "ACME Ltd", "total": 12.5}),
    "a list in place of an object": Behaviour(answer=[{"company": "ACME Ltd", "total": "12.50"}]),
    "a name too many, and a doubtful value": Behaviour(answer={**RIGHT, "total": "99.99", "vat": "1"}),
    "a key twice, and a wrong value": Behaviour(
        text='{"company": "ACME", "company": "ACME Ltd", "total": "99.99"}'
    ),
}


@pytest.mark.parametrize("mode", ["by_risk", "always"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_an_answer_whose_form_is_beyond_repair_is_answered_anew_and_nobody_is_asked_about_it(
    tmp_path: Path, form: Behaviour, mode: str
) -> None:
    rules = f"{{audit: {mode}, when_unsettled: pass, when_unaudited: escalate}}"
    with audited_gateway(
        tmp_path, form, judge=verdicts("wrong", "12.50", on="total"), audits=rules
    ) as running:
        gateway, _ = running
        response = extract_from(gateway)
        assert response.headers["x-steelyard-audit"] == "escalated"
        assert said_in(response) == RIGHT
        gateway.wait_for_rows("SELECT 1 FROM answer", 1)
        assert gateway.rows(ROLES) == [("answer",), ("escalation",)]
        codes = gateway.rows("SELECT outcome, code FROM outcome WHERE source = 'auditor'")
    assert codes == [("abstained", "audit.beyond_repair")]


def test_where_a_policy_never_escalates_an_answer_beyond_repair_goes_out_as_doubtful(tmp_path: Path) -> None:
    rules = "{audit: always, when_unsettled: pass}"
    form = FORMS["a key twice, and a wrong value"]
    with audited_gateway(tmp_path, form, judge=verdicts("wrong", "12.50", on="total"), audits=rules) as (
        gateway,
        _,
    ):
        response = extract_from(gateway)
    assert response.headers["x-steelyard-audit"] == "doubtful"
    details = json.loads(response.body)["steelyard"]
    assert (details["audit"], details["checks"]["valid"]) == ("doubtful", False)


MANY = 50
"""More fields than one question asks about."""


@pytest.mark.parametrize("mode", ["always", "sample, sample_percent: 100"])
def test_an_answer_of_whose_fields_only_some_were_asked_about_is_not_called_confirmed(
    tmp_path: Path, mode: str
) -> None:
    lines = [f"Item {number}: {number}.25" for number in range(MANY)]
    schema: JsonObject = {
        "type": "object",
        "properties": {f"item_{number}": {"type": "string"} for number in range(MANY)},
    }
    answer: JsonObject = {f"item_{number}": f"{number}.25" for number in range(MANY)}
    rules = f"{{audit: {mode}}}"
    with audited_gateway(
        tmp_path, Behaviour(answer=answer), judge=verdicts("right"), audits=rules
    ) as running:
        gateway, _ = running
        response = extract_from(gateway, "\n".join(lines), schema)
        gateway.wait_for_rows("SELECT 1 FROM answer", 1)
        left_out = gateway.rows("SELECT outcome, reason FROM outcome WHERE code = 'audit.left_out'")
        judged = len(gateway.rows("SELECT 1 FROM outcome WHERE code = 'audit.right'"))
    assert said_in(response) == answer
    assert response.headers["x-steelyard-audit"] == "partly_confirmed"
    assert json.loads(response.body)["steelyard"]["audit"] == "partly_confirmed"
    assert 0 < judged < MANY
    assert left_out == [("abstained", f"{MANY - judged} of {MANY} fields were not asked about")]
