"""Whether an answer's form can be mended by what an auditor can do: put one value in the place of another.

It cannot turn a list into an object, take a name away or make JSON of what is none; to ask it about such
an answer's fields would be paid for nothing.
"""

from collections.abc import Iterator

import orjson

from verifiers.answer import NotJsonError, read_answer
from verifiers.auditor import AskedField, askable
from verifiers.checks.schema import ExtractionSchema, check_schema
from verifiers.corrections import typed
from verifiers.json_types import JsonValue
from verifiers.replacing import replaced
from verifiers.verdict import Finding, Outcome, Verdict

_TYPE = "schema.type"
_OF_THE_FORM = frozenset(
    f"schema.{keyword}"
    for keyword in (
        "type", "required", "dependentRequired", "additionalProperties", "unevaluatedProperties", "propertyNames",
        "minProperties", "maxProperties", "minItems", "maxItems", "additionalItems", "unevaluatedItems",
    )
)  # fmt: skip
"""What a schema says of containers and kinds of values. All else (an enum, a pattern, a choice of schemas) some
other value may obey."""
_SAMPLES = "1", "1.5"


def is_beyond_repair(schema: ExtractionSchema, verdict: Verdict, answer_text: str) -> bool:
    """Whether the answer stays invalid whatever values are corrected in it or added at its top."""
    if verdict.valid:
        return False
    if any(finding.code.startswith("json.") for finding in _failed(verdict.findings)):
        return True
    try:
        answer = read_answer(answer_text)
    except NotJsonError:
        return True
    fields = [field for field, _ in askable(schema, verdict, answer, None)]
    added = {field.path: field for field in fields if field.leaf is None}
    mendable = {field.path: field for field in fields if field.leaf is not None}
    text = replaced(answer_text, [(field, '""') for field in added.values()])
    return any(
        finding.field not in added
        and not (
            finding.code == _TYPE
            and finding.field in mendable
            and _may_be_typed(schema, answer_text, mendable[finding.field])
        )
        for finding in _against(schema, text)
        if finding.code in _OF_THE_FORM
    )


def _may_be_typed(schema: ExtractionSchema, answer_text: str, field: AskedField) -> bool:
    """Whether a correction can have a type that the schema takes there: it keeps the claimed value's."""
    return any(
        not any(
            finding.code == _TYPE and finding.field == field.path
            for finding in _against(schema, replaced(answer_text, [(field, leaf.raw)]))
        )
        for sample in _SAMPLES
        for leaf in typed(field, sample)
    )


def _against(schema: ExtractionSchema, text: str) -> Iterator[Finding]:
    value: JsonValue = orjson.loads(text)
    return _failed(check_schema(schema, value))


def _failed(findings: "list[Finding] | tuple[Finding, ...]") -> Iterator[Finding]:
    return (finding for finding in findings if finding.outcome is Outcome.FAILED)
