"""A field may be empty only where the document shows nothing for it."""

import json

import pytest

from verifiers.answer import read_answer
from verifiers.captions import VALUES_MAX, Captions
from verifiers.checks.omission import check_omissions
from verifiers.document import STEPS_MAX, Document
from verifiers.json_types import JsonObject, JsonValue
from verifiers.labels import field_labels
from verifiers.verdict import Outcome

RECEIPT = """YONGFATT ENTERPRISE SDN BHD
NO 122, JALAN DEDAP 13
81100 JOHOR BAHRU
Invoice No: CS00031663
25/12/2018 20:13
Paper   4.00
Pens    5.00
TOTAL   9.00
"""
LETTER = """Dear neighbours,
the path behind our houses is closed.
"""
TEXT: JsonObject = {"type": "string"}
OR_NULL: JsonObject = {"type": ["string", "null"]}


def omissions(document: str, answer: JsonValue, schema: JsonObject) -> dict[str, str]:
    captions = Captions(Document(document))
    findings = check_omissions(field_labels(schema), read_answer(json.dumps(answer)), captions)
    for finding in findings:
        assert finding.outcome is Outcome.FAILED
        if finding.evidence is not None:
            assert document[finding.evidence.start : finding.evidence.end] == finding.evidence.text
    return {finding.field: finding.code.removeprefix("omission.") for finding in findings}


def asked(**properties: JsonObject) -> JsonObject:
    return {"type": "object", "properties": {**properties}, "required": [*properties]}


@pytest.mark.parametrize("node", [TEXT, OR_NULL, {}], ids=["a text", "a text or null", "anything"])
@pytest.mark.parametrize(
    "name", ["total", "date", "invoice_date", "company", "vendor", "address", "invoice_number"]
)
@pytest.mark.parametrize("value", [None, "", "  ", "-"])
def test_an_empty_value_fails_where_the_document_shows_one(
    name: str, value: JsonValue, node: JsonObject
) -> None:
    schema = asked(**{name: node, "note": TEXT})

    assert omissions(RECEIPT, {name: value, "note": "Paper"}, schema) == {name: "left_empty"}


@pytest.mark.parametrize(
    "name",
    [
        "due_date",
        "delivery_date",
        "payment_date",
        "customer_name",
        "delivery_address",
        "order_number",
        "tax",
        "net_amount",
        "discount",
        "description",
    ],
)
def test_an_empty_value_may_pass_where_the_document_shows_none(name: str) -> None:
    assert omissions(RECEIPT, {name: None, "total": "9.00"}, asked(**{name: OR_NULL, "total": TEXT})) == {}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("due_date", "Payment due 01/02/2019"),
        ("tax", "GST 6%  0.51"),
        ("net_amount", "Subtotal 8.49"),
        ("customer_name", "Customer name: Orchard School"),
        ("order_number", "Order no. PO-6612"),
        ("deposit_amount", "Deposit amount 40.00"),
        ("description", "Description: stationery"),
    ],
)
def test_a_captioned_value_is_a_candidate_for_any_field(name: str, line: str) -> None:
    schema = asked(**{name: OR_NULL, "total": TEXT})

    assert omissions(RECEIPT + line, {name: None, "total": "9.00"}, schema) == {name: "left_empty"}


@pytest.mark.parametrize(
    "line", ["Description: n/a", "Description:", "Description: Price: 5", "See the description: none"]
)
def test_a_name_with_nothing_behind_it_shows_no_value(line: str) -> None:
    schema = asked(description=OR_NULL, total=TEXT)

    assert omissions(RECEIPT + line, {"description": None, "total": "9.00"}, schema) == {}


def test_an_answer_with_nothing_in_it_fails_whatever_the_document_shows() -> None:
    schema = asked(date=OR_NULL, total=OR_NULL, items={"type": "array"})

    said = omissions(LETTER, {"date": None, "total": "", "items": []}, schema)

    assert said == {"date": "all_empty", "total": "all_empty", "items": "all_empty"}


