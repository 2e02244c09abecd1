"""Judge generated text after it went out: an auditor's verdict, or a grader's, by the team's criteria."""

import secrets
from dataclasses import dataclass

from ledger.rows import OutcomeRow, OutcomeSource
from router.accounts import Hold
from router.afterwards import AUDIT
from router.audit_questions import NONCE_BYTES
from router.cascade import Cascade, Question, Ran
from router.grading import AFTER, BEFORE
from router.judging import judges_request
from router.planning import Plan
from router.request import ChatRequest
from router.settlement import Attempt
from verifiers.audit_verdicts import Ruling, Unusable
from verifiers.generation_audit import generation_question, read_generation_verdict

_OUTCOMES = {Ruling.RIGHT: "right", Ruling.WRONG: "wrong", Ruling.CANNOT_TELL: "abstained"}


@dataclass(frozen=True, slots=True)
class GenerationAuditor:
    """Asks judges about generated text."""

    cascade: Cascade

    async def judge(
        self, plan: Plan, request: ChatRequest, ran: Ran, hold: Hold, purpose: str, propensity: float
    ) -> None:
        """Ask the auditor, or the grader, and note what it says. Raises GatewayError."""
        criteria = plan.allow.criteria
        asked = generation_question(
            _asked_in(request), ran.completion.text or "", criteria, secrets.token_hex(NONCE_BYTES)
        )
        question = Question(judges_request(asked), asked.response_schema)
        ask = self.cascade.audit if purpose == AUDIT else self.cascade.grade
        judge, completion = await ask(plan, question, hold)
        verdict = read_generation_verdict(asked, completion.text or "")
        if isinstance(verdict, Unusable):
            outcome, code, reason = "abstained", verdict.code, verdict.reason
        else:
            outcome = _OUTCOMES[verdict.ruling]
            code, reason = f"{purpose}.{verdict.reason}", f"the judge says: {verdict.ruling.value}"
        checks = ("audit",) if purpose == AUDIT else (f"grade.{BEFORE}", f"grade.{AFTER}")
        source = OutcomeSource.AUDITOR if purpose == AUDIT else OutcomeSource.SHADOW
        hold.note(
            _row(hold, ran.attempt, judge, source, check, outcome, code, reason, propensity, plan)
            for check in checks
        )


def _asked_in(request: ChatRequest) -> str:
    """The conversation as far as it was sent, its last turns in full if it must be cut."""
    return "\n".join(f"{message.role}: {message.text}" for message in request.messages)


def _row(
    hold: Hold,
    judged: Attempt,
    judge: Attempt,
    source: OutcomeSource,
    check: str,
    outcome: str,
    code: str,
    reason: str,
    propensity: float,
    plan: Plan,
) -> OutcomeRow:
    return OutcomeRow(
        outcome_id=hold.outcome_id(),
        request_id=hold.request_id,
        attempt_id=judged.attempt_id,
        at_us=hold.now_us,
        source=source.value,
        check_name=check,
        field="",
        outcome=outcome,
        code=code[:60],
        reason=reason[:500],
        span_start=None,
        span_end=None,
        score=None,
        flagged=source is OutcomeSource.AUDITOR and outcome == "wrong",
        propensity=propensity,
        simulated=plan.simulated,
        judge_attempt_id=judge.attempt_id,
    )
