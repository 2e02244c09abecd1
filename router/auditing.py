"""Audit an extraction's answer before it goes out: ask about what is doubtful, then correct it, have a
dearer model answer, or let it pass and say so, as the policy says. Nothing passes in silence.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from policies.audits import AuditMode, AuditRules, WhenUnaudited, WhenUnsettled, WhenWrong
from router.accounts import Hold
from router.audit_questions import fitting_question
from router.audit_rows import AuditRows
from router.cascade import Cascade, Question, Ran
from router.checking import Checked, Checker
from router.errors import GatewayError, UnauditedError
from router.judging import judges_request
from router.off_loop import off_loop
from router.planning import Plan, question_room
from router.reply import AnswerHead, Reply
from router.wire.whole_answer import with_answer
from verifiers.audit_verdicts import Ruling, Unusable, read_verdicts
from verifiers.auditor import all_fields
from verifiers.checks.schema import ExtractionSchema
from verifiers.corrections import Correction, corrected
from verifiers.indexed import Indexed
from verifiers.repairs import is_beyond_repair


class AuditStatus(StrEnum):
    """What became of an answer's audit; the header `x-steelyard-audit` and the answer's row say it."""

    NOT_NEEDED = "not_needed"
    """No field is doubtful, or the answer is not in the sample."""
    CONFIRMED = "confirmed"
    PARTLY_CONFIRMED = "partly_confirmed"
    """No doubtful field is left, but some field that was to be audited was not asked about, or not judged."""
    CORRECTED = "corrected"
    ESCALATED = "escalated"
    DOUBTFUL = "doubtful"
    """It goes out although something is wrong or not settled."""
    UNAUDITED = "unaudited"
    """It goes out although the auditor could not be asked, or did not answer."""
    FOLLOWS = "follows"
    """The answer goes out first; its audit is among its outcomes later."""
    PENDING = "pending"
    """Of a stream whose head had to go out before its audit ended; the answer's row says what became of it."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An answer after its audit."""

    status: AuditStatus
    ran: Ran
    """What goes out: the cheap answer, as it was or corrected, or a premium one."""
    checked: Checked
    """What the checks say of just that."""
    first: Ran
    """The cheap answer as it came."""
    first_checked: Checked


@dataclass(frozen=True, slots=True)
class _Audited:
    """What an audit came to."""

    status: AuditStatus
    text: str
    checked: Checked
    """What the checks say of `text`."""
    escalate: bool = False


