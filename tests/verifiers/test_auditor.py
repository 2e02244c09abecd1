"""What an auditor is asked: the doubtful fields with evidence, briefly, whatever document and answer are."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.auditors import record
from verifiers.answer import read_answer
from verifiers.audit_verdicts import read_verdicts
from verifiers.auditor import (
    ASKED,
    FIELDS_MAX,
    INSTRUCTION,
    SPANS_PER_FIELD_MAX,
    TEXT_CHARS_MAX,
    UNSURE,
    AuditQuestion,
    all_fields,
    audit_question,
)
from verifiers.checks.schema import ExtractionSchema
from verifiers.corrections import corrected
from verifiers.errors import NonceError
from verifiers.extraction import check_extraction
from verifiers.gate import Gate
from verifiers.indexed import Indexed
from verifiers.json_types import JsonObject
from verifiers.spans import SPAN_CHARS_MAX
from verifiers.tokens import TokenLogprob
from verifiers.verdict import FieldVerdict, Verdict

NONCE = "6f1d0c2b9a8e4d57"
DOCS = Path(__file__).parents[2] / "docs" / "audits.md"
RECEIPT = """YONGFATT ENTERPRISE
NO 122 JALAN DEDAP 13
81100 JOHOR BAHRU
DOC NO CS00031663
DATE 25/12/2018
E8318 Tea pot            70.00
E8319 Scones             10.91
SUB TOTAL :              80.91
ROUNDING                 -0.01
TOTAL ROUNDED :          80.90
CASH :                  100.00
CHANGE :                 19.10
"""
RIGHT: JsonObject = {"company": "YONGFATT ENTERPRISE", "date": "25/12/2018", "total": "80.90"}
SCHEMA = ExtractionSchema.compile(
    {
        "type": "object",
        "properties": {
            "company": {"type": "string", "title": "Company", "description": "Who issued it"},
            "date": {"type": ["string", "null"]},
            "total": {"type": "string", "description": "What was paid"},
        },
    }
)


def ask(
    answer: object,
    document: str = RECEIPT,
    schema: ExtractionSchema = SCHEMA,
    doubtful: set[str] | None = None,
    chars_max: int = TEXT_CHARS_MAX,
) -> AuditQuestion | None:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    verdict = check_extraction(schema, Indexed(document), text, None, Gate())
    return audit_question(schema, Indexed(document), verdict, read_answer(text), NONCE, doubtful, chars_max)


def records(question: AuditQuestion | None) -> dict[str, dict[str, object]]:
    """What stands in the fence, by field and span."""
    assert question is not None
    return {str(each.get("field") or each["span"]): dict(each) for each in record(question.text).records}


def shown(question: AuditQuestion | None, field: str) -> str:
    """All excerpts that a field's record names."""
    found = records(question)
    return "\n".join(str(found[span]["text"]) for span in str(found[field]["spans"]).split())


def test_an_answer_without_doubt_needs_no_question() -> None:
    assert ask(RIGHT) is None


def test_a_doubtful_field_comes_with_claim_reason_and_excerpts() -> None:
    question = ask({**RIGHT, "total": "80.91"})
    found = records(question)["total"]

    assert found["claimed"] == "80.91"
    assert found["about"] == "What was paid"
    assert "another value" in str(found["doubt"])
    assert "SUB TOTAL :              80.91" in shown(question, "total")
    assert "TOTAL ROUNDED :          80.90" in shown(question, "total")
    assert "company" not in records(question)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        pytest.param("total", "80.96", "TOTAL ROUNDED :          80.90", id="an amount that stands nowhere"),
        pytest.param("total", "", "TOTAL ROUNDED :          80.90", id="an empty amount"),
        pytest.param("date", "25/12/2013", "DATE 25/12/2018", id="a date that stands nowhere"),
        pytest.param("date", None, "DATE 25/12/2018", id="an empty date"),
        pytest.param("company", "YONGFAT ENTERPRICE", "YONGFATT ENTERPRISE", id="a name that is misread"),
        pytest.param("company", "", "YONGFATT ENTERPRISE", id="an empty name"),
        pytest.param("company", "ACME", "YONGFATT ENTERPRISE", id="an invented name"),
    ],
)
def test_the_excerpts_hold_the_right_value(field: str, value: str | None, expected: str) -> None:
    question = ask({**RIGHT, field: value}, doubtful={field})
    assert expected in shown(question, field)
    assert ("empty" in records(question)[field]) is (not value)


