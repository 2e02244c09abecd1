"""Audits before the answer: who is asked, what its verdict does, what it costs, and what the ledger says of it."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from policies.audits import (
    AuditMode,
    AuditRules,
    Delivery,
    GradingRules,
    WhenUnaudited,
    WhenUnsettled,
    WhenWrong,
)
from policies.team import TeamPolicy
from router import afterwards as afterwards_module
from router.call import Call
from router.completion import Completion
from router.errors import InvalidRequestError, UnauditedError, UpstreamError
from router.request import ChatRequest
from support.routes import CHEAP, DEAR, chat
from support.spine import USED, RecordedReply, ScriptedProvider, Step, policy, running_spine

TEXT = "ACME Ltd\nInvoice date 2026-11-01\nSubtotal 10.00\nTotal 12.50\n"
SCHEMA = {
    "type": "object",
    "properties": {"company": {"type": "string"}, "total": {"type": "string"}},
    "required": ["company", "total"],
}
RIGHT = {"company": "ACME Ltd", "total": "12.50"}
DOUBTFUL = {"company": "ACME Ltd", "total": "99.99"}
RULES = AuditRules(
    AuditMode.BY_RISK,
    0.0,
    (DEAR.name,),
    WhenWrong.CORRECT,
    WhenUnsettled.ESCALATE,
    WhenUnaudited.PASS,
    Delivery.VERIFY_THEN_STREAM,
    None,
)
COST = 200_000
"""The cheap model's, of 100 tokens in at $1 a million and 50 out at $2."""
DEAR_COST = 3_500_000
"""The same tokens at $10 and $50."""


def completion(answer: object) -> Completion:
    text = json.dumps(answer)
    message = {"role": "assistant", "content": text}
    body = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}  # fmt: skip
    return Completion(json.dumps(body).encode(), text, None, "stop", USED, "served")


def verdict(
    ruling: str, correction: str | None = None, cites: str | None = "Total 12.50"
) -> Callable[[Call], Completion]:
    """An auditor that gives the same verdict on every field, and cites the excerpt that holds `cites`."""

    def answer(call: Call) -> Completion:
        lines = [json.loads(line) for line in call.request.messages[1].text.splitlines() if line[:1] == "{"]
        spans = [
            each["span"] for each in lines if "span" in each and cites is not None and cites in each["text"]
        ]
        cited = spans[0] if spans and correction is not None else None
        said = [
            {"field": each["field"], "verdict": ruling, "correction": correction, "span_id": cited}
            for each in lines
            if "field" in each
        ]
        return completion({"verdicts": said})

    return answer


def audited(rules: AuditRules = RULES) -> TeamPolicy:
    plans = {"cheap": (CHEAP.name,), "premium": (DEAR.name,), "cheap+audit": (CHEAP.name,)}
    return replace(policy((CHEAP.name,)), plans=plans, audits=rules)


def extraction(**fields: object) -> ChatRequest:
    asked = {"type": "json_schema", "json_schema": {"name": "invoice", "schema": SCHEMA}}
    return chat(TEXT, model="cheap+audit", response_format=asked, **fields)


