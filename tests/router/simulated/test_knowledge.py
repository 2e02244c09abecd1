"""Scripted skill: stated rates, the same draw for the same question, and an auditor that cites what it saw."""

import json

import pytest

from router.json_types import JsonObject
from router.simulated.auditor import is_audit, verdicts
from router.simulated.knowledge import Knowledge
from router.simulated.script import Known, Persona, Rates, Skill
from verifiers.answer import read_answer
from verifiers.auditor import audit_question
from verifiers.checks.schema import ExtractionSchema
from verifiers.extraction import check_extraction
from verifiers.gate import Gate
from verifiers.indexed import Indexed

RATES = Rates(1, 1, 1)
NAMES = ("company", "total")


def documents(count: int, wrong: frozenset[str] = frozenset()) -> list[Known]:
    found = []
    for number in range(count):
        gold: JsonObject = {"company": f"Firm {number}", "total": f"{number}.50"}
        cheap: JsonObject = {name: f"{value}9" if name in wrong else value for name, value in gold.items()}
        found.append(Known(str(number), f"Firm {number}\nTotal {number}.50", gold, cheap))
    return found


@pytest.mark.parametrize(("wrong", "expected"), [(frozenset[str](), 0.9), (frozenset(NAMES), 0.9 * 0.5)])
def test_premium_is_right_as_often_as_stated_and_less_where_cheap_is_wrong(
    wrong: frozenset[str], expected: float
) -> None:
    known = documents(2_000, wrong)
    knowledge = Knowledge(known, seed=1)
    persona = Persona("premium", RATES, Skill(right=0.9, right_where_cheap_is_wrong=0.5))
    right = [
        knowledge.is_right(each, name, value)
        for each in known
        for name, value in knowledge.answers(persona, each).items()
    ]
    assert sum(right) / len(right) == pytest.approx(expected, abs=0.03)


def test_a_draw_depends_on_the_question_alone() -> None:
    known = documents(50)
    persona = Persona("premium", RATES, Skill(right=0.5))
    first, again = Knowledge(known, 7), Knowledge(list(reversed(known)), 7)
    assert [first.answers(persona, each) for each in known] == [
        again.answers(persona, each) for each in known
    ]
    assert [first.answers(persona, each) for each in known] != [
        Knowledge(known, 8).answers(persona, each) for each in known
    ]


@pytest.mark.parametrize(("claims_right", "expected"), [(False, 0.7), (True, 0.1)])
def test_an_auditor_doubts_at_its_rates(claims_right: bool, expected: float) -> None:
    known = documents(3_000)
    knowledge = Knowledge(known, 3)
    skill = Skill(true_positives=0.7, false_positives=0.1)
    doubted = [
        knowledge.doubts(skill, each, "total", each.gold["total"] if claims_right else "0.01")
        for each in known
    ]
    assert sum(doubted) / len(doubted) == pytest.approx(expected, abs=0.03)


def test_a_real_question_is_read_and_a_wrong_value_corrected_from_an_excerpt() -> None:
    known = Known(
        "0", "ACME Ltd\nSubtotal 10.00\nTotal 12.50\n", {"company": "ACME Ltd", "total": "12.50"}, {}
    )
    schema = ExtractionSchema.compile(
        {
            "type": "object",
            "properties": {name: {"type": "string"} for name in NAMES},
            "required": list(NAMES),
        }
    )
    claimed = json.dumps({"company": "ACME Ltd", "total": "10.00"})
    document = Indexed(known.text)
    verdict = check_extraction(schema, document, claimed, None, Gate())
    question = audit_question(
        schema, document, verdict, read_answer(claimed), "0123456789abcdef", ["company", "total"]
    )
    assert question is not None
    assert is_audit(question.response_schema)
    asked = f"{question.instruction}\n{question.text}"
    said = verdicts(Knowledge([known], 0), Skill(1.0, 1.0, 1.0, 0.0), asked)
    found = {each["field"]: each for each in json.loads(json.dumps(said))["verdicts"]}
    assert found["company"]["verdict"] == "right"
    assert (found["total"]["verdict"], found["total"]["correction"]) == ("wrong", "12.50")
    assert found["total"]["span_id"] in {span.id for span in question.spans}
