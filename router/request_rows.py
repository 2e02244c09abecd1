"""What the ledger keeps of a request and of how it was answered, content-free."""

from dataclasses import dataclass

from ledger.ids import RequestId
from ledger.rows import AnswerRow, OutcomeRow, OutcomeSource, RequestRow
from router.accounts import Hold
from router.auditing import Reviewed
from router.caller import Caller
from router.cascade import Ran
from router.checking import Checked, outcome_rows
from router.classification import FEATURES_VERSION, Task
from router.planning import Plan
from router.request import ChatRequest
from router.settlement import Attempt


@dataclass(frozen=True, slots=True)
class Baseline:
    """The premium route that a report's estimate names, and its price row."""

    route: str | None = None
    price_id: str | None = None


def request_row(
    request: ChatRequest,
    request_id: RequestId,
    caller: Caller,
    task: Task,
    plan: Plan,
    baseline: Baseline,
    at_us: int,
) -> RequestRow:
    """The row of a request."""
    return RequestRow(
        request_id=request_id,
        at_us=at_us,
        team=caller.team,
        key_id=caller.key_id,
        endpoint=request.endpoint,
        model_requested=request.model,
        plan=plan.name,
        routes=",".join(attempt.route.name for attempt in plan.attempts),
        task_kind=task.kind.value,
        task_class=task.task_class,
        template_hash=task.template_hash,
        label=caller.rulebook.label(request.declared.label),
        purpose=request.declared.purpose,
        conversation=task.conversation,
        stream=request.stream,
        message_count=len(request.messages),
        document_bytes=task.document_bytes,
        prompt_tokens_bound=plan.prompt_tokens_bound,
        output_tokens_limit=plan.attempts[0].max_tokens,
        choices=request.choices,
        hold_nano_usd=plan.hold_nano_usd,
        baseline_route=baseline.route,
        baseline_price_id=baseline.price_id,
        propensity=1.0,
        features_version=FEATURES_VERSION,
        policy_hash=plan.allow.policy_hash,
        rule_ids=",".join(plan.allow.rule_ids),
        simulated=plan.simulated,
        project=caller.project,
        environment=caller.environment,
    )


def answer_row(
    hold: Hold, ran: Ran, checked: Checked | None, at_us: int, audit: str | None, *, client_left: bool
) -> AnswerRow:
    """The row of an answer that was given."""
    scores = checked.scores if checked is not None else []
    now_us = hold.now_us
    return AnswerRow(
        request_id=hold.request_id,
        at_us=now_us,
        attempt_id=ran.attempt.attempt_id,
        status="client_left" if client_left else "answered",
        http_status=200,
        error=None,
        fields_checked=checked.fields_checked if checked is not None else 0,
        fields_flagged=checked.fields_flagged if checked is not None else 0,
        passed=checked.verdict.passed if checked is not None else None,
        score_min=min(scores) if scores else None,
        score_mean=sum(scores) / len(scores) if scores else None,
        latency_us=now_us - at_us,
        audit=audit,
    )


def check_rows(hold: Hold, reviewed: Reviewed) -> list[OutcomeRow]:
    """What the checks said of an answer as it came, and of what went out in its place."""
    first, last = reviewed.first.attempt, reviewed.ran.attempt
    rows = _check_rows(hold, first, reviewed.first_checked, OutcomeSource.CHECK)
    if reviewed.checked is not reviewed.first_checked:
        source = OutcomeSource.RECHECK if first is last else OutcomeSource.CHECK
        rows += _check_rows(hold, last, reviewed.checked, source)
    return rows


def _check_rows(hold: Hold, attempt: Attempt, checked: Checked, source: OutcomeSource) -> list[OutcomeRow]:
    at_us, simulated = hold.now_us, attempt.planned.route.simulated
    return outcome_rows(
        checked, hold.request_id, attempt.attempt_id, at_us, hold.outcome_id, source, simulated=simulated
    )
