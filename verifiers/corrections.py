"""What becomes of an answer after its audit: which corrections count, and what stays doubtful.

An auditor is a model too. Its correction counts only if the document bears it out: it stands in an
excerpt that was shown for that field, no other value fits as well, and the answer keeps its schema
and its sums. A verdict cannot overrule arithmetic or the schema.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from verifiers.answer import LeafValue, NotJsonError, read_answer
from verifiers.audit_verdicts import AuditorVerdict, Ruling
from verifiers.auditor import AskedField, AuditQuestion
from verifiers.checks.schema import ExtractionSchema, check_schema
from verifiers.checks.sums import check_sums
from verifiers.evidenced import Refusal, evidenced
from verifiers.indexed import Indexed
from verifiers.json_types import JsonValue
from verifiers.labels import NO_LABEL
from verifiers.regions import generic
from verifiers.replacing import replaced
from verifiers.verdict import Finding, Outcome


@dataclass(frozen=True, slots=True)
class Accepted:
    """A correction that counts: the new value as JSON, and the excerpt that bears it out."""

    field: str
    raw: str
    span_id: str


@dataclass(frozen=True, slots=True)
class Correction:
    """An answer after its audit."""

    answer: str
    """The answer's text with all that was accepted; otherwise as it was, to the byte."""
    accepted: tuple[Accepted, ...]
    refused: tuple[Refusal, ...]
    confirmed: tuple[str, ...]
    """Fields that the auditor called right and nothing speaks against."""
    doubtful: tuple[str, ...]
    """All others that were to be audited: to escalate, or to pass marked."""


def corrected(
    question: AuditQuestion,
    schema: ExtractionSchema,
    indexed: Indexed,
    answer_text: str,
    verdicts: Sequence[AuditorVerdict],
) -> Correction:
    """Apply the corrections of `verdicts` (as `read_verdicts` gave them) that count to `answer_text`."""
    fields = {field.id: field for field in question.fields}
    accepted: dict[str, Accepted] = {}
    refused: list[Refusal] = []
    for verdict in verdicts:
        if verdict.ruling is not Ruling.WRONG:
            continue
        field = fields[verdict.field]
        read = _read(question, schema, indexed, field, answer_text, verdict)
        if isinstance(read, Refusal):
            refused.append(read)
        else:
            accepted[field.path] = read
    text = _keep_whole(schema, fields.values(), answer_text, accepted, refused)
    broken = _broken(schema, text)
    said_right = [fields[verdict.field].path for verdict in verdicts if verdict.ruling is Ruling.RIGHT]
    confirmed = tuple(path for path in said_right if path not in broken)
    settled = {*confirmed, *accepted}
    wanted = (*(field.path for field in question.fields), *question.left_out)
    return Correction(
        text,
        tuple(accepted.values()),
        tuple(refused),
        confirmed,
        tuple(path for path in wanted if path not in settled),
    )


def _read(
    question: AuditQuestion,
    schema: ExtractionSchema,
    indexed: Indexed,
    field: AskedField,
    answer_text: str,
    verdict: AuditorVerdict,
) -> Accepted | Refusal:
    if verdict.correction is None:
        return Refusal(field.path, "correction.none", "the auditor called the value wrong and gave no other")
    span = next((span for span in question.spans if span.id == verdict.span_id), None)
    if span is None or field.id not in span.fields:
        reason = "the correction cites no excerpt that was shown for its field"
        return Refusal(field.path, "correction.not_shown", reason)
    label = schema.labels.get(generic(field.path), NO_LABEL)
    refusal: Refusal | None = None
    for leaf in typed(field, verdict.correction):
        found = evidenced(indexed, span, field, leaf, label)
        if isinstance(found, Refusal):
            return found
        text = replaced(answer_text, [(field, found.raw)])
        if field.path not in _breaks_schema(schema, text):
            return Accepted(field.path, found.raw, span.id)
        refusal = Refusal(
            field.path, "correction.schema", "the schema does not take the correction for its field"
        )
    return refusal or Refusal(field.path, "correction.type", "the correction is not of the value's own type")


