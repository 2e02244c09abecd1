"""One index serves the checks, the question and the corrections, and nothing comes out otherwise by it."""

import json

from verifiers.answer import LeafValue, read_answer
from verifiers.audit_verdicts import AuditorVerdict, Ruling
from verifiers.auditor import audit_question
from verifiers.checks.schema import ExtractionSchema
from verifiers.corrections import corrected
from verifiers.document import STEPS_MAX
from verifiers.extraction import check_extraction
from verifiers.gate import Gate
from verifiers.indexed import Indexed
from verifiers.json_types import JsonObject
from verifiers.labels import NO_LABEL

ITEM: JsonObject = {"type": "object", "properties": {"name": {"type": "string"}, "total": {"type": "string"}}}
SCHEMA = ExtractionSchema.compile(
    {"type": "object", "properties": {"receipts": {"type": "array", "items": ITEM}}}
)
DOCUMENT = "\n".join(
    f"Shop {number} Ltd\nSubtotal {number}.10\nTotal {number + 50}.20" for number in range(9)
)
ANSWER = json.dumps(
    {"receipts": [{"name": f"Shop {number} Ltd", "total": f"{number + 50}.20"} for number in range(8)]}
).replace("55.20", "5.19")


def leaf(value: str) -> LeafValue:
    return LeafValue("name", value, json.dumps(value), 0, len(value) + 2)


def test_all_stages_come_to_the_same_over_one_index_and_over_one_of_their_own() -> None:
    shared = Indexed(DOCUMENT)

    def run(indexed: Indexed | None) -> tuple[object, ...]:
        def next_index() -> Indexed:
            return indexed or Indexed(DOCUMENT)

        verdict = check_extraction(SCHEMA, next_index(), ANSWER, None, Gate())
        asked = audit_question(SCHEMA, next_index(), verdict, read_answer(ANSWER), "0" * 16)
        assert asked is not None
        (field,) = asked.fields
        span = next(each.id for each in asked.spans if "55.20" in each.text)
        said = [AuditorVerdict(field.id, Ruling.WRONG, "55.20", span)]
        return verdict, asked, corrected(asked, SCHEMA, next_index(), ANSWER, said)

    assert run(shared) == run(None)
    assert "55.20" in str(run(shared)[2])


def test_a_value_is_looked_for_once() -> None:
    indexed = Indexed(DOCUMENT)
    found = indexed.support(leaf("Shop 3 Ltd"), NO_LABEL)
    left = indexed.document.steps_left
    assert indexed.support(leaf("Shop 3 Ltd"), NO_LABEL) is found
    assert indexed.document.steps_left == left


def test_what_was_not_looked_for_is_looked_for_once_there_are_steps_again() -> None:
    indexed = Indexed(DOCUMENT)
    indexed.document.steps_left = 0
    assert indexed.support(leaf("Shop 3 Ltd"), NO_LABEL).finding.code == "support.bound"
    indexed.renew()
    assert indexed.document.steps_left == STEPS_MAX
    assert indexed.support(leaf("Shop 3 Ltd"), NO_LABEL).finding.code == "support.exact"


def test_what_was_found_of_a_value_costs_nothing_a_second_time_unless_the_steps_were_used_up() -> None:
    indexed = Indexed(DOCUMENT)
    label = SCHEMA.labels["receipts[].total"]
    indexed.document.steps_left = 0
    assert [each.code for each in indexed.findings(leaf("53.20"), label)] == ["support.bound"]
    indexed.renew()
    found = indexed.findings(leaf("53.20"), label)
    assert found[0].code == "support.exact"
    left = indexed.document.steps_left
    assert indexed.findings(leaf("53.20"), label) is found
    assert indexed.document.steps_left == left


def test_a_document_that_was_read_before_its_answer_is_read_no_further() -> None:
    indexed = Indexed(DOCUMENT)
    indexed.read()
    there = {"words", "amount_values", "date_values", "amounts", "dates"}
    assert there <= vars(indexed.document).keys()
    assert {"amounts", "dates", "paid"} <= vars(indexed.captions).keys()
    assert indexed.document.steps_left == STEPS_MAX
