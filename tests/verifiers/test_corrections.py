"""A correction counts only if the document bears it out, and the answer keeps its types, schema and sums."""

import json
from collections.abc import Mapping

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifiers.answer import read_answer
from verifiers.audit_verdicts import AuditorVerdict, Ruling
from verifiers.auditor import AuditQuestion, all_fields, audit_question
from verifiers.checks.schema import ExtractionSchema
from verifiers.corrections import Correction, corrected
from verifiers.document import skeleton
from verifiers.extraction import check_extraction
from verifiers.gate import Gate
from verifiers.indexed import Indexed
from verifiers.json_types import JsonObject, JsonValue

RECEIPT = """YONGFATT ENTERPRISE
NO 122 JALAN DEDAP 13
DATE 25/12/2018
Tea pot  70.00
Scones   10.91
SUB TOTAL : RM 80.91
ROUNDING  -0.01
TOTAL ROUNDED : RM 80.90
CASH :  100.00
CHANGE :  19.10
MEMBERSHIP EXPIRES 31/12/2019
PAID
"""
TEXT: JsonObject = {"type": "string"}
NUMBER: JsonObject = {"type": "number"}
RIGHT: JsonObject = {"company": "YONGFATT ENTERPRISE", "date": "25/12/2018", "total": "80.90"}


def schema_of(**properties: JsonValue) -> ExtractionSchema:
    return ExtractionSchema.compile(
        {"type": "object", "properties": properties, "additionalProperties": False}
    )


PLAIN = schema_of(company=TEXT, date=TEXT, total=TEXT)


def ask(schema: ExtractionSchema, answer: str, document: str = RECEIPT) -> AuditQuestion:
    verdict = check_extraction(schema, Indexed(document), answer, None, Gate())
    question = audit_question(
        schema, Indexed(document), verdict, read_answer(answer), "0" * 16, all_fields(verdict)
    )
    assert question is not None
    return question


