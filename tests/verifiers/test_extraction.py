"""All checks together: right answers pass, each planted error is flagged, and nothing makes it raise."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.commands.documents import read_document_text
from verifiers.answer import LEAVES_MAX
from verifiers.checks.schema import ExtractionSchema
from verifiers.extraction import check_corrected, check_extraction
from verifiers.gate import Gate
from verifiers.indexed import Indexed
from verifiers.json_types import JsonObject, JsonValue
from verifiers.tokens import TokenLogprob
from verifiers.verdict import Outcome, Verdict

EXAMPLES = Path(__file__).parents[2] / "examples"
ENTRIES = [json.loads(line) for line in (EXAMPLES / "documents" / "index.jsonl").read_text().splitlines()]
READABLE = [entry for entry in ENTRIES if entry["gold"] is not None]
RECEIPT = """YONGFATT ENTERPRISE
(JM0517726)
NO 122.124 JALAN DEDAP 13
81100 JOHOR BAHRU
TEL 07-3523888
DOC NO CS00031663  DATE 25/12/2018
E8318  1  80.91  80.91
TOTAL SALES (EXCLUDING GST) :  80.91
ROUNDING  -0.01
TOTAL SALES (INCLUSIVE OF GST) :  80.90
CASH :  100.00
CHANGE :  19.10
MEMBERSHIP EXPIRES 31/12/2019
"""
GOLD: JsonObject = {
    "company": "YONGFATT ENTERPRISE",
    "date": "25/12/2018",
    "address": "NO 122.124 JALAN DEDAP 13 81100 JOHOR BAHRU",
    "total": "80.90",
}
SCHEMA = ExtractionSchema.compile(
    {
        "type": "object",
        "properties": {name: {"type": "string", "maxLength": 100} for name in GOLD},
        "required": [*GOLD],
        "additionalProperties": False,
    }
)
ANYTHING = ExtractionSchema.compile({})


def check(answer: str, document: str = RECEIPT, schema: ExtractionSchema = SCHEMA) -> Verdict:
    return check_extraction(schema, Indexed(document), answer, None, Gate())


def flagged(verdict: Verdict) -> set[str]:
    return {field.field for field in verdict.fields if field.flagged}


@pytest.mark.parametrize("entry", READABLE, ids=lambda entry: str(entry["file"]))
def test_the_gold_values_of_an_example_pass(entry: JsonObject) -> None:
    """English, German, French and Chinese; invoices, receipts, contracts and mails: none is doubted; one is a PDF."""
    schema = ExtractionSchema.compile(json.loads((EXAMPLES / "schemas" / str(entry["schema"])).read_text()))
    document = read_document_text(EXAMPLES / "documents" / str(entry["file"]))

    verdict = check(json.dumps(entry["gold"]), document, schema)

    assert verdict.valid
    assert flagged(verdict) == set()


def test_a_right_answer_passes() -> None:
    assert check(json.dumps(GOLD)).passed


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("total", "80.96", id="a digit swapped"),
        pytest.param("total", "80.91", id="a neighbouring amount"),
        pytest.param("total", "100.00", id="the cash"),
        pytest.param("date", "25/12/2013", id="a digit of the date"),
        pytest.param("date", "31/12/2019", id="another date"),
        pytest.param("company", "YONGFATT", id="a truncated name"),
        pytest.param("company", "YONGFATT ENTER", id="a name cut within a word"),
        pytest.param("address", "NO 122.124 JALAN DEDAP 13", id="a truncated address"),
        pytest.param("address", "NO 122.124 JALAN DEDAP 13 81700 JOHOR BAHRU", id="a digit of the address"),
        pytest.param("company", "ACME Ltd", id="invented"),
    ],
)
def test_a_planted_error_is_flagged_alone(field: str, value: str) -> None:
    verdict = check(json.dumps({**GOLD, field: value}))

    assert flagged(verdict) == {field}
    assert verdict.valid
    assert not verdict.passed


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param("", "json.invalid", id="empty"),
        pytest.param("I cannot do that.", "json.invalid", id="prose"),
        pytest.param(json.dumps(GOLD)[:-5], "json.invalid", id="cut short"),
        pytest.param('{"total": "\\ud800"}', "json.invalid", id="a lone surrogate"),
        pytest.param("{}", "schema.required", id="fields missing"),
        pytest.param('{"total": "1", ' + json.dumps(GOLD)[1:], "json.duplicate_key", id="a key twice"),
    ],
)
def test_an_invalid_answer_is_a_finding(answer: str, code: str) -> None:
    verdict = check(answer)

    assert not verdict.valid
    assert code in {finding.code for finding in verdict.findings if finding.outcome is Outcome.FAILED}


@pytest.mark.parametrize("empty", ["", " ", "-"])
def test_an_empty_answer_is_flagged_in_every_field(empty: str) -> None:
    verdict = check(json.dumps(dict.fromkeys(GOLD, empty)))

    assert flagged(verdict) == {*GOLD}


@pytest.mark.parametrize("left_out", [*GOLD])
def test_a_field_that_is_left_out_is_flagged(left_out: str) -> None:
    verdict = check(json.dumps({name: value for name, value in GOLD.items() if name != left_out}))

    assert flagged(verdict) == {left_out}
    assert not verdict.valid


@pytest.mark.parametrize("entry", READABLE, ids=lambda entry: str(entry["file"]))
def test_no_gold_value_of_an_example_can_be_left_empty(entry: JsonObject) -> None:
    schema = ExtractionSchema.compile(json.loads((EXAMPLES / "schemas" / str(entry["schema"])).read_text()))
    document = read_document_text(EXAMPLES / "documents" / str(entry["file"]))
    gold = entry["gold"]
    assert isinstance(gold, dict)

    for name in gold.keys() - {"client"}:  # who else is named in prose is not looked for
        empty: JsonValue = [] if isinstance(gold[name], list) else ""
        assert name in flagged(check(json.dumps({**gold, name: empty}), document, schema))


def test_a_breach_of_the_schema_flags_its_field() -> None:
    verdict = check(json.dumps({**GOLD, "company": RECEIPT[:19] + " " * 90}))

    assert "company" in flagged(verdict)
    assert not verdict.valid


def test_a_sum_that_differs_flags_the_total() -> None:
    schema = ExtractionSchema.compile(
        {"properties": {"total": {"x-steelyard-sum": "items[]"}, "items": {"type": "array"}}}
    )
    verdict = check('{"items": ["80.91", "80.90"], "total": "80.90"}', RECEIPT, schema)

    assert "total" in flagged(verdict)
    assert "sum.differs" in {finding.code for field in verdict.fields for finding in field.findings}


def test_a_count_and_chosen_values_are_not_held_against_totals() -> None:
    schema = ExtractionSchema.compile(
        {
            "properties": {
                "total_items": {"type": "string"},
                "payment": {"enum": ["CASH", "CARD"]},
                "kind": {"const": "receipt"},
                "is_paid": {"type": "boolean"},
            }
        }
    )
    answer = {"total_items": "1", "payment": "CARD", "kind": "receipt", "is_paid": True}

    assert check(json.dumps(answer), RECEIPT, schema).passed


def test_an_unsure_token_flags_its_field() -> None:
    answer = '{"company": "YONGFATT ENTERPRISE"}'
    tokens = [TokenLogprob(answer[:13], -0.1), TokenLogprob(answer[13:], -9.0)]

    verdict = check_extraction(ANYTHING, Indexed(RECEIPT), answer, tokens, Gate(score_min=0.05))

    assert flagged(verdict) == {"company"}
    assert verdict.fields[0].score is not None


def test_after_a_correction_the_other_fields_keep_their_scores() -> None:
    answer = '{"company": "YONGFATT ENTERPRISE", "total": "80.91"}'
    tokens = [
        TokenLogprob(answer[:13], -0.1),
        TokenLogprob(answer[13:34], -9.0),
        TokenLogprob(answer[34:], -0.2),
    ]
    gate, indexed = Gate(score_min=0.05), Indexed(RECEIPT)
    before = check_extraction(ANYTHING, indexed, answer, tokens, gate)

    after = check_corrected(ANYTHING, indexed, answer.replace("80.91", "80.90"), before, {"total"}, gate)

    scores = {field.field: field.score for field in after.fields}
    assert scores == {"company": before.fields[0].score, "total": None}
    assert flagged(after) == {"company"}, "the model is as unsure of it as it was"


def test_without_tokens_no_field_has_a_score() -> None:
    assert {field.score for field in check(json.dumps(GOLD)).fields} == {None}


def test_an_answer_with_too_many_fields_is_invalid() -> None:
    verdict = check(json.dumps([1] * (LEAVES_MAX + 1)), RECEIPT, ANYTHING)

    assert not verdict.valid
    assert len(verdict.fields) == LEAVES_MAX


def test_no_reason_holds_a_word_of_the_document_or_the_answer() -> None:
    """Reasons are kept and logged; the words stand in the evidence alone."""
    secret = "Zyxwvut"
    answers = [{**GOLD, "company": secret}, {**GOLD, "total": "80.91"}, {**GOLD, "company": "YONGFATT"}]

    for answer in answers:
        verdict = check(json.dumps(answer), RECEIPT.replace("TEL", secret))
        findings = [*verdict.findings, *(each for field in verdict.fields for each in field.findings)]
        for finding in findings:
            said = finding.reason.casefold()
            assert not any(word.casefold() in said for word in (secret, "yongfatt", "80.9", "dedap"))


documents = st.text(max_size=120) | st.sampled_from([RECEIPT, RECEIPT[::-1], RECEIPT.replace("\n", "\r")])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(RECEIPT.split()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(document=documents, answer=st.text(max_size=80) | values.map(json.dumps))
def test_no_answer_and_no_document_make_it_raise(document: str, answer: str) -> None:
    for schema in (ANYTHING, SCHEMA):
        verdict = check(answer, document, schema)
        for field in verdict.fields:
            for finding in field.findings:
                evidence = finding.evidence
                if evidence is not None:
                    assert document[evidence.start : evidence.end] == evidence.text


@given(answer=values, data=st.data())
def test_a_value_taken_from_the_document_is_supported(answer: object, data: st.DataObject) -> None:
    words = RECEIPT.split()
    first = data.draw(st.integers(0, len(words) - 1))
    value = " ".join(words[first : first + data.draw(st.integers(1, 6))])

    verdict = check(json.dumps({"f": value, "g": answer}), RECEIPT, ANYTHING)

    codes = [finding.code for finding in verdict.fields[0].findings if finding.check == "support"]
    assert codes in (
        ["support.exact"],
        ["support.folded"],
        ["support.amount"],
        ["support.date"],
        ["support.nothing"],
    )