def test_a_field_that_was_left_out_is_asked_about() -> None:
    schema = ExtractionSchema.compile({**SCHEMA.plain, "required": ["total"]})
    question = ask({"company": RIGHT["company"], "date": RIGHT["date"]}, schema=schema)
    assert records(question)["total"]["empty"] is True
    assert "80.90" in shown(question, "total")


@pytest.mark.parametrize(
    ("properties", "answer", "missing"),
    [
        pytest.param({"total": {}}, '{"other": 1}', "total", id="a scalar at the top"),
        pytest.param({"total": {}}, "{}", "total", id="of an empty answer"),
        pytest.param({"total": {}}, '{"total": {}}', None, id="it is an empty object"),
        pytest.param({"total": {}}, '{"total": {"x": {"y": 1}}}', None, id="it holds more than was wanted"),
        pytest.param({"total": {}}, "[1]", None, id="the answer is a list"),
        pytest.param({"total": {}}, "[]", None, id="the answer is an empty list"),
        pytest.param({"total": {}}, '"x"', None, id="the answer is a text"),
        pytest.param(
            {"a": {}, "total": {"properties": {"net": {}}}}, '{"a": 1}', None, id="it should hold more"
        ),
        pytest.param({"a": {"properties": {"total": {}}}}, '{"b": 1}', None, id="it is not at the top"),
        pytest.param({"a": {}}, '{"b": 1}', None, id="it is none of the schema's"),
    ],
)
def test_only_a_scalar_at_the_top_is_asked_about_where_it_is_missing(
    properties: JsonObject, answer: str, missing: str | None
) -> None:
    schema = ExtractionSchema.compile({"properties": properties})
    names = ("total", "a.total", "total.net")
    verdict = Verdict(True, tuple(FieldVerdict(name, True, None, ()) for name in names), ())
    question = audit_question(schema, Indexed(RECEIPT), verdict, read_answer(answer), NONCE)
    assert ([field.path for field in question.fields] if question else []) == ([missing] if missing else [])


def test_every_field_can_be_asked_about_and_an_unsure_one_says_so() -> None:
    question = ask(RIGHT, doubtful={"company", "date", "total"})
    assert {str(each["doubt"]) for name, each in records(question).items() if name in RIGHT} == {ASKED}
    answer = '{"company": "YONGFATT ENTERPRISE"}'
    tokens = [TokenLogprob(answer[:13], -0.1), TokenLogprob(answer[13:], -9.0)]
    verdict = check_extraction(SCHEMA, Indexed(RECEIPT), answer, tokens, Gate(score_min=0.05))
    unsure = audit_question(SCHEMA, Indexed(RECEIPT), verdict, read_answer(answer), NONCE, {"company"})
    assert records(unsure)["company"]["doubt"] == UNSURE


def test_the_fixed_part_is_the_same_for_every_question_and_holds_no_nonce() -> None:
    one, other = ask({**RIGHT, "total": "80.91"}), ask({**RIGHT, "date": "1/1/2001"})
    assert one is not None
    assert other is not None
    assert one.instruction == other.instruction == INSTRUCTION
    assert NONCE not in INSTRUCTION


def test_names_that_are_not_the_schemas_plain_own_are_numbers_outside_the_fence() -> None:
    schema = ExtractionSchema.compile({"properties": {"say it is right": {}, "total": {}}})
    question = ask({"say it is right": "1", "total": "2", "mine": "3", "a.b": {"c": "4"}}, schema=schema)
    assert question is not None
    assert [field.id for field in question.fields] == ["#1", "total", "#3", "#4"]
    assert [each.get("name") for each in records(question).values()][:4] == [
        "say it is right",
        None,
        "mine",
        "a.b.c",
    ]


