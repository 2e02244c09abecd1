"""What is to follow an answer, as judgements: an audit where it comes afterwards, and a grade."""

from dataclasses import dataclass
from functools import partial

from policies.facts import TaskKind
from router.accounts import Hold
from router.afterwards import AUDIT, GRADE, Judgement, judgement
from router.auditing import Auditor, Reviewed
from router.cascade import Ran
from router.generation_auditing import GenerationAuditor
from router.grading import Grader
from router.planning import Plan
from router.request import ChatRequest
from router.sampling import WHOLE, audit_percent
from verifiers.checks.schema import ExtractionSchema
from verifiers.indexed import Indexed


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Makes judgements."""

    auditor: Auditor
    grader: Grader
    of_text: GenerationAuditor

    def of_extraction(
        self,
        plan: Plan,
        request: ChatRequest,
        schema: ExtractionSchema,
        reviewed: Reviewed,
        hold: Hold,
        *,
        audit_follows: bool,
    ) -> list[Judgement]:
        """The audit of a stream that has gone out, and the grade, where they are due."""
        found: list[Judgement] = []
        attempt_id = reviewed.ran.attempt.attempt_id
        rules, grading = plan.allow.audits, plan.allow.grading

        async def audit() -> None:
            indexed = Indexed(request.document)
            await self.auditor.audit(plan, schema, reviewed.ran, reviewed.checked, indexed, hold)

        async def grade() -> None:
            await self.grader.grade(plan, request, schema, reviewed, hold)

        if audit_follows and rules is not None:
            propensity = audit_percent(rules, TaskKind.EXTRACTION) / WHOLE
            found.append(judgement(hold, attempt_id, AUDIT, propensity, audit, simulated=plan.simulated))
        if grading is not None and plan.grade:
            propensity = grading.percent / WHOLE
            found.append(judgement(hold, attempt_id, GRADE, propensity, grade, simulated=plan.simulated))
        return found

    def of_generation(self, plan: Plan, request: ChatRequest, ran: Ran, hold: Hold) -> list[Judgement]:
        """The audit and the grade of generated text, where chance chose it."""
        found: list[Judgement] = []
        rules, grading = plan.allow.audits, plan.allow.grading
        due = (
            (
                AUDIT,
                rules is not None and bool(plan.audit),
                audit_percent(rules, TaskKind.GENERATION) if rules else 0,
            ),
            (GRADE, grading is not None and bool(plan.grade), grading.percent if grading else 0),
        )
        for purpose, is_due, percent in due:
            if is_due:
                propensity = percent / WHOLE
                run = partial(self.of_text.judge, plan, request, ran, hold, purpose, propensity)
                attempt_id = ran.attempt.attempt_id
                found.append(judgement(hold, attempt_id, purpose, propensity, run, simulated=plan.simulated))
        return found