def correct(
    schema: ExtractionSchema,
    answer: JsonObject | str,
    corrections: Mapping[str, str],
    document: str = RECEIPT,
) -> Correction:
    """Correct each field with the first excerpt of it that holds the correction, or else its first."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    question = ask(schema, text, document)
    verdicts = []
    for field in question.fields:
        if field.path not in corrections:
            verdicts.append(AuditorVerdict(field.id, Ruling.RIGHT, None, None))
            continue
        spans = [span for span in question.spans if field.id in span.fields]
        wanted = skeleton(corrections[field.path])
        span = next((span for span in spans if wanted in skeleton(span.text)), spans[0])
        verdicts.append(AuditorVerdict(field.id, Ruling.WRONG, corrections[field.path], span.id))
    return corrected(question, schema, Indexed(document), text, verdicts)


def code(correction: Correction) -> str:
    (refused,) = correction.refused
    assert refused.field in correction.doubtful
    assert not correction.accepted
    return refused.code


@pytest.mark.parametrize(
    ("claimed", "field", "correction", "became"),
    [
        pytest.param("80.96", "total", "80.90", "80.90", id="a digit"),
        pytest.param("80.91", "total", "80.90", "80.90", id="a neighbour"),
        pytest.param(
            "80.91", "total", "RM 80.90", "80.90", id="with a currency that the claimed one has not"
        ),
        pytest.param("RM 80.91", "total", "RM 80.90", "RM 80.90", id="with the currency that it has"),
        pytest.param("80.91", "total", "80,90", "80,90", id="written in another way"),
        pytest.param("26/12/2018", "date", "25/12/2018", "25/12/2018", id="a date"),
        pytest.param(
            "2018-12-26", "date", "2018-12-25", "2018-12-25", id="a date in the form of the claimed one"
        ),
        pytest.param("YONG ENTERPRISE", "company", "yongfatt enterprise", "yongfatt enterprise", id="a text"),
        pytest.param("", "total", "80.90", "80.90", id="an empty value"),
    ],
)
def test_a_correction_that_the_document_bears_out_counts(
    claimed: str, field: str, correction: str, became: str
) -> None:
    found = correct(PLAIN, {**RIGHT, field: claimed}, {field: correction})

    assert json.loads(found.answer) == {**RIGHT, field: became}
    assert [each.field for each in found.accepted] == [field]
    assert found.doubtful == ()
    assert found.refused == ()
    assert set(found.confirmed) == RIGHT.keys() - {field}


@pytest.mark.parametrize(
    ("claimed", "field", "correction", "refused"),
    [
        pytest.param("80.96", "total", "80.95", "correction.not_in_span", id="invented"),
        pytest.param("80.96", "total", "0.90", "correction.not_in_span", id="a part of an amount"),
        pytest.param("80.90", "total", "100.00", "correction.rival", id="the cash"),
        pytest.param("80.90", "total", "80.91", "correction.rival", id="before rounding"),
        pytest.param("26/12/2018", "date", "31/12/2019", "correction.rival", id="another date"),
        pytest.param("80.91", "total", "80.91", "correction.same", id="the same"),
        pytest.param("YONG", "company", "YONG", "correction.same", id="the same text"),
        pytest.param("YONGFATT", "company", "ENTERPRISES", "correction.not_in_span", id="a letter more"),
        pytest.param(
            "YONGFATT", "company", "yongfatt ENTERPRIZE", "correction.not_in_span", id="a letter else"
        ),
        pytest.param("80.91", "total", "CASH", "correction.nature", id="a word for an amount"),
        pytest.param("80.91", "total", " ", "correction.not_in_span", id="blank"),
        pytest.param("ACME", "company", "YONGFATT", "correction.cut_off", id="cut off"),
    ],
)
def test_a_correction_that_it_does_not_bear_out_is_refused(
    claimed: str, field: str, correction: str, refused: str
) -> None:
    answer = {**RIGHT, field: claimed}
    found = correct(PLAIN, answer, {field: correction})

    assert code(found) == refused
    assert found.answer == json.dumps(answer)
    assert field not in found.confirmed


def test_a_correction_must_cite_an_excerpt_of_its_own_field() -> None:
    document = f"{RECEIPT}{'A line of thanks that nobody reads.' * 3}\n" * 2
    text = json.dumps({"date": "25/12/2018", "company": "ACME"})
    question = ask(PLAIN, text, document)
    own = next(span for span in question.spans if "company" in span.fields)
    foreign = next(span for span in question.spans if "company" not in span.fields)

    for span_id in (foreign.id, None):
        said = [AuditorVerdict("company", Ruling.WRONG, "YONGFATT ENTERPRISE", span_id)]
        assert code(corrected(question, PLAIN, Indexed(document), text, said)) == "correction.not_shown"
    said = [AuditorVerdict("company", Ruling.WRONG, "YONGFATT ENTERPRISE", own.id)]
    assert corrected(question, PLAIN, Indexed(document), text, said).accepted


def test_wrong_without_a_correction_stays_doubtful_and_so_does_cannot_tell() -> None:
    text = json.dumps({**RIGHT, "total": "80.91"})
    question = ask(PLAIN, text)
    said = [
        AuditorVerdict("total", Ruling.WRONG, None, None),
        AuditorVerdict("date", Ruling.CANNOT_TELL, None, None),
        AuditorVerdict("company", Ruling.RIGHT, None, None),
    ]
    found = corrected(question, PLAIN, Indexed(RECEIPT), text, said)

    assert code(found) == "correction.none"
    assert set(found.doubtful) == {"total", "date"}
    assert found.confirmed == ("company",)


@pytest.mark.parametrize(
    ("schema", "claimed", "correction", "became"),
    [
        pytest.param(NUMBER, 80.91, "80.90", "80.90", id="a number"),
        pytest.param(NUMBER, 80.91, "RM 80.90", "80.90", id="a number, from an amount with a currency"),
        pytest.param({"type": ["number", "null"]}, None, "80.90", "80.90", id="a number where null was"),
        pytest.param({"type": ["string", "null"]}, None, "80.90", '"80.90"', id="a text where null was"),
        pytest.param({}, None, "80.90", '"80.90"', id="a text where anything may be"),
    ],
)
def test_a_correction_has_the_type_of_the_value(
    schema: JsonObject, claimed: JsonValue, correction: str, became: str
) -> None:
    found = correct(schema_of(total=schema), {"total": claimed}, {"total": correction})

    assert found.answer == f'{{"total": {became}}}'


@pytest.mark.parametrize(
    ("schema", "claimed", "correction", "refused"),
    [
        pytest.param(NUMBER, 80.91, "eighty", "correction.type", id="a word for a number"),
        pytest.param({"type": "integer"}, 81, "80.90", "correction.schema", id="a fraction for an integer"),
        pytest.param({**TEXT, "maxLength": 4}, "8", "80.90", "correction.schema", id="longer than allowed"),
        pytest.param({**TEXT, "pattern": r"^8\d\.91$"}, "81.91", "80.90", "correction.schema", id="no match"),
        pytest.param({"type": "boolean"}, False, "PAID", "correction.type", id="a boolean"),
        pytest.param(
            {"enum": ["80.91", "7"]}, "7", "80.90", "correction.schema", id="not of those to choose from"
        ),
    ],
)
def test_a_correction_keeps_type_and_schema(
    schema: JsonObject, claimed: JsonValue, correction: str, refused: str
) -> None:
    assert code(correct(schema_of(total=schema), {"total": claimed}, {"total": correction})) == refused


SUMMED = schema_of(
    items={"type": "array", "items": {"type": "object", "properties": {"name": TEXT, "amount": NUMBER}}},
    total={"type": "number", "x-steelyard-sum": "items[].amount"},
)
INVOICE = """Invoice 7
Tea pot 70.00

