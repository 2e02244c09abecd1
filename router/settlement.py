"""How an attempt ends, as values: the attempt, what its money came to, and the row of a request without an answer."""

from dataclasses import dataclass

from ledger.ids import AttemptId
from ledger.rows import AnswerRow, RequestRow, Role, State
from ledger.usage import Usage
from router.planning import PlannedAttempt

NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One dispatched try of one route."""

    attempt_id: AttemptId
    number: int
    role: Role
    planned: PlannedAttempt
    dispatched_at_us: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an attempt's money ended."""

    state: State
    usage: Usage = NO_USAGE
    error: str | None = None
    finish_reason: str | None = None
    model_served: str | None = None
    fingerprint: str | None = None
    upstream_id: str | None = None
    ttft_us: int | None = None


def unanswered(
    request: RequestRow,
    at_us: int,
    attempt_id: str | None,
    http_status: int,
    error: str,
    *,
    client_left: bool = False,
) -> AnswerRow:
    """The row of a request that ended without an answer."""
    return AnswerRow(
        request_id=request.request_id,
        at_us=at_us,
        attempt_id=attempt_id,
        status="client_left" if client_left else "failed",
        http_status=http_status,
        error=error,
        fields_checked=0,
        fields_flagged=0,
        passed=None,
        score_min=None,
        score_mean=None,
        latency_us=at_us - request.at_us,
    )
