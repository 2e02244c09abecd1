"""What an auditor said of one answer, as rows of the ledger: codes and places, no word of document or answer."""

from ledger.rows import OutcomeRow, OutcomeSource
from router.accounts import Hold
from router.checking import field_shown
from router.settlement import Attempt
from verifiers.audit_verdicts import AuditorVerdict, Ruling
from verifiers.auditor import AuditQuestion
from verifiers.corrections import Correction

_OUTCOMES = {Ruling.RIGHT: "right", Ruling.WRONG: "wrong", Ruling.CANNOT_TELL: "abstained"}


class AuditRows:
    """Makes the rows about the answer of one attempt."""

    def __init__(self, audited: Attempt, names: frozenset[str], hold: Hold, *, simulated: bool) -> None:
        self._audited = audited
        self._names = names
        self._hold = hold
        self._simulated = simulated

    def verdicts(
        self,
        asked: AuditQuestion,
        verdicts: tuple[AuditorVerdict, ...],
        correction: Correction,
        judge: Attempt,
    ) -> tuple[OutcomeRow, ...]:
        """A row for each field that was asked about, and one that says how many were not."""
        paths = {field.id: field.path for field in asked.fields}
        spans = {span.id: span for span in asked.spans}
        accepted = {each.field for each in correction.accepted}
        refused = {each.field: each for each in correction.refused}
        rows = []
        for verdict in verdicts:
            path = paths[verdict.field]
            span = spans.get(verdict.span_id or "")
            code, reason = f"audit.{verdict.ruling.value}", f"the auditor says: {verdict.ruling.value}"
            if path in accepted:
                code, reason = "audit.corrected", "the auditor's correction is proven by the document"
            elif path in refused:
                code, reason = refused[path].code, refused[path].reason
            place = (span.start, span.end) if span is not None else (None, None)
            rows.append(self._row(path, _OUTCOMES[verdict.ruling], code, reason, judge, place))
        if asked.left_out:
            missed, whole = len(asked.left_out), len(asked.left_out) + len(asked.fields)
            reason = f"{missed} of {whole} fields were not asked about"
            rows.append(self._row("", "abstained", "audit.left_out", reason, judge, (None, None)))
        return tuple(rows)

    def unaudited(self, code: str, reason: str, judge: Attempt | None) -> OutcomeRow:
        """A row that says why there is no verdict."""
        return self._row("", "abstained", code, reason, judge, (None, None))

    def _row(
        self,
        path: str,
        outcome: str,
        code: str,
        reason: str,
        judge: Attempt | None,
        place: tuple[int | None, int | None],
    ) -> OutcomeRow:
        return OutcomeRow(
            outcome_id=self._hold.outcome_id(),
            request_id=self._hold.request_id,
            attempt_id=self._audited.attempt_id,
            at_us=self._hold.now_us,
            source=OutcomeSource.AUDITOR.value,
            check_name="audit",
            field=field_shown(path, self._names)[:200],
            outcome=outcome,
            code=code[:60],
            reason=reason[:500],
            span_start=place[0],
            span_end=place[1],
            score=None,
            flagged=outcome == "wrong",
            propensity=1.0,
            simulated=self._simulated,
            judge_attempt_id=judge.attempt_id if judge is not None else None,
        )
