"""Run the checks on an extraction's answer and keep what they said.

Verifiers are pure; this is where their findings become rows of the ledger and what a caller gets
back when it asked for it.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

import orjson

from ledger.rows import OutcomeRow, OutcomeSource
from router.completion import Completion
from router.errors import InvalidRequestError
from router.json_types import JsonObject
from router.off_loop import off_loop
from router.request import ChatRequest
from verifiers.checks.schema import ExtractionSchema
from verifiers.errors import VerifierError
from verifiers.extraction import check_corrected, check_extraction
from verifiers.gate import Gate
from verifiers.indexed import Indexed
from verifiers.verdict import Finding, Outcome, Verdict

COMPILED_MAX = 256
_INDEXES = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Checked:
    """A verdict, and the numbers that the answer's row keeps."""

    verdict: Verdict
    names: frozenset[str]
    """The names that the schema gives to properties."""

    @property
    def fields_checked(self) -> int:
        """How many fields were looked at."""
        return len(self.verdict.fields)

    @property
    def fields_flagged(self) -> int:
        """How many of them are doubtful."""
        return sum(field.flagged for field in self.verdict.fields)

    @property
    def scores(self) -> list[float]:
        """The scores of the fields that have one."""
        return [field.score for field in self.verdict.fields if field.score is not None]


class Checker:
    """Compiles schemas once and checks answers against them."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._compiled: OrderedDict[bytes, ExtractionSchema] = OrderedDict()

    def schema_of(self, request: ChatRequest) -> ExtractionSchema | None:
        """The request's schema, compiled; None for generation. Raises InvalidRequestError."""
        if request.schema is None:
            return None
        key = orjson.dumps(request.schema.schema)
        compiled = self._compiled.get(key)
        if compiled is None:
            try:
                compiled = ExtractionSchema.compile(request.schema.schema)
            except VerifierError as error:
                raise InvalidRequestError(str(error), param=request.schema.place) from error
            self._compiled[key] = compiled
            if len(self._compiled) > COMPILED_MAX:
                self._compiled.popitem(last=False)
        else:
            self._compiled.move_to_end(key)
        return compiled

    async def check(self, indexed: Indexed, schema: ExtractionSchema, completion: Completion) -> Checked:
        """Check a completion's text against its schema and its document."""
        text = completion.text or ""
        chars = len(indexed.document.text) + len(text)
        indexed.renew()
        verdict = await off_loop(
            chars, check_extraction, schema, indexed, text, completion.tokens, self._gate
        )
        return Checked(verdict, schema.names)

    async def recheck(
        self,
        indexed: Indexed,
        schema: ExtractionSchema,
        text: str,
        before: Checked,
        corrected: Collection[str],
    ) -> Checked:
        """Check an answer again whose fields `corrected` have other values than when it was checked `before`."""
        chars = len(indexed.document.text) + len(text)
        indexed.renew()
        verdict = await off_loop(
            chars, check_corrected, schema, indexed, text, before.verdict, corrected, self._gate
        )
        return Checked(verdict, schema.names)


def outcome_rows(
    checked: Checked,
    request_id: str,
    attempt_id: str,
    at_us: int,
    new_outcome_id: Callable[[], str],
    source: OutcomeSource = OutcomeSource.CHECK,
    *,
    simulated: bool,
) -> list[OutcomeRow]:
    """The findings as rows: codes, places and reasons, never words of the document."""
    rows: list[OutcomeRow] = []

    def add(finding: Finding, score: float | None, *, flagged: bool) -> None:
        evidence = finding.evidence
        field = field_shown(finding.field, checked.names)
        rows.append(
            OutcomeRow(
                outcome_id=new_outcome_id(),
                request_id=request_id,
                attempt_id=attempt_id,
                at_us=at_us,
                source=source.value,
                check_name=finding.check,
                field=field[:200],
                outcome=finding.outcome.value,
                code=finding.code,
                reason=_said_of(field, finding)[:500],
                span_start=evidence.start if evidence is not None else None,
                span_end=evidence.end if evidence is not None else None,
                score=score,
                flagged=flagged,
                propensity=1.0,
                simulated=simulated,
            )
        )

    for finding in checked.verdict.findings:
        add(finding, None, flagged=finding.outcome is Outcome.FAILED)
    for field in checked.verdict.fields:
        for finding in field.findings:
            add(finding, field.score, flagged=field.flagged)
    return rows


def _said_of(field: str, finding: Finding) -> str:
    if field == finding.field:
        return finding.reason
    return re.sub(rf"(?<!\w){re.escape(finding.field)}(?!\w)", lambda _: field, finding.reason)


def field_shown(path: str, names: frozenset[str]) -> str:
    """A field's path with `*` for each key that is not the schema's: a model may have put anything there."""
    if not path:
        return path
    return ".".join(
        step if step.partition("[")[0] in names else "*" + "".join(_INDEXES.findall(step))
        for step in path.split(".")
    )


def details_of(checked: Checked) -> JsonObject:
    """The verdict as the caller gets it in the `steelyard` object, evidence included."""
    return {
        "valid": checked.verdict.valid,
        "passed": checked.verdict.passed,
        "findings": [_finding(finding) for finding in checked.verdict.findings],
        "fields": [
            {
                "field": field.field,
                "flagged": field.flagged,
                "score": field.score,
                "findings": [_finding(finding) for finding in field.findings],
            }
            for field in checked.verdict.fields
        ],
    }


def _finding(finding: Finding) -> JsonObject:
    evidence = finding.evidence
    return {
        "check": finding.check,
        "outcome": finding.outcome.value,
        "code": finding.code,
        "reason": finding.reason,
        "evidence": {"start": evidence.start, "end": evidence.end, "text": evidence.text[:500]}
        if evidence is not None
        else None,
    }