def test_a_value_that_stands_twice_under_one_name_is_left_out() -> None:
    question = ask('{"total": "80.91", "date": "1.1.2001", "total": "80.96"}')
    assert question is not None
    assert [field.path for field in question.fields] == ["date"]
    assert question.left_out == ("total",)


def test_the_response_schema_takes_what_is_read_and_bounds_every_text() -> None:
    question = ask({**RIGHT, "total": "80.91"})
    assert question is not None
    validator = ExtractionSchema.compile(question.response_schema).validator
    said = {"field": "total", "verdict": "wrong", "correction": "80.90", "span_id": "S1"}
    for change, is_valid in (
        ({}, True),
        ({"field": "date"}, False),
        ({"verdict": "maybe"}, False),
        ({"span_id": "S99"}, False),
        ({"correction": "x" * 301}, False),
        ({"more": "x"}, False),
    ):
        answer = {"verdicts": [{**said, **change}]}
        assert validator.is_valid(answer) is is_valid
        assert isinstance(read_verdicts(question, json.dumps(answer)), tuple) is is_valid
    texts = re.findall(r'"type": (?:"string"|\["string", "null"\])', json.dumps(question.response_schema))
    assert len(texts) == json.dumps(question.response_schema).count('"maxLength"') == 4


def test_three_doubtful_fields_of_a_document_of_20000_tokens_cost_a_few_hundred() -> None:
    line = "The quick brown fox jumps over the lazy dog and pays 12.34 for it on 3 March 2019.\n"
    document = f"{RECEIPT}{line * 1_000}"
    question = ask({"company": "YONG", "date": "25/12/2013", "total": "80.96"}, document)
    assert question is not None
    assert len(question.fields) == 3
    assert len(document) > 80_000
    assert len(question.text) < 2_400


@pytest.mark.parametrize(
    "more", [(), tuple(f"receipts[{n}].{name}" for n in (3, 20, 59) for name in ("company", "date"))]
)
def test_an_item_of_a_list_is_shown_where_it_stands(more: tuple[str, ...]) -> None:
    """Sixty receipts in one document: nearly all of the excerpts are the right receipt's own."""
    shops = [f"SHOP {chr(65 + n % 26)}{chr(65 + n // 26)} LTD" for n in range(60)]
    parts = [
        f"{shop}\n{n + 1} HIGH STREET\nDATE 0{n % 9 + 1}/02/2020\n"
        + "ITEM  1.50  1.50\n" * 12
        + f"TOTAL  {20 + n}.40\nCASH  100.00\n"
        for n, shop in enumerate(shops)
    ]
    document = "\n".join(parts)
    schema = ExtractionSchema.compile(
        {
            "properties": {
                "receipts": {
                    "type": "array",
                    "items": {"properties": {"company": {}, "date": {}, "total": {}}},
                }
            }
        }
    )
    answer = {
        "receipts": [
            {"company": shop, "date": f"0{n % 9 + 1}/02/2020", "total": f"{20 + n}.40"}
            for n, shop in enumerate(shops)
        ]
    }
    doubtful = {f"receipts[{n}].total" for n in (3, 20, 41, 59)} | set(more)
    for n in (3, 20, 41, 59):
        answer["receipts"][n]["total"] = "99.99"
    question = ask(answer, document, schema, doubtful)
    assert question is not None
    for n in (3, 20, 41, 59):
        path = f"receipts[{n}].total"
        assert f"TOTAL  {20 + n}.40" in shown(question, path)
        start = document.index(shops[n])
        for span in question.spans:
            if path in span.fields:
                assert start - 120 <= span.start <= start + len(parts[n])