def test_one_field_that_may_be_null_may_be_all_of_an_answer() -> None:
    assert omissions(LETTER, {"date": None}, asked(date=OR_NULL)) == {}
    assert omissions(LETTER, {"date": ""}, asked(date=TEXT)) == {"date": "all_empty"}


def test_chosen_values_are_no_content_and_no_omission() -> None:
    schema = asked(kind={"enum": ["a", None]}, is_paid={"type": ["boolean", "null"]}, date=TEXT, total=TEXT)

    said = omissions(LETTER, {"kind": None, "is_paid": None, "date": "", "total": ""}, schema)

    assert said == {"date": "all_empty", "total": "all_empty"}


@pytest.mark.parametrize(
    ("document", "said"), [(RECEIPT, {"items": "left_empty"}), (LETTER, {})], ids=["items", "none"]
)
def test_a_list_without_items_fails_where_the_document_shows_some(
    document: str, said: dict[str, str]
) -> None:
    schema = asked(items={"type": "array"}, note=TEXT)

    assert omissions(document, {"items": [], "note": "x"}, schema) == said


def test_a_list_as_the_whole_answer_may_be_empty_only_where_no_item_is_shown() -> None:
    schema: JsonObject = {"type": "array", "items": asked(name=TEXT)}

    assert omissions(RECEIPT, [], schema) == {"": "left_empty"}
    assert omissions(LETTER, [], schema) == {}


def test_a_field_that_is_left_out_fails_if_it_is_required_or_shown() -> None:
    schema = asked(total=TEXT, buyer={"type": "object", "properties": {"id": TEXT}, "required": ["id"]})
    optional: JsonObject = {"properties": {"total": TEXT, "due_date": TEXT}}

    assert omissions(LETTER, {"buyer": {}}, schema) == {"total": "left_out", "buyer.id": "left_out"} | {
        "buyer": "all_empty"
    }
    assert omissions(RECEIPT, {"buyer": None, "total": "9.00"}, schema) == {}
    assert omissions(RECEIPT, {}, optional) == {"total": "left_empty"}
    assert omissions(LETTER, {}, optional) == {}


def test_a_field_of_another_choice_may_be_left_out() -> None:
    schema: JsonObject = {"oneOf": [asked(total=TEXT), asked(date=TEXT)]}

    assert omissions(RECEIPT, {"total": "9.00"}, schema) == {}


def test_fields_of_items_are_not_looked_at() -> None:
    schema = asked(items={"type": "array", "items": asked(total=TEXT)}, note=TEXT)

    assert omissions(RECEIPT, {"items": [{"total": ""}], "note": "x"}, schema) == {}


def test_an_amount_of_zero_is_no_value_to_miss() -> None:
    schema = asked(tax=OR_NULL, total=TEXT)

    assert omissions("GST 0.00\nTotal 9.00", {"tax": None, "total": "9.00"}, schema) == {}


def bounds(document: Document, node: JsonObject, answer: JsonObject) -> list[tuple[str, Outcome]]:
    schema: JsonObject = {"properties": {"date": node, "total": node}}
    findings = check_omissions(field_labels(schema), read_answer(json.dumps(answer)), Captions(document))
    assert {finding.code for finding in findings} == {"omission.bound"}
    return [(finding.field, finding.outcome) for finding in findings]


@pytest.mark.parametrize(
    "answer", [{"date": None, "total": "9.00"}, {"total": "9.00"}], ids=["empty", "left out"]
)
def test_what_was_not_looked_for_fails_and_says_so(answer: JsonObject) -> None:
    document = Document(RECEIPT)
    document.spend(STEPS_MAX)

    assert bounds(document, OR_NULL, answer) == [("date", Outcome.FAILED)]


@pytest.mark.parametrize(("node", "outcome"), [(TEXT, Outcome.FAILED), (OR_NULL, Outcome.ABSTAINED)])
def test_what_was_looked_for_in_a_part_of_the_document_says_so(node: JsonObject, outcome: Outcome) -> None:
    document = Document("Item 5.00\n" * (VALUES_MAX + 1))

    assert bounds(document, node, {"date": "", "total": "9.00"}) == [("date", outcome)]
