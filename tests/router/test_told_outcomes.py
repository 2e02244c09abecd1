"""What people and applications tell of answers becomes rows, with the propensity of the sample that it was in."""

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.history import RequestHistory, request_history
from ledger.ledger import read_only_engine
from ledger.rows import OutcomeRow, OutcomeSource
from ledger.schema import ensure_schema
from router.errors import InvalidRequestError
from router.told_outcomes import TOLD_MAX, Told, told_rows
from support.gateway import config_text, make_key, running_gateway, write_config
from support.ledger_rows import NOON_US, RequestMaker, write_ledger
from support.upstream import running_upstream


def history_of(tmp_path: Path, *, status: str = "answered", sampled: bool = False) -> RequestHistory:
    request = RequestMaker(1)
    request.answer(request.attempt(), status)
    if sampled:
        request.outcome("shadow", "abstained")
        row = request.rows[-1]
        assert isinstance(row, OutcomeRow)
        request.rows[-1] = row._replace(check_name="sample", code="sample.grade.chosen", propensity=0.02)
    ensure_schema(tmp_path / "empty.sqlite")
    path = write_ledger(tmp_path / "empty.sqlite", tmp_path / "ledger.sqlite", [request])
    engine = read_only_engine(path)
    found = request_history(engine, request.request_id)
    engine.dispose()
    assert found is not None
    return found


@pytest.mark.parametrize(("sampled", "propensity"), [(True, 0.02), (False, 0.0)])
def test_a_word_about_an_answer_carries_the_propensity_of_its_sample(
    tmp_path: Path, propensity: float, *, sampled: bool
) -> None:
    history = history_of(tmp_path, sampled=sampled)
    told = [Told("", right=False), Told("items[0].amount", right=True)]
    rows = told_rows(history, told, OutcomeSource.PERSON, NOON_US)
    assert [(row.field, row.outcome, row.source, row.propensity) for row in rows] == [
        ("", "wrong", "person", propensity),
        ("items[0].amount", "right", "person", propensity),
    ]
    assert {row.attempt_id for row in rows} == {history.entries[0].attempt_id}


@pytest.mark.parametrize("field", ["a b", "Müller's total", "x" * 201, "a;b"])
def test_what_is_no_fields_name_is_refused(tmp_path: Path, field: str) -> None:
    history = history_of(tmp_path)
    with pytest.raises(InvalidRequestError, match="no field's name"):
        told_rows(history, [Told(field, right=True)], OutcomeSource.PERSON, NOON_US)


def test_too_much_nothing_and_a_request_without_an_answer_are_refused(tmp_path: Path) -> None:
    history = history_of(tmp_path, status="failed")
    with pytest.raises(InvalidRequestError, match="has no answer"):
        told_rows(history, [Told("", right=True)], OutcomeSource.PERSON, NOON_US)
    assert history.answer is not None
    answered = replace(history, answer=history.answer._replace(status="answered"))
    for told in ([], [Told("", right=True)] * (TOLD_MAX + 1)):
        with pytest.raises(InvalidRequestError, match="1 to 200"):
            told_rows(answered, told, OutcomeSource.PERSON, NOON_US)


def test_an_application_tells_over_http_and_another_team_cannot(tmp_path: Path) -> None:
    policies = {
        name: f'team: {name}\nmodels: ["*"]\nplans: {{cheap: [fake-model]}}\nauto: {{generation: cheap}}\n'
        for name in ("finance", "legal")
    }
    with running_upstream() as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url), policies)
        with running_gateway(config) as gateway:
            key, other = make_key(config), make_key(config, "legal")
            path = f"/v1/steelyard/requests/{gateway.chat(key).headers['x-steelyard-request-id']}/outcomes"
            gateway.wait_for_rows("SELECT 1 FROM answer", 1)
            body = {
                "outcomes": [{"outcome": "wrong", "field": "total"}, {"outcome": "wrong"}],
                "source": "gold",
            }
            kind = {"content-type": "application/json"}
            told = gateway.request("POST", path, key=key, body=body, headers=kind)
            assert told.status == 201, told.body
            assert gateway.rows("SELECT source, field, outcome FROM outcome ORDER BY seq") == [
                ("gold", "total", "wrong"),
                ("gold", "", "wrong"),
            ]
            refused = gateway.request("POST", path, key=other, body=body, headers=kind)
            assert (refused.status, refused.error["code"]) == (404, "request_not_found")
            for wrong in (
                '{"outcomes": []}',
                '{"outcomes": [{"outcome": "maybe"}]}',
                '{"outcomes": [], "x": 1}',
            ):
                answer = gateway.request("POST", path, key=key, body=wrong.encode(), headers=kind)
                assert answer.status == 400, wrong