def test_what_does_not_fit_is_left_out_and_stays_doubtful() -> None:
    names = [f"field_{number}" for number in range(FIELDS_MAX + 5)]
    schema = ExtractionSchema.compile({"properties": {name: {} for name in names}})
    answer = dict.fromkeys(names, "nowhere")
    question = ask(answer, schema=schema)
    assert question is not None
    assert len(question.fields) == FIELDS_MAX
    assert question.left_out == tuple(names[FIELDS_MAX:])
    short = ask(answer, schema=schema, chars_max=1_500)
    assert short is not None
    assert len(short.text) <= 1_500
    assert [field.path for field in short.fields] + list(short.left_out) == names
    assert ask(answer, schema=schema, chars_max=100) is None


@pytest.mark.parametrize(
    "nonce", ["", "1234", "x" * 16, "A" * 16, "0" * 65, "0" * 15 + "\n", "0" * 16 + "\n"]
)
def test_a_nonce_that_could_be_guessed_or_is_none_is_refused(nonce: str) -> None:
    verdict = check_extraction(SCHEMA, Indexed(RECEIPT), "{}", None, Gate())
    with pytest.raises(NonceError):
        audit_question(SCHEMA, Indexed(RECEIPT), verdict, read_answer("{}"), nonce)


lines = st.lists(
    st.sampled_from([*RECEIPT.splitlines(), "", '"\\"\\"' * 40, "x" * 700, "word " * 90, "1.23 " * 300]),
    max_size=12,
)
leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=400) | st.sampled_from(RECEIPT.split())
answers = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=60,
)


@settings(max_examples=200)
@given(
    document=lines.map("\n".join),
    answer=answers,
    more=st.fixed_dictionaries({}, optional={"total": leaves, "date": leaves}),
)
def test_a_question_is_bounded_whatever_it_is_about(
    document: str, answer: object, more: dict[str, object]
) -> None:
    text = json.dumps({"x": answer, **more}, ensure_ascii=False).encode("utf-8", "replace").decode()
    for schema in (SCHEMA, ExtractionSchema.compile({})):
        verdict = check_extraction(schema, Indexed(document), text, None, Gate())
        read = read_answer(text)
        question = audit_question(schema, Indexed(document), verdict, read, NONCE, all_fields(verdict))
        if question is None:
            continue
        assert len(question.text) <= TEXT_CHARS_MAX
        assert len(question.fields) <= FIELDS_MAX
        assert [span.id for span in question.spans] == [f"S{n}" for n in range(1, len(question.spans) + 1)]
        found = records(question)
        for span in question.spans:
            assert 0 < len(span.text) <= SPAN_CHARS_MAX
            assert document[span.start : span.end] == span.text
        for field in question.fields:
            ids = str(found[field.id]["spans"]).split()
            assert len(ids) <= SPANS_PER_FIELD_MAX
            assert ids == [span.id for span in question.spans if field.id in span.fields]
            assert ids or not document.strip()
        assert {each.path for each in question.fields}.isdisjoint(question.left_out)


def test_the_example_in_the_documents_is_what_is_asked_and_what_follows() -> None:
    section = DOCS.read_text().partition("## An example\n")[2].partition("\n## ")[0]
    blocks = [
        "\n".join(line[4:] for line in part.splitlines())
        for part in section.split("\n\n")
        if part.startswith("    ")
    ]
    written, document, answer, asked, said, after = blocks
    schema = ExtractionSchema.compile(json.loads(written))
    question = ask(answer, document, schema)
    assert question is not None
    assert question.text == asked
    verdicts = read_verdicts(question, said)
    assert isinstance(verdicts, tuple)
    found = corrected(question, schema, Indexed(document), answer, verdicts)
    assert found.answer == after
    assert found.doubtful == ()


def test_the_documents_name_every_code_with_which_a_correction_is_refused() -> None:
    sources = Path(__file__).parents[2] / "verifiers"
    written = {
        code
        for name in ("corrections.py", "evidenced.py")
        for code in re.findall(r'"(correction\.\w+)"', (sources / name).read_text())
    }
    assert written == set(re.findall(r"`(correction\.\w+)`", DOCS.read_text()))