class Auditor:
    """Reviews answers."""

    def __init__(self, cascade: Cascade, checker: Checker) -> None:
        self._cascade = cascade
        self._checker = checker

    async def review(
        self,
        plan: Plan,
        question: Question,
        schema: ExtractionSchema,
        ran: Ran,
        checked: Checked,
        indexed: Indexed,
        hold: Hold,
        reply: Reply,
    ) -> Reviewed:
        """Audit what `ran` answered, and act on it. What was said goes to `hold`. Raises UnauditedError where
        the policy wants no unaudited answer, or the premium route's error where it could not answer."""
        audited = await self.audit(plan, schema, ran, checked, indexed, hold)
        rules = plan.allow.audits
        if audited.status is AuditStatus.UNAUDITED and _must_not_pass(rules):
            raise UnauditedError(
                "the answer could not be audited, and the team's policy lets no unaudited answer pass; try again"
            )
        if audited.escalate and plan.escalation:
            dear = await self._escalate(plan, question, ran, hold, reply)
            if dear is not None:
                dear_checked = await self._checker.check(indexed, schema, dear.completion)
                return Reviewed(AuditStatus.ESCALATED, dear, dear_checked, ran, checked)
        first, completion = ran, ran.completion
        asked = question.request.schema
        if asked is not None and audited.text != (completion.text or ""):
            body = with_answer(completion.body, audited.text, asked.shape)
            completion = replace(completion, body=body, text=audited.text, tokens=None)
        ran = replace(ran, completion=completion, head=_told(ran.head, audited.status))
        return Reviewed(audited.status, ran, audited.checked, first, checked)

    async def _escalate(
        self, plan: Plan, question: Question, ran: Ran, hold: Hold, reply: Reply
    ) -> Ran | None:
        """Have a dearer model answer; None if none can and the cheap answer may pass, marked."""
        head = _told(ran.head, AuditStatus.ESCALATED)
        try:
            return await self._cascade.escalate(plan, question, hold, head, reply)
        except GatewayError as error:
            if plan.allow.audits is None or plan.allow.audits.when_unaudited is not WhenUnaudited.PASS:
                raise
            told = AuditRows(ran.attempt, frozenset(), hold, simulated=plan.simulated)
            hold.note([told.unaudited(f"escalation.{error.code}", "no premium model could answer", None)])
            return None

    async def audit(
        self,
        plan: Plan,
        schema: ExtractionSchema,
        ran: Ran,
        checked: Checked,
        indexed: Indexed,
        hold: Hold,
    ) -> _Audited:
        """Ask the auditor about one answer, and read what follows from its verdicts."""
        rules, text = plan.allow.audits, ran.completion.text or ""
        if rules is None or rules.mode is AuditMode.NEVER:
            return _Audited(AuditStatus.NOT_NEEDED, text, checked)
        if rules.mode is AuditMode.BY_RISK and checked.verdict.passed:
            return _Audited(AuditStatus.NOT_NEEDED, text, checked)
        told = AuditRows(ran.attempt, checked.names, hold, simulated=plan.simulated)
        chars = len(indexed.document.text)
        if await off_loop(len(text), is_beyond_repair, schema, checked.verdict, text):
            hold.note([told.unaudited("audit.beyond_repair", "no correction could mend its form", None)])
            return _Audited(AuditStatus.DOUBTFUL, text, checked, rules.escalates)
        if not plan.audit:
            hold.note([told.unaudited("audit.nobody", "no auditor may be asked about this request", None)])
            return _unaudited(rules, text, checked)
        fields = None if rules.mode is AuditMode.BY_RISK else all_fields(checked.verdict)
        room = question_room(plan.audit)
        asked = await off_loop(chars, fitting_question, schema, indexed, checked.verdict, text, fields, room)
        if asked is None:
            return _unasked(rules, checked, text, told, hold)
        try:
            attempt, completion = await self._cascade.audit(
                plan, Question(judges_request(asked), asked.response_schema), hold
            )
        except GatewayError as error:
            hold.note([told.unaudited(f"audit.{error.code}", str(error), None)])
            return _unaudited(rules, text, checked)
        verdicts = read_verdicts(asked, completion.text or "")
        if isinstance(verdicts, Unusable):
            hold.note([told.unaudited(verdicts.code, verdicts.reason, attempt)])
            return _unaudited(rules, text, checked)
        indexed.renew()
        correction = await off_loop(chars, corrected, asked, schema, indexed, text, verdicts)
        hold.note(told.verdicts(asked, verdicts, correction, attempt))
        paths = {field.id: field.path for field in asked.fields}
        wrong = {paths[verdict.field] for verdict in verdicts if verdict.ruling is Ruling.WRONG}
        after = checked
        if correction.answer != text:
            changed = {accepted.field for accepted in correction.accepted}
            after = await self._checker.recheck(indexed, schema, correction.answer, checked, changed)
        return _follow(rules, text, checked, wrong, correction, after)


def _follow(
    rules: AuditRules,
    text: str,
    checked: Checked,
    wrong: set[str],
    correction: Correction,
    after: Checked,
) -> _Audited:
    """What the policy makes of an audit that called the fields `wrong` so. `after` are the checks of its correction."""
    doubted = {field.field for field in checked.verdict.fields if field.flagged} | wrong
    unsettled = [path for path in correction.doubtful if path in doubted]
    if wrong and rules.when_wrong is WhenWrong.ESCALATE:
        return _Audited(AuditStatus.DOUBTFUL, text, checked, escalate=True)
    if wrong and rules.when_wrong is WhenWrong.PASS:
        return _Audited(AuditStatus.DOUBTFUL, text, checked)
    if unsettled or not after.verdict.valid:
        return _unsettled(rules, correction.answer, after)
    if correction.answer != text:
        return _Audited(AuditStatus.CORRECTED, correction.answer, after)
    status = AuditStatus.PARTLY_CONFIRMED if correction.doubtful else AuditStatus.CONFIRMED
    return _Audited(status, text, checked)


def _unasked(rules: AuditRules, checked: Checked, text: str, told: AuditRows, hold: Hold) -> _Audited:
    """What follows where no question could be asked: none of the fields can be corrected, or none fits."""
    if checked.verdict.passed and not checked.verdict.fields:
        return _Audited(AuditStatus.NOT_NEEDED, text, checked)
    hold.note([told.unaudited("audit.unasked", "no field could be asked about", None)])
    return _unaudited(rules, text, checked) if checked.verdict.passed else _unsettled(rules, text, checked)


def _unsettled(rules: AuditRules, text: str, checked: Checked) -> _Audited:
    escalate = rules.when_unsettled is WhenUnsettled.ESCALATE
    return _Audited(AuditStatus.DOUBTFUL, text, checked, escalate)


def _unaudited(rules: AuditRules, text: str, checked: Checked) -> _Audited:
    escalate = rules.when_unaudited is WhenUnaudited.ESCALATE
    return _Audited(AuditStatus.UNAUDITED, text, checked, escalate)


def _must_not_pass(rules: AuditRules | None) -> bool:
    return rules is not None and rules.when_unaudited is WhenUnaudited.FAIL


def _told(head: AnswerHead, status: AuditStatus) -> AnswerHead:
    return replace(head, audit=status.value)
