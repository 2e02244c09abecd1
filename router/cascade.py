"""Run a plan: try its routes in order until one answers.

A failure that cost nothing is tried again as often as the policy says; then comes the plan's next
route. Neither happens once something has reached the caller.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.rows import Role
from router.accounts import Hold
from router.attempts import Attempts
from router.completion import Completion
from router.errors import BusyError, GatewayError, UnavailableError, UpstreamError, UpstreamRefusedError
from router.json_types import JsonObject
from router.planning import Plan, PlannedAttempt
from router.reply import AnswerHead, Reply
from router.request import ChatRequest
from router.settlement import Attempt

RETRY_S = 0.25
"""Before the first retry; each further one waits twice as long."""
RETRY_AFTER_S_MAX = 20
"""A provider that wants a longer rest is left for the plan's next route."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a plan's run came to."""

    attempt: Attempt
    head: AnswerHead
    completion: Completion


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a route, and the plain schema that its answer obeys."""

    request: ChatRequest
    plain_schema: JsonObject | None
    keep_text: bool = False
    """Whether somebody will judge the text, so that it must be kept."""


@dataclass(frozen=True, slots=True)
class _Roles:
    """Why the attempts of one run are made."""

    first: Role
    again: Role
    next: Role


_ANSWER = _Roles(Role.ANSWER, Role.RETRY, Role.FALLBACK)
_AUDIT = _Roles(Role.AUDIT, Role.AUDIT_AGAIN, Role.AUDIT_AGAIN)
_ESCALATION = _Roles(Role.ESCALATION, Role.ESCALATION_AGAIN, Role.ESCALATION_AGAIN)
_GRADE = _Roles(Role.GRADE, Role.GRADE, Role.GRADE)


class Cascade:
    """Runs the parts of plans."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    async def answer(self, plan: Plan, question: Question, hold: Hold, head: AnswerHead, reply: Reply) -> Ran:
        """Try the plan's routes; return the one that answered. A streamed answer has then been
        sent but for its end. Raises the last route's error, with every attempt settled."""
        return await self._run(plan.attempts, plan.allow.retries, _ANSWER, question, hold, head, reply)

    async def escalate(
        self, plan: Plan, question: Question, hold: Hold, head: AnswerHead, reply: Reply
    ) -> Ran:
        """Have a dearer model answer what an audit did not settle."""
        return await self._run(plan.escalation, plan.allow.retries, _ESCALATION, question, hold, head, reply)

    async def audit(self, plan: Plan, question: Question, hold: Hold) -> tuple[Attempt, Completion]:
        """Ask an auditor."""
        return await self._ask(plan.audit, plan.allow.retries, _AUDIT, question, hold)

    async def grade(self, plan: Plan, question: Question, hold: Hold) -> tuple[Attempt, Completion]:
        """Ask a grader."""
        return await self._ask(plan.grade, plan.allow.retries, _GRADE, question, hold)

    async def _ask(
        self,
        planned: Sequence[PlannedAttempt],
        retries: int,
        roles: _Roles,
        question: Question,
        hold: Hold,
    ) -> tuple[Attempt, Completion]:
        ran = await self._run(planned, retries, roles, question, hold, None, None)
        return ran.attempt, ran.completion

    async def _run(
        self,
        attempts: Sequence[PlannedAttempt],
        retries: int,
        roles: _Roles,
        question: Question,
        hold: Hold,
        head: AnswerHead | None,
        reply: Reply | None,
    ) -> Ran:
        request = question.request
        for place, planned in enumerate(attempts):
            this_head = _head_of(head, planned, request)
            for tried in range(retries + 1):
                role = roles.again if tried else roles.next if place else roles.first
                attempt = hold.current if role is Role.ANSWER else await hold.dispatch(planned, role)
                try:
                    completion = await self._attempts.run(
                        attempt,
                        request,
                        question.plain_schema,
                        hold,
                        this_head,
                        reply,
                        keep_text=question.keep_text,
                    )
                except (UpstreamError, UnavailableError) as error:
                    if reply is not None and (reply.client_left or (request.stream and reply.started)):
                        raise
                    rest_s = _rest_before_retry(error, tried) if tried < retries else None
                    if rest_s is not None:
                        await asyncio.sleep(rest_s)
                        continue
                    if place + 1 == len(attempts) or not _worth_another(error):
                        raise
                    break
                return Ran(attempt, this_head, completion)
        raise UnavailableError("the plan holds no route for this")


_NO_HEAD = AnswerHead("", "", "", "", "", None)


def _head_of(head: AnswerHead | None, planned: PlannedAttempt, request: ChatRequest) -> AnswerHead:
    limit = planned.max_tokens if planned.max_tokens != request.max_tokens else None
    known, route = head or _NO_HEAD, planned.route.name
    return AnswerHead(
        known.request_id, known.conversation, known.plan, route, known.policy, limit, known.audit
    )


def _rest_before_retry(error: GatewayError, tried: int) -> float | None:
    """How long to wait before the same route is tried again; None if it is not to be."""
    if isinstance(error, UpstreamError) and error.billable:
        return None  # it may have cost something, and the hold is for one such failure
    if isinstance(error, UpstreamRefusedError) and error.status != 429:
        return None
    asked = next((value for name, value in error.headers if name == b"retry-after"), None)
    if asked is not None and asked.isdigit():
        return float(asked) if int(asked) <= RETRY_AFTER_S_MAX else None
    return float(RETRY_S * 2**tried)


def _worth_another(error: GatewayError) -> bool:
    """A provider's refusal of the request itself would be repeated by the next one; all else may not."""
    return (
        not isinstance(error, UpstreamRefusedError)
        or error.status in (404, 429, 502)
        or isinstance(error, BusyError)
    )
