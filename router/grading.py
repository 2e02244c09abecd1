"""Grade a sampled answer: a premium model that did not audit it judges every field, before and after the audit.

From these, and not from what auditors say of doubtful answers, accuracy is estimated.
"""

from ledger.rows import OutcomeRow, OutcomeSource
from router.accounts import Hold
from router.audit_questions import fitting_question
from router.auditing import Reviewed
from router.cascade import Cascade, Question, Ran
from router.checking import Checked, field_shown
from router.judging import judges_request
from router.off_loop import off_loop
from router.planning import Plan, question_room
from router.request import ChatRequest
from router.settlement import Attempt
from verifiers.audit_verdicts import Ruling, Unusable, read_verdicts
from verifiers.auditor import all_fields
from verifiers.checks.schema import ExtractionSchema
from verifiers.indexed import Indexed

BEFORE, AFTER = "before", "after"
_OUTCOMES = {Ruling.RIGHT: "right", Ruling.WRONG: "wrong", Ruling.CANNOT_TELL: "abstained"}


class Grader:
    """Grades extractions."""

    def __init__(self, cascade: Cascade) -> None:
        self._cascade = cascade

    async def grade(
        self, plan: Plan, request: ChatRequest, schema: ExtractionSchema, reviewed: Reviewed, hold: Hold
    ) -> None:
        """Grade what went out and, where that is another, what the cheap model said. Raises GatewayError."""
        after, before = reviewed.ran, reviewed.first
        indexed = Indexed(request.document)
        rows = await self._of(plan, indexed, schema, after, reviewed.checked, hold, AFTER)
        if before.completion.text == after.completion.text:
            rows += [_as_before(row, hold) for row in rows]
        else:
            rows += await self._of(plan, indexed, schema, before, reviewed.first_checked, hold, BEFORE)
        hold.note(rows)

    async def _of(
        self,
        plan: Plan,
        indexed: Indexed,
        schema: ExtractionSchema,
        ran: Ran,
        checked: Checked,
        hold: Hold,
        when: str,
    ) -> list[OutcomeRow]:
        note = _Grades(plan, ran.attempt, checked, hold, when)
        fields, room = all_fields(checked.verdict), question_room(plan.grade)
        text = ran.completion.text or ""
        asked = await off_loop(
            len(indexed.document.text), fitting_question, schema, indexed, checked.verdict, text, fields, room
        )
        if asked is None:
            return [note.whole("wrong" if not checked.verdict.valid else "abstained", "grade.unasked", None)]
        judge, completion = await self._cascade.grade(
            plan, Question(judges_request(asked), asked.response_schema), hold
        )
        verdicts = read_verdicts(asked, completion.text or "")
        if isinstance(verdicts, Unusable):
            return [note.whole("abstained", verdicts.code, judge)]
        rulings = [verdict.ruling for verdict in verdicts]
        paths = {field.id: field.path for field in asked.fields}
        rows = [note.field(paths[each.field], _OUTCOMES[each.ruling], judge) for each in verdicts]
        if Ruling.WRONG in rulings or not checked.verdict.valid:
            whole = "wrong"
        elif Ruling.CANNOT_TELL in rulings or asked.left_out:
            whole = "abstained"
        else:
            whole = "right"
        return [*rows, note.whole(whole, f"grade.{whole}", judge)]


class _Grades:
    """Writes grades as rows."""

    def __init__(self, plan: Plan, graded: Attempt, checked: Checked, hold: Hold, when: str) -> None:
        self._plan = plan
        self._graded = graded
        self._names = checked.names
        self._hold = hold
        self._when = when

    def field(self, path: str, outcome: str, judge: Attempt) -> OutcomeRow:
        """One field's grade."""
        return self._row(field_shown(path, self._names)[:200], outcome, f"grade.{outcome}", judge)

    def whole(self, outcome: str, code: str, judge: Attempt | None) -> OutcomeRow:
        """The whole answer's grade."""
        return self._row("", outcome, code, judge)

    def _row(self, field: str, outcome: str, code: str, judge: Attempt | None) -> OutcomeRow:
        grading = self._plan.allow.grading
        return OutcomeRow(
            outcome_id=self._hold.outcome_id(),
            request_id=self._hold.request_id,
            attempt_id=self._graded.attempt_id,
            at_us=self._hold.now_us,
            source=OutcomeSource.SHADOW.value,
            check_name=f"grade.{self._when}",
            field=field,
            outcome=outcome,
            code=code[:60],
            reason=f"the grader says: {outcome}",
            span_start=None,
            span_end=None,
            score=None,
            flagged=False,
            propensity=grading.percent / 100 if grading is not None else 1.0,
            simulated=self._plan.simulated,
            judge_attempt_id=judge.attempt_id if judge is not None else None,
        )


def _as_before(row: OutcomeRow, hold: Hold) -> OutcomeRow:
    """The same grade for the answer as it came, which nothing changed."""
    return row._replace(outcome_id=hold.outcome_id(), check_name=f"grade.{BEFORE}")