def query(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


ENTRIES = "SELECT role, route, cost_nano_usd FROM entry WHERE state != 'DISPATCHED' ORDER BY seq"
AUDITS = "SELECT field, outcome, code, judge_attempt_id IS NOT NULL FROM outcome WHERE source = 'auditor' ORDER BY seq"


async def run(
    tmp_path: Path, *steps: Step, rules: AuditRules = RULES, request: ChatRequest | None = None
) -> tuple[RecordedReply, Path]:
    """Answer one request; everything held must be free again."""
    reply, provider = RecordedReply(), ScriptedProvider(*steps)
    with running_spine(tmp_path, provider, rules=audited(rules)) as spine:
        await spine.answer(request or extraction(), reply)
        assert spine.held_nano_usd == 0
    return reply, spine.path


def answered(reply: RecordedReply) -> object:
    assert reply.answer is not None
    return json.loads(json.loads(reply.answer[1].body)["choices"][0]["message"]["content"])


def status(reply: RecordedReply, path: Path) -> object:
    """What the header and the row say, which must be the same."""
    assert reply.answer is not None
    ((row,),) = query(path, "SELECT audit FROM answer")
    assert reply.answer[0].audit == row
    return row


async def test_an_answer_without_doubt_is_not_audited(tmp_path: Path) -> None:
    reply, path = await run(tmp_path, completion(RIGHT))
    assert (answered(reply), status(reply, path)) == (RIGHT, "not_needed")
    assert query(path, ENTRIES) == [("answer", CHEAP.name, COST)]


async def test_a_doubtful_value_that_the_auditor_confirms_goes_out_as_it_is(tmp_path: Path) -> None:
    reply, path = await run(tmp_path, completion(DOUBTFUL), verdict("right"))
    assert (answered(reply), status(reply, path)) == (DOUBTFUL, "confirmed")
    assert query(path, ENTRIES) == [("answer", CHEAP.name, COST), ("audit", DEAR.name, DEAR_COST)]
    assert query(path, AUDITS) == [("total", "right", "audit.right", 1)]


async def test_a_proven_correction_takes_the_values_place(tmp_path: Path) -> None:
    reply, path = await run(tmp_path, completion(DOUBTFUL), verdict("wrong", "12.50"))
    assert (answered(reply), status(reply, path)) == (RIGHT, "corrected")
    assert reply.cost_nano_usd == COST + DEAR_COST
    assert query(path, AUDITS) == [("total", "wrong", "audit.corrected", 1)]
    (judge,) = query(path, "SELECT attempt_id FROM entry WHERE role = 'audit' AND state = 'SETTLED'")
    assert query(path, "SELECT judge_attempt_id FROM outcome WHERE source = 'auditor'") == [judge]


@pytest.mark.parametrize(
    "said", [verdict("wrong", "77.77"), verdict("wrong"), verdict("cannot_tell")],
    ids=["a correction that stands nowhere", "no correction", "cannot tell"],
)  # fmt: skip
async def test_what_an_audit_does_not_settle_a_premium_model_answers(
    tmp_path: Path, said: Callable[[Call], Completion]
) -> None:
    reply, path = await run(tmp_path, completion(DOUBTFUL), said, completion(RIGHT))
    assert (answered(reply), status(reply, path)) == (RIGHT, "escalated")
    assert [row[0] for row in query(path, ENTRIES)] == ["answer", "audit", "escalation"]
    assert reply.answer is not None
    assert reply.answer[0].route == DEAR.name
    checked = query(path, "SELECT DISTINCT attempt_id FROM outcome WHERE source = 'check'")
    assert len(checked) == 2, "the checks of both answers are kept"


async def test_an_answer_that_is_no_json_escalates_without_a_question(tmp_path: Path) -> None:
    broken = replace(completion(RIGHT), text="not json")
    _, path = await run(tmp_path, broken, completion(RIGHT))
    assert [row[0] for row in query(path, ENTRIES)] == ["answer", "escalation"]


async def test_a_policy_that_lets_pass_marks_what_it_lets_pass(tmp_path: Path) -> None:
    rules = replace(RULES, when_wrong=WhenWrong.PASS)
    reply, path = await run(tmp_path, completion(DOUBTFUL), verdict("wrong", "12.50"), rules=rules)
    assert (answered(reply), status(reply, path)) == (DOUBTFUL, "doubtful")


async def test_a_policy_may_have_all_that_is_wrong_answered_anew(tmp_path: Path) -> None:
    rules = replace(RULES, when_wrong=WhenWrong.ESCALATE)
    steps = (completion(DOUBTFUL), verdict("wrong", "12.50"), completion(RIGHT))
    reply, path = await run(tmp_path, *steps, rules=rules)
    assert (answered(reply), status(reply, path)) == (RIGHT, "escalated")


async def test_every_field_is_asked_about_where_the_policy_says_always(tmp_path: Path) -> None:
    rules = replace(RULES, mode=AuditMode.ALWAYS)
    reply, path = await run(tmp_path, completion(RIGHT), verdict("right"), rules=rules)
    assert status(reply, path) == "confirmed"
    assert [row[0] for row in query(path, AUDITS)] == ["company", "total"]


async def test_where_only_some_of_all_fields_were_asked_about_or_judged_the_answer_is_confirmed_in_part(
    tmp_path: Path,
) -> None:
    rules = replace(RULES, mode=AuditMode.ALWAYS)
    reply, path = await run(tmp_path, completion(RIGHT), verdict("cannot_tell"), rules=rules)
    assert status(reply, path) == "partly_confirmed"
    assert [row[0] for row in query(path, ENTRIES)] == ["answer", "audit"]


@pytest.mark.parametrize("mode", [AuditMode.ALWAYS, AuditMode.BY_RISK])
async def test_an_answer_without_a_field_is_confirmed_by_nobody(tmp_path: Path, mode: AuditMode) -> None:
    asked = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    request = chat("Nothing to read.", model="cheap+audit", response_format=asked)
    reply, path = await run(tmp_path, completion({}), rules=replace(RULES, mode=mode), request=request)
    assert status(reply, path) == "not_needed"
    assert [row[0] for row in query(path, ENTRIES)] == ["answer"]


async def test_doubtful_fields_that_a_question_has_no_room_for_stay_doubtful(tmp_path: Path) -> None:
    """A Chinese question has three bytes a character, so fewer fields fit what is held for it."""
    names = [f"f{number}" for number in range(20)]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    asked = {"type": "json_schema", "json_schema": {"name": "long", "schema": schema}}
    request = chat("合同条款。" * 20, model="cheap+audit", response_format=asked)
    answer = {name: f"不在文件里的内容{name}" * 20 for name in names}
    reply, path = await run(
        tmp_path, completion(answer), verdict("right"), completion(answer), request=request
    )
    judged = query(path, AUDITS)
    assert 1 < len(judged) < len(names)
    assert {row[1] for row in judged[:-1]} == {"right"}
    assert judged[-1] == ("", "abstained", "audit.left_out", 1)
    assert status(reply, path) == "escalated"


DOWN = UpstreamError("down", code="upstream_unreachable", billable=False)
FAULTS: dict[str, tuple[Step, str]] = {
    "it is down": (DOWN, "audit.upstream_unreachable"),
    "it fails": (UpstreamError("boom", billable=True), "audit.upstream_error"),
    "nonsense": (replace(completion(RIGHT), text="I think all is well."), "audit.not_json"),
    "another object": (completion({"ok": True}), "audit.not_verdicts"),
    "an empty answer": (replace(completion(RIGHT), text=None), "audit.not_json"),
}


@pytest.mark.parametrize(("fault", "code"), FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("then", WhenUnaudited)
async def test_an_auditor_that_gives_no_verdict_is_never_a_silent_pass(
    tmp_path: Path, then: WhenUnaudited, fault: Step, code: str
) -> None:
    rules = replace(RULES, when_unaudited=then)
    reply, provider = RecordedReply(), ScriptedProvider(completion(DOUBTFUL), fault, completion(RIGHT))
    with running_spine(tmp_path, provider, rules=audited(rules)) as spine:
        if then is WhenUnaudited.FAIL:
            with pytest.raises(UnauditedError):
                await spine.answer(extraction(), reply)
        else:
            await spine.answer(extraction(), reply)
        assert spine.held_nano_usd == 0
    ((found,),) = query(spine.path, "SELECT code FROM outcome WHERE source = 'auditor'")
    assert found == code
    ((http_status, audit),) = query(spine.path, "SELECT http_status, audit FROM answer")
    assert (http_status, audit) == {
        WhenUnaudited.PASS: (200, "unaudited"),
        WhenUnaudited.ESCALATE: (200, "escalated"),
        WhenUnaudited.FAIL: (502, None),
    }[then]


async def test_where_no_premium_model_can_answer_the_doubtful_answer_passes_marked(tmp_path: Path) -> None:
    reply, path = await run(tmp_path, completion(DOUBTFUL), verdict("wrong"), DOWN)
    assert (answered(reply), status(reply, path)) == (DOUBTFUL, "doubtful")
    assert query(path, AUDITS)[-1] == ("", "abstained", "escalation.upstream_unreachable", 0)


async def test_the_whole_plan_is_held_before_it_starts(tmp_path: Path) -> None:
    with running_spine(tmp_path, ScriptedProvider(completion(RIGHT)), rules=audited()) as spine:
        await spine.answer(extraction())
    ((held,),) = query(spine.path, "SELECT hold_nano_usd FROM request")
    ((cheap,),) = query(spine.path, "SELECT bound_nano_usd FROM entry WHERE state = 'DISPATCHED'")
    assert isinstance(held, int)
    assert isinstance(cheap, int)
    assert held > cheap + 5_000 * 10_000, "the audit's question and the escalation are in it"


async def test_a_plan_that_could_not_escalate_is_not_offered(tmp_path: Path) -> None:
    small = replace(DEAR, context_window=64)
    with (
        running_spine(tmp_path, ScriptedProvider(), rules=audited(), routes=(CHEAP, small)) as spine,
        pytest.raises(InvalidRequestError, match="holds 64 tokens"),
    ):
        await spine.answer(extraction())


async def test_several_answers_cannot_be_audited(tmp_path: Path) -> None:
    with (
        running_spine(tmp_path, ScriptedProvider(), rules=audited()) as spine,
        pytest.raises(InvalidRequestError, match="audits one answer") as raised,
    ):
        await spine.answer(extraction(n=2))
    assert raised.value.param == "n"


async def test_a_stream_is_held_back_until_it_is_checked(tmp_path: Path) -> None:
    provider = ScriptedProvider(completion(DOUBTFUL), verdict("wrong", "12.50"))
    reply = RecordedReply()
    with running_spine(tmp_path, provider, rules=audited()) as spine:
        await spine.answer(extraction(stream=True, stream_options={"include_usage": True}), reply)
    assert not provider.calls[0].request.stream
    assert "stream" not in provider.calls[0].request.body
    ((head, data),) = reply.pieces
    assert head.audit == "corrected"
    first = json.loads(data.split(b"\n\n")[0].removeprefix(b"data: "))
    assert json.loads(first["choices"][0]["delta"]["content"]) == RIGHT


async def test_the_auditor_sees_excerpts_and_never_the_whole_document(tmp_path: Path) -> None:
    long = "\n".join(f"line {number} of many words that mean nothing" for number in range(150))
    provider = ScriptedProvider(completion(DOUBTFUL), verdict("right"))
    asked = {"type": "json_schema", "json_schema": {"name": "invoice", "schema": SCHEMA}}
    with running_spine(tmp_path, provider, rules=audited()) as spine:
        await spine.answer(chat(f"{TEXT}{long}", model="cheap+audit", response_format=asked))
    question = provider.calls[1].request
    assert len(question.messages[1].text) < 3_000
    assert question.messages[0].text.startswith("You audit values")
    assert provider.calls[1].route.name == DEAR.name


class FailingReply(RecordedReply):
    """A caller whose connection breaks as the answer is written."""

    async def whole(self, *_args: object, **_more: object) -> None:
        """Break."""
        raise ConnectionError


async def test_what_follows_an_answer_follows_although_nobody_could_read_it(tmp_path: Path) -> None:
    rules = replace(audited(), grading=GradingRules(100.0, (DEAR.name,)))
    provider = ScriptedProvider(completion(RIGHT), verdict("right"))
    with running_spine(tmp_path, provider, rules=rules) as spine:
        with pytest.raises(ConnectionError):
            await spine.answer(extraction(), FailingReply())
        await spine.pipeline.afterwards.close()
        assert spine.held_nano_usd == 0
    assert query(
        spine.path, "SELECT DISTINCT check_name, outcome FROM outcome WHERE source = 'shadow' AND field = ''"
    ) == [
        ("sample", "abstained"),
        ("grade.after", "right"),
        ("grade.before", "right"),
    ]


@pytest.mark.parametrize(
    "step", [DOWN, replace(completion(RIGHT), text="nonsense")], ids=["the grader is down", "nonsense"]
)
async def test_a_grade_that_could_not_be_had_is_a_row_that_says_so(tmp_path: Path, step: Step) -> None:
    rules = replace(audited(), grading=GradingRules(100.0, (DEAR.name,)))
    with running_spine(tmp_path, ScriptedProvider(completion(RIGHT), step), rules=rules) as spine:
        await spine.answer(extraction())
        await spine.pipeline.afterwards.close()
        assert spine.held_nano_usd == 0
    told = query(
        spine.path, "SELECT code FROM outcome WHERE source = 'shadow' AND outcome = 'abstained' ORDER BY seq"
    )
    assert told[0] == ("sample.grade.chosen",)
    assert told[1] in [("sample.grade.lost",), ("audit.not_json",)]


async def test_what_has_no_room_to_wait_is_not_judged_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(afterwards_module, "WAITING_MAX", 0)
    rules = replace(audited(), grading=GradingRules(100.0, (DEAR.name,)))
    provider = ScriptedProvider(completion(RIGHT))
    with running_spine(tmp_path, provider, rules=rules) as spine:
        await spine.answer(extraction())
        assert spine.held_nano_usd == 0
    assert len(provider.calls) == 1
    told = query(spine.path, "SELECT code FROM outcome WHERE check_name = 'sample' ORDER BY seq")
    assert told == [("sample.grade.chosen",), ("sample.grade.lost",)]