def typed(field: AskedField, correction: str) -> Iterable[LeafValue]:
    """The correction as a value of the type that was claimed; where nothing was, as whichever the schema takes."""
    claimed = field.leaf.value if field.leaf is not None else None
    if isinstance(claimed, bool):
        return
    if claimed is None or isinstance(claimed, str):
        text = correction.strip()
        raw = orjson.dumps(text).decode()
        yield LeafValue(field.path, text, raw, 0, len(raw))
    if not isinstance(claimed, str) and (number := _number(field, correction)) is not None:
        value = float(number) if "." in number else int(number)
        yield LeafValue(field.path, value, number, 0, len(number))


def _number(field: AskedField, correction: str) -> str | None:
    """The JSON number that a correction means, if it means just one."""
    text = LeafValue(field.path, correction.strip(), "", 0, 0)
    readings = {format(reading, "f") for reading in text.amounts}
    if len(readings) != 1:
        return None
    (number,) = readings
    whole, _, rest = number.partition(".")
    claimed_whole = field.leaf is not None and field.leaf.raw.lstrip("-").isdigit()
    return whole if claimed_whole and not rest.strip("0") else number


def _keep_whole(
    schema: ExtractionSchema,
    fields: Iterable[AskedField],
    answer_text: str,
    accepted: dict[str, Accepted],
    refused: list[Refusal],
) -> str:
    """Take back what breaks the schema or a sum, until the rest together breaks neither."""
    by_path = {field.path: field for field in fields}
    while True:
        text = replaced(answer_text, [(by_path[path], each.raw) for path, each in accepted.items()])
        if not accepted:
            return text
        code, reason = "correction.schema", "with the correction, the answer breaks its schema"
        named = _breaks_schema(schema, text)
        broken = {path for path in accepted if path in named} or (set(accepted) if named else set())
        if not broken:
            code, reason = "correction.sum", "with the correction, a sum of the answer does not come out"
            broken = _in_broken_sums(schema, answer_text, text, accepted)
        if not broken:
            return text
        for path in broken:
            del accepted[path]
        refused += [Refusal(path, code, reason) for path in sorted(broken)]


def _in_broken_sums(schema: ExtractionSchema, before: str, after: str, accepted: Iterable[str]) -> set[str]:
    """The corrected fields of each sum that does not come out, or can no longer be added up."""
    if not schema.sums:
        return set()
    was = {finding.field: finding.outcome for finding in _sums(schema, before)}
    broken = {
        finding.field
        for finding in _sums(schema, after)
        if finding.outcome is Outcome.FAILED
        or (finding.outcome is Outcome.ABSTAINED and was[finding.field] is not Outcome.ABSTAINED)
    }
    marks = [mark for mark in schema.sums if mark.field in broken]
    return {path for path in accepted for mark in marks if path == mark.field or generic(path) == mark.parts}


def _sums(schema: ExtractionSchema, text: str) -> list[Finding]:
    if not schema.sums:
        return []
    return check_sums(schema.sums, read_answer(text).leaves)


def _breaks_schema(schema: ExtractionSchema, text: str) -> set[str]:
    """The fields at which an answer breaks its schema ("" for the whole)."""
    value: JsonValue = orjson.loads(text)
    return {finding.field for finding in check_schema(schema, value) if finding.outcome is Outcome.FAILED}


def _broken(schema: ExtractionSchema, text: str) -> set[str]:
    """The fields at which the final answer breaks its schema, and those whose sum does not come out."""
    try:
        failed = {each.field for each in _sums(schema, text) if each.outcome is Outcome.FAILED}
    except NotJsonError:
        failed = set()
    return failed | _breaks_schema(schema, text)
