"""A scripted auditor: it reads the question as an auditor does, and judges by gold, its rates and a seed."""

from collections.abc import Sequence

import orjson

from router.json_types import JsonObject, JsonValue
from router.simulated.knowledge import Knowledge, normalised
from router.simulated.script import Known, Skill

_RIGHT: JsonObject = {"verdict": "right", "correction": None, "span_id": None}
_CANNOT_TELL: JsonObject = {"verdict": "cannot_tell", "correction": None, "span_id": None}


def is_audit(schema: JsonObject) -> bool:
    """Whether a request asks for verdicts."""
    properties = schema.get("properties")
    return isinstance(properties, dict) and not {"verdicts", "verdict"}.isdisjoint(properties)


def is_about_text(schema: JsonObject) -> bool:
    """Whether one verdict on generated text is asked for."""
    properties = schema.get("properties")
    return isinstance(properties, dict) and "verdict" in properties


def verdict_on_text(knowledge: Knowledge, skill: Skill, question: str) -> JsonObject:
    """Judge generated text: nobody knows what is right, so it is wrong at the rate of false positives."""
    records = [line for line in question.splitlines() if line.startswith("{")]
    if knowledge.chance("audit of text", *records) < skill.false_positives:
        return {"verdict": "wrong", "reason": "incomplete"}
    return {"verdict": "right", "reason": "meets_criteria"}


def verdicts(knowledge: Knowledge, skill: Skill, question: str) -> JsonObject:
    """Judge every field of a question."""
    records = [_record(line) for line in question.splitlines() if line.startswith("{")]
    spans = {str(record["span"]): str(record["text"]) for record in records if "span" in record}
    found: list[JsonValue] = []
    for record in records:
        if "field" in record:
            shown = {name: spans[name] for name in str(record.get("spans", "")).split() if name in spans}
            found.append({"field": record["field"], **_judge(knowledge, skill, record, shown)})
    return {"verdicts": found}


def _judge(knowledge: Knowledge, skill: Skill, record: JsonObject, shown: dict[str, str]) -> JsonObject:
    path = str(record.get("name", record["field"]))
    name = path.rpartition(".")[2]
    claimed = record.get("claimed", "")
    candidates = [known for known in knowledge.holding(list(shown.values())) if name in known.gold]
    known = _meant(knowledge, candidates, name, claimed)
    if known is None:
        return _CANNOT_TELL
    if not knowledge.doubts(skill, known, name, claimed):
        return _RIGHT
    gold = known.gold[name]
    if knowledge.is_right(known, name, claimed):
        return {"verdict": "wrong", "correction": None, "span_id": None}
    for span, text in shown.items():
        if gold is not None and normalised(gold) and normalised(gold) in normalised(text):
            return {"verdict": "wrong", "correction": str(gold), "span_id": span}
    return {"verdict": "wrong", "correction": None, "span_id": None}


def _meant(knowledge: Knowledge, candidates: Sequence[Known], name: str, claimed: JsonValue) -> Known | None:
    """The document that a field is of; of several that show the same lines, one that agrees with it."""
    agreeing = (known for known in candidates if knowledge.is_right(known, name, claimed))
    return next(agreeing, candidates[0] if candidates else None)


def _record(line: str) -> JsonObject:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return record if isinstance(record, dict) else {}
