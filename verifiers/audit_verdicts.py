"""Read what an auditor answered: exactly the JSON that was asked for, or nothing of it.

An auditor that repeats its question, quotes an excerpt or says more than it was asked has not
answered; half of an answer is never believed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import orjson

from verifiers.answer import NotJsonError, read_answer
from verifiers.auditor import CORRECTION_CHARS_MAX, AskedField, AuditQuestion
from verifiers.fences import texts_within
from verifiers.grading import normalised
from verifiers.json_types import JsonValue

CHARS_MAX = 4_000
FIELD_CHARS_MAX = 2_500
_KEYS = {"field", "verdict", "correction", "span_id"}


class Ruling(StrEnum):
    """What an auditor may say."""

    RIGHT = "right"
    WRONG = "wrong"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class AuditorVerdict:
    """What the auditor says about one field; `correction` and `span_id` only with `wrong`."""

    field: str
    """The field's id in the question."""
    ruling: Ruling
    correction: str | None
    span_id: str | None


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why an answer is not believed: a code, and a sentence that holds none of its words."""

    code: str
    reason: str


def read_verdicts(question: AuditQuestion, text: str) -> tuple[AuditorVerdict, ...] | Unusable:
    """Read one verdict for every field of `question`, in its order. Never raises for a bad answer."""
    value = read_object(text, CHARS_MAX + FIELD_CHARS_MAX * len(question.fields))
    if isinstance(value, Unusable):
        return value
    listed = value.get("verdicts")
    if value.keys() != {"verdicts"} or not isinstance(listed, list):
        return Unusable(
            "audit.not_verdicts", 'the auditor\'s answer is not an object with a list "verdicts" alone'
        )
    asked = {field.id: field for field in question.fields}
    spans = {span.id for span in question.spans}
    found: dict[str, AuditorVerdict] = {}
    for item in listed:
        read = _read(item, asked, spans)
        if isinstance(read, Unusable):
            return read
        if read.field in found:
            return Unusable("audit.field_twice", "the auditor judged a field twice")
        found[read.field] = read
    if len(found) < len(asked):
        return Unusable("audit.field_missing", f"the auditor judged {len(found)} of {len(asked)} fields")
    return quoted(question.text, text) or tuple(found[field.id] for field in question.fields)


def quoted(question_text: str, text: str) -> Unusable | None:
    """Refuse an answer that stands in what was shown, spaces aside: it is the document's, a client's or the cheap
    model's, and not the auditor's."""
    said = _without_spaces(text)
    if any(said in _without_spaces(shown) for shown in texts_within(question_text)):
        return Unusable("audit.quoted", "the auditor's answer stands word for word in what it was shown")
    return None


def _without_spaces(text: str) -> str:
    return "".join(text.split())


def read_object(text: str, chars_max: int) -> dict[str, JsonValue] | Unusable:
    """Read one JSON object that stands alone, no key twice in any part of it."""
    if len(text) > chars_max:
        return Unusable("audit.too_long", f"the auditor's answer has more than {chars_max} characters")
    try:
        read = read_answer(text)
        value: JsonValue = orjson.loads(text)
    except (NotJsonError, orjson.JSONDecodeError):
        return Unusable("audit.not_json", "the auditor's answer is not JSON, or not JSON alone")
    if read.duplicate_keys:
        return Unusable("audit.key_twice", "a key stands twice in the auditor's answer")
    if not isinstance(value, dict):
        return Unusable("audit.not_object", "the auditor's answer is no JSON object")
    return value


def _read(item: JsonValue, asked: dict[str, AskedField], spans: Collection[str]) -> AuditorVerdict | Unusable:
    if not isinstance(item, dict) or item.keys() != _KEYS:
        return Unusable(
            "audit.keys", "a verdict of the auditor lacks a key, or has one that nobody asked for"
        )
    field, verdict, correction, span_id = (item[key] for key in ("field", "verdict", "correction", "span_id"))
    if not isinstance(field, str) or field not in asked:
        return Unusable("audit.unknown_field", "the auditor judged a field that it was not asked about")
    if not isinstance(verdict, str) or verdict not in set(Ruling):
        return Unusable("audit.unknown_verdict", "the auditor gave a verdict that there is not")
    if not isinstance(correction, str | None) or len(correction or "") > CORRECTION_CHARS_MAX:
        return Unusable("audit.correction", "a correction of the auditor is no text, or too long")
    if span_id is not None and (not isinstance(span_id, str) or span_id not in spans):
        return Unusable("audit.unknown_span", "the auditor cited an excerpt that it was not shown")
    ruling = Ruling(verdict)
    if ruling is not Ruling.WRONG:
        if correction and not _is_claimed(asked[field], correction):
            return Unusable("audit.contradiction", "the auditor corrected a field that it did not call wrong")
        return AuditorVerdict(field, ruling, None, None)
    return AuditorVerdict(field, ruling, correction or None, span_id)


def _is_claimed(field: AskedField, correction: str) -> bool:
    """Whether it only repeats what was claimed, which contradicts nothing."""
    if field.leaf is None:
        return False
    claimed = field.leaf.value if isinstance(field.leaf.value, str) else field.leaf.raw
    return normalised(claimed) == normalised(correction)
