"""An amount or a date beside the wrong words is probably the neighbour of the right one."""

import json

import pytest

from verifiers.answer import read_answer
from verifiers.captions import VALUES_MAX, Captions
from verifiers.checks.rivals import check_rivals
from verifiers.checks.support import check_support
from verifiers.document import Document
from verifiers.labels import NO_LABEL, Kind, Label
from verifiers.verdict import Finding, Outcome

RECEIPT = """Tea pot          3.20
2 x Scone        5.02
SUB TOTAL        8.22
GST 6%           0.47
TOTAL            8.22
ROUNDING        -0.02
TOTAL ROUNDED    8.20
CASH            20.00
CHANGE          11.80
"""
PAID = """QTY 8        19.20
ROUNDING ADJ  0.00
SUM          19.20
PAY          20.00
CHANGE        0.80
TOTAL POINTS 42.00
"""
INVOICE = """Rechnungsdatum: 09.01.2026
Lieferdatum: 07.01.2026
Zahlbar bis 23.01.2026
"""


def checked(
    text: str, value: str, kind: Kind | None, path: str = "f", names: tuple[str, ...] = ()
) -> Finding | None:
    (leaf,) = (
        each for each in read_answer(json.dumps({"f": value, "items": [value]})).leaves if each.path == path
    )
    document = Document(text)
    places = check_support(document, leaf).places
    assert places
    return check_rivals(Captions(document), leaf, places, Label(kind, names))


@pytest.mark.parametrize(
    ("text", "value", "kind", "code"),
    [
        pytest.param(RECEIPT, "8.20", Kind.TOTAL, "rivals.paid", id="what was paid"),
        pytest.param(RECEIPT, "3.20", Kind.TOTAL, "rivals.not_paid", id="an item"),
        pytest.param(RECEIPT, "0.47", Kind.TOTAL, "rivals.not_paid", id="the tax"),
        pytest.param(RECEIPT, "20.00", Kind.TOTAL, "rivals.not_paid", id="the cash"),
        pytest.param(RECEIPT, "8.22", Kind.TOTAL, "rivals.better_captioned", id="before rounding"),
        pytest.param(RECEIPT, "8.22", Kind.NET, "rivals.none", id="the net amount"),
        pytest.param(
            RECEIPT, "8.20", Kind.NET, "rivals.better_captioned", id="the gross amount as the net one"
        ),
        pytest.param(RECEIPT, "0.47", Kind.TAX, "rivals.none", id="the tax itself"),
        pytest.param(PAID, "19.20", Kind.TOTAL, "rivals.paid", id="without a word for total"),
        pytest.param(PAID, "0.80", Kind.TOTAL, "rivals.not_paid", id="the change"),
        pytest.param(INVOICE, "09.01.2026", Kind.DATE, "rivals.none", id="the date"),
        pytest.param(
            INVOICE, "07.01.2026", Kind.DATE, "rivals.better_captioned", id="the delivery's as the date"
        ),
        pytest.param(INVOICE, "07.01.2026", Kind.DELIVERY, "rivals.none", id="the delivery's"),
        pytest.param(
            INVOICE, "09.01.2026", Kind.DELIVERY, "rivals.better_captioned", id="the date as the delivery's"
        ),
        pytest.param(INVOICE, "2026-01-23", Kind.DUE, "rivals.none", id="the due date"),
        pytest.param(
            "CARD EXPIRY 30/09/18\n01/03/18 18:47",
            "30/09/18",
            Kind.DATE,
            "rivals.other_caption",
            id="an expiry",
        ),
        pytest.param(
            "Subtotal 5.00\nsomething 6.00", "5.00", Kind.TOTAL, "rivals.other_caption", id="net as total"
        ),
        pytest.param("Subtotal 5.00", "5.00", Kind.TOTAL, "rivals.none", id="the only amount"),
        pytest.param(
            "TOTAL 12 ITEMS\nSum of all: 6.00", "6.00", Kind.TOTAL, "rivals.none", id="a count is no rival"
        ),
    ],
)
def test_the_words_and_sums_of_a_document_choose(text: str, value: str, kind: Kind, code: str) -> None:
    finding = checked(text, value, kind)

    assert finding is not None
    assert finding.code == code
    assert finding.outcome is (Outcome.PASSED if code in ("rivals.paid", "rivals.none") else Outcome.FAILED)


@pytest.mark.parametrize(
    ("value", "rival"),
    [pytest.param("3.20", "8.20", id="by payment"), pytest.param("8.22", "8.20", id="by caption")],
)
def test_the_evidence_is_the_rival(value: str, rival: str) -> None:
    finding = checked(RECEIPT, value, Kind.TOTAL)

    assert finding is not None
    assert finding.evidence is not None
    assert finding.evidence.text == rival
    assert RECEIPT[finding.evidence.start : finding.evidence.end] == rival


def test_a_field_of_no_kind_is_held_to_its_own_name() -> None:
    text = "Deposit 40.00\nRent 900.00"

    right, wrong = (checked(text, value, None, names=("deposit",)) for value in ("40.00", "900.00"))

    assert right is not None
    assert right.code == "rivals.none"
    assert wrong is not None
    assert wrong.code == "rivals.better_captioned"


def test_a_kind_of_dates_says_nothing_about_an_amount() -> None:
    finding = checked("Total 5.00\n6.00", "6.00", Kind.DUE)

    assert finding is not None
    assert finding.code == "rivals.none"


def test_items_have_no_rivals() -> None:
    """In a list each of many values is the right one somewhere."""
    assert checked(RECEIPT, "3.20", Kind.TOTAL, path="items[0]") is None


def test_a_text_has_no_rivals() -> None:
    assert checked(RECEIPT, "Tea pot", Kind.TOTAL) is None


def test_a_book_of_figures_has_no_rivals() -> None:
    assert checked("Total 5.00\n" + "6.00\n" * VALUES_MAX, "6.00", Kind.TOTAL) is None


def test_an_unsupported_value_is_not_compared() -> None:
    (leaf,) = read_answer('"7.77"').leaves

    assert check_rivals(Captions(Document(RECEIPT)), leaf, (), NO_LABEL) is None
