"""All the checks of one extraction, in one pass over its fields."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import orjson

from verifiers.answer import LEAVES_MAX, Answer, LeafValue, NotJsonError, read_answer
from verifiers.checks.omission import CHECK as OMISSION
from verifiers.checks.omission import check_omissions
from verifiers.checks.schema import ExtractionSchema, check_schema
from verifiers.checks.sums import check_sums
from verifiers.gate import Gate
from verifiers.indexed import Indexed
from verifiers.labels import NO_LABEL
from verifiers.scores import field_score, token_spans
from verifiers.tokens import TokenLogprob
from verifiers.verdict import FieldVerdict, Finding, Outcome, Verdict

JSON_CHECK = "json"


def check_extraction(
    schema: ExtractionSchema,
    indexed: Indexed,
    answer_text: str,
    tokens: Sequence[TokenLogprob] | None,
    gate: Gate,
) -> Verdict:
    """Check one answer against its schema and its document. Never raises for a bad answer."""
    try:
        answer = read_answer(answer_text)
        value = orjson.loads(answer_text)
    except (NotJsonError, orjson.JSONDecodeError):
        finding = Finding(JSON_CHECK, "", Outcome.FAILED, "json.invalid", "the answer is not JSON")
        return Verdict(valid=False, fields=(), findings=(finding,))
    findings = [*_duplicates(answer), *check_schema(schema, value)]
    if not answer.is_whole:
        findings.append(
            Finding(
                JSON_CHECK,
                "",
                Outcome.FAILED,
                "json.too_many_fields",
                f"the answer has more than {LEAVES_MAX} fields; only the first were looked at",
            )
        )
    valid = not any(finding.outcome is Outcome.FAILED for finding in findings)
    sums = check_sums(schema.sums, answer.leaves)
    spans = token_spans(answer_text, tokens) if tokens else None
    about = _by_field([*findings, *sums, *check_omissions(schema.labels, answer, indexed.captions)])
    fields = [_field(schema, indexed, leaf, spans, about.get(leaf.path, []), gate) for leaf in answer.leaves]
    leaves = {leaf.path for leaf in answer.leaves}
    fields += [
        FieldVerdict(path, flagged=True, score=None, findings=tuple(said))
        for path, said in about.items()
        if path not in leaves
        and any(finding.check == OMISSION and finding.outcome is Outcome.FAILED for finding in said)
    ]
    return Verdict(valid=valid, fields=tuple(fields), findings=tuple(findings))


def check_corrected(
    schema: ExtractionSchema,
    indexed: Indexed,
    answer_text: str,
    before: Verdict,
    corrected: Collection[str],
    gate: Gate,
) -> Verdict:
    """Check an answer in which the fields `corrected` were given other values. A model's sureness of the others is as
    it was `before`; of these it said nothing."""
    verdict = check_extraction(schema, indexed, answer_text, None, gate)
    scores = {field.field: field.score for field in before.fields if field.field not in corrected}
    fields = tuple(_scored(field, scores.get(field.field), gate) for field in verdict.fields)
    return replace(verdict, fields=fields)


def _scored(field: FieldVerdict, score: float | None, gate: Gate) -> FieldVerdict:
    return replace(field, score=score, flagged=field.flagged or gate.doubts(score))


def _field(
    schema: ExtractionSchema,
    indexed: Indexed,
    leaf: LeafValue,
    spans: Sequence[tuple[int, int, float]] | None,
    findings: Sequence[Finding],
    gate: Gate,
) -> FieldVerdict:
    label = schema.labels.get(_generic(leaf.path), NO_LABEL)
    findings = [*findings, *indexed.findings(leaf, label)]
    score = field_score(leaf, spans)
    flagged = gate.doubts(score) or any(finding.outcome is Outcome.FAILED for finding in findings)
    return FieldVerdict(leaf.path, flagged, score, tuple(findings))


def _by_field(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.field, []).append(finding)
    return found


def _duplicates(answer: Answer) -> list[Finding]:
    return [
        Finding(JSON_CHECK, path, Outcome.FAILED, "json.duplicate_key", f"{path} stands twice in the answer")
        for path in answer.duplicate_keys[:20]
    ]


def _generic(path: str) -> str:
    """`items[3].amount` -> `items[].amount`."""
    return "".join(part if index % 2 == 0 else "[]" for index, part in enumerate(_split(path)))


def _split(path: str) -> list[str]:
    parts: list[str] = []
    rest = path
    while "[" in rest:
        head, _, tail = rest.partition("[")
        number, _, rest = tail.partition("]")
        parts.extend((head, number))
    parts.append(rest)
    return parts