Many thanks for the order, which we had ready in the afternoon as you wished.

Scones 10.90

TOTAL 80.90
"""


def invoice(pot: float, scones: float, total: float) -> JsonObject:
    return {
        "items": [{"name": "Tea pot", "amount": pot}, {"name": "Scones", "amount": scones}],
        "total": total,
    }


def test_a_correction_that_makes_the_sum_come_out_counts() -> None:
    found = correct(SUMMED, invoice(70.0, 10.9, 80.8), {"total": "80.90"}, INVOICE)

    assert json.loads(found.answer) == invoice(70.0, 10.9, 80.9)
    assert found.doubtful == ()


def test_corrections_of_a_part_and_of_the_sum_count_together() -> None:
    found = correct(SUMMED, invoice(70.0, 1.9, 71.9), {"items[1].amount": "10.90", "total": "80.90"}, INVOICE)

    assert json.loads(found.answer) == invoice(70.0, 10.9, 80.9)
    assert {each.field for each in found.accepted} == {"items[1].amount", "total"}


def test_a_correction_that_breaks_the_sum_is_refused() -> None:
    found = correct(SUMMED, invoice(70.0, 1.9, 71.9), {"total": "80.90"}, INVOICE)

    assert code(found) == "correction.sum"


LISTED = ExtractionSchema.compile(
    {"properties": {"receipts": {"type": "array", "items": {"properties": {"company": TEXT, "total": TEXT}}}}}
)


@pytest.mark.parametrize(
    ("correction", "refused"), [("12.90", None), ("12.95", "correction.rival"), ("20.00", "correction.rival")]
)
def test_in_a_list_what_was_shown_for_the_item_is_compared(correction: str, refused: str | None) -> None:
    lists = "\n".join(f"ITEM {number} {number}.10" for number in range(10, 20))
    document = "\n".join(
        f"SHOP {shop} LTD\n{lists}\nSUB TOTAL {total}.95\nTOTAL ROUNDED {total}.90\nCASH 20.00\n"
        for shop, total in (("ONE", 11), ("TWO", 12), ("THREE", 13))
    )
    answer: JsonObject = {
        "receipts": [
            {"company": "SHOP ONE LTD", "total": "11.90"},
            {"company": "SHOP TWO LTD", "total": "12.96"},
            {"company": "SHOP THREE LTD", "total": "13.90"},
        ]
    }
    found = correct(LISTED, answer, {"receipts[1].total": correction}, document)
    assert [each.code for each in found.refused] == ([refused] if refused else [])


def test_right_does_not_overrule_arithmetic_or_the_schema() -> None:
    found = correct(SUMMED, invoice(70.0, 1.9, 80.9), {}, INVOICE)
    assert "total" in found.doubtful
    assert "items[0].name" in found.confirmed

    found = correct(schema_of(company={**TEXT, "maxLength": 5}), {"company": "YONGFATT ENTERPRISE"}, {})
    assert found.doubtful == ("company",)


def test_a_field_that_was_left_out_is_added_and_every_other_byte_stays() -> None:
    schema = ExtractionSchema.compile(
        {"type": "object", "properties": {"date": TEXT, "total": TEXT}, "required": ["date", "total"]}
    )
    found = correct(schema, '{ "date":\t"25/12/2018" }\n', {"total": "80.90"})
    assert found.answer == '{ "date":\t"25/12/2018", "total": "80.90"}'
    assert correct(schema, "{}", {"total": "80.90", "date": "25/12/2018"}).answer in (
        '{"date": "25/12/2018", "total": "80.90"}',
        '{"total": "80.90", "date": "25/12/2018"}',
    )


@pytest.mark.parametrize(
    "answer",
    ['{"total": []}', '{"total": {}}', '{"total": {"x": []}}', "[]", '["80.91"]'],
)
def test_a_field_that_holds_something_else_is_not_added_again(answer: str) -> None:
    schema = ExtractionSchema.compile({"properties": {"total": {}}, "items": {}})
    verdict = check_extraction(schema, Indexed(RECEIPT), answer, None, Gate())
    asked = audit_question(
        schema, Indexed(RECEIPT), verdict, read_answer(answer), "0" * 16, {"total", *all_fields(verdict)}
    )
    assert asked is None or "total" not in {field.path for field in asked.fields}


def test_a_document_with_too_many_values_to_compare_bears_nothing_out() -> None:
    crowd = "\n".join(f"Item {number} 1.{number:02}" for number in range(600))
    found = correct(PLAIN, {"total": "80.96"}, {"total": "80.90"}, f"{crowd}\n{RECEIPT}")

    assert code(found) == "correction.not_compared"


def test_no_reason_holds_a_word_of_the_document_or_the_answer() -> None:
    for claimed, correction in (("80.96", "80.95"), ("80.90", "100.00"), ("80.91", "CASH")):
        (refused,) = correct(PLAIN, {**RIGHT, "total": claimed}, {"total": correction}).refused
        assert not any(word in refused.reason for word in ("80.9", "100", "CASH", "YONG"))


values = st.sampled_from([*RECEIPT.split(), "80,90", "RM 80.90", "80.9", "2018-12-25", "", "x"]) | st.text(
    max_size=12
)


@settings(max_examples=300)
@given(
    claimed=st.fixed_dictionaries({"company": values, "date": values, "total": values}),
    said=st.lists(st.tuples(st.sampled_from(Ruling), values, st.integers(0, 9)), min_size=3, max_size=3),
)
def test_only_what_was_proven_changes_whatever_an_auditor_says(
    claimed: dict[str, str], said: list[tuple[Ruling, str, int]]
) -> None:
    text = orjson.dumps(claimed).decode()
    question = ask(PLAIN, text)
    verdicts = [
        AuditorVerdict(
            field.id,
            ruling,
            (value or None) if ruling is Ruling.WRONG else None,
            question.spans[number % len(question.spans)].id if ruling is Ruling.WRONG else None,
        )
        for field, (ruling, value, number) in zip(question.fields, said, strict=False)
    ]
    found = corrected(question, PLAIN, Indexed(RECEIPT), text, verdicts)

    after = json.loads(found.answer)
    cited = {verdict.field: verdict for verdict in verdicts}
    spans = {span.id: span for span in question.spans}
    proven = {each.field: each for each in found.accepted}
    for name, value in claimed.items():
        assert (after[name] == value) is (name not in proven)
    for name, accepted in proven.items():
        verdict, span = cited[name], spans[accepted.span_id]
        assert verdict.ruling is Ruling.WRONG
        assert name in span.fields
        assert span.text == RECEIPT[span.start : span.end]
        assert PLAIN.validator.is_valid(after)
        alone = check_extraction(PLAIN, Indexed(span.text), found.answer, None, Gate())
        support = next(
            finding
            for field in alone.fields
            for finding in field.findings
            if field.field == name and finding.check == "support"
        )
        assert support.code in {f"support.{how}" for how in ("exact", "amount", "date", "folded", "currency")}
    settled = {*proven, *found.confirmed}
    assert settled.isdisjoint(found.doubtful)
    assert settled | set(found.doubtful) == {field.path for field in question.fields}
