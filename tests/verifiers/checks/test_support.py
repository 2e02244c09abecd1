"""A value must stand in the document, and the finding must say how and where."""

import json

import pytest

from verifiers.answer import read_answer
from verifiers.checks.support import check_support
from verifiers.document import INDEXED_CHARS_MAX, STEPS_MAX, Document
from verifiers.json_types import JsonValue
from verifiers.labels import NO_LABEL, Label
from verifiers.verdict import Outcome

TEXT = """YONGFATT ENTERPRISE  (JM0517726)
NO 122, JALAN DEDAP 13, 81100 JOHOR BAHRU
DOC NO 00031663  DATE 25/12/2018
Lieferung vom 3. März 2026
TOTAL RM 1,080.90
Gutschrift -£64.20
合计 ¥1,130.00
"""


def supported(value: JsonValue, text: str = TEXT, label: Label = NO_LABEL) -> tuple[str, str | None]:
    (leaf,) = read_answer(json.dumps({"f": value})).leaves
    finding = check_support(Document(text), leaf, label).finding
    evidence = finding.evidence
    if evidence is not None:
        assert text[evidence.start : evidence.end] == evidence.text
    return finding.code, evidence.text if evidence is not None else None


@pytest.mark.parametrize(
    ("value", "code", "evidence"),
    [
        pytest.param("YONGFATT ENTERPRISE", "exact", "YONGFATT ENTERPRISE", id="as written"),
        pytest.param("Yongfatt Enterprise", "folded", "YONGFATT ENTERPRISE", id="another case"),
        pytest.param("YONGFETT ENTERPRISE", "near", "YONGFATT ENTERPRISE", id="a letter misread"),
        pytest.param("1,080.90", "exact", "1,080.90", id="amount as written"),
        pytest.param("RM 1,080.90", "exact", "1,080.90", id="amount with its currency as written"),
        pytest.param("1.080,90 MYR", "amount", "1,080.90", id="amount in another style"),
        pytest.param(1080.9, "amount", "1,080.90", id="number"),
        pytest.param(-64.2, "amount", "64.20", id="negative number"),
        pytest.param(1.0809e3, "amount", "1,080.90", id="number with an exponent"),
        pytest.param("25/12/2018", "exact", "25/12/2018", id="date as written"),
        pytest.param("2018-12-25", "date", "25/12/2018", id="date in another order"),
        pytest.param("2026-03-03", "date", "3. März 2026", id="date in another language"),
        pytest.param("00031663", "exact", "00031663", id="an identifier of digits"),
        pytest.param("合计", "exact", "合计", id="Chinese"),
        pytest.param(
            "JALAN DEDAP 13, 81100 JOHOR BAHRU NO 122",
            "pieces",
            "NO 122, JALAN DEDAP 13, 81100 JOHOR BAHRU",
            id="in another order",
        ),
    ],
)
def test_a_value_is_supported_by_its_place(value: JsonValue, code: str, evidence: str) -> None:
    assert supported(value) == (f"support.{code}", evidence)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("ACME Ltd", id="another name"),
        pytest.param("ENTERPRIS", id="a word cut off"),
        pytest.param("1,080.91", id="another amount"),
        pytest.param(80.9, id="the end of an amount"),
        pytest.param("64.20", id="another sign"),
        pytest.param("26/12/2018", id="another day"),
        pytest.param("NO 123, JALAN DEDAP 13, 81100 JOHOR BAHRU", id="another house"),
        pytest.param("0003166", id="an identifier cut off"),
        pytest.param("x" * 10_000, id="endless"),
        pytest.param("\ud800", id="a lone surrogate"),
    ],
)
def test_a_value_that_does_not_stand_there_fails(value: JsonValue) -> None:
    code, _ = supported(value)

    assert code in ("support.unsupported", "support.nothing")


@pytest.mark.parametrize("value", [None, True, False, "", "  ", "-"])
def test_what_no_document_could_hold_is_abstained_from(value: JsonValue) -> None:
    (leaf,) = read_answer(json.dumps({"f": value})).leaves

    assert check_support(Document(TEXT), leaf).finding.outcome is Outcome.ABSTAINED


def test_every_place_of_a_value_is_found() -> None:
    (leaf,) = read_answer('"5.00"').leaves

    assert len(check_support(Document("5.00 and 5,00 and RM5.00"), leaf).places) == 3


@pytest.mark.parametrize(
    ("text", "value", "evidence"),
    [
        pytest.param("Total GBP 486.00", "EUR 486.00", "GBP 486.00", id="codes"),
        pytest.param("Total GBP 486.00", "€486.00", "GBP 486.00", id="a sign for a code"),
        pytest.param("Total £486.00", "486.00 EUR", "£486.00", id="before and behind"),
        pytest.param("Gesamt 1.248,31 EUR", "1.248,31 CHF", "1.248,31 EUR", id="behind both"),
        pytest.param("TOTAL (RM):  9.00", "USD 9.00", "RM):  9.00", id="in brackets before a colon"),
        pytest.param("Total CAD 5.00", "US$5.00", "CAD 5.00", id="another dollar"),
        pytest.param("Tea 5.00 GBP\nTotal 9.00", "EUR 9.00", "GBP", id="named elsewhere only"),
    ],
)
def test_an_amount_in_another_currency_fails(text: str, value: str, evidence: str) -> None:
    assert supported(value, text) == ("support.other_currency", evidence)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("Total $5.00", "USD 5.00", id="dollars"),
        pytest.param("Total $5.00", "SGD 5.00", id="a sign that may be another dollar"),
        pytest.param("Total RM 5.00", "MYR 5.00", id="ringgit"),
        pytest.param("Total 5,00 EUR", "€5,00", id="euro"),
        pytest.param("Total £5.00", "GBP 5.00", id="pound"),
        pytest.param("合计 ¥5.00", "CNY 5.00", id="yuan"),
        pytest.param("Total ¥5.00", "5.00 JPY", id="yen"),
        pytest.param("Total Rs. 5.00", "INR 5.00", id="rupee"),
        pytest.param("Total 5.00", "EUR 5.00", id="the document names none"),
        pytest.param("Total EUR 5.00", "5.00", id="the value names none"),
        pytest.param("CUP 3.50\nTotal 3.50", "USD 3.50", id="a word is no currency"),
        pytest.param("GBP 5.00 (EUR 5.00)", "EUR 5.00", id="one of two"),
        pytest.param("5.00 GBP 7.00 EUR", "7.00 EUR", id="between two"),
    ],
)
def test_an_amount_in_the_documents_currency_passes(text: str, value: str) -> None:
    assert supported(value, text)[0] in ("support.exact", "support.amount")


@pytest.mark.parametrize(
    ("value", "code"), [("EUR", "support.currency"), ("€", "support.nothing"), ("USD", "support.unsupported")]
)
def test_a_currency_is_supported_by_any_of_its_names(value: str, code: str) -> None:
    assert supported(value, "Gesamt 5,00 €")[0] == code


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("Tea 4471.00", "INV 4471", id="letters and the number of an amount"),
        pytest.param("Tea 4471.00", "CHF 4471", id="a currency's letters"),
        pytest.param("Total 1,234.50", "1234.5", id="an amount itself"),
    ],
)
def test_an_identifier_is_supported_by_no_amount(text: str, value: str) -> None:
    assert supported(value, text, Label(None, ("invoice number",)))[0] == "support.unsupported"


def test_a_value_of_the_schemas_own_is_abstained_from_where_the_document_does_not_hold_it() -> None:
    chosen = Label(None, ("payment",), is_chosen=True)

    assert supported("bank_transfer", TEXT, chosen)[0] == "support.chosen"
    assert supported("Lieferung", TEXT, chosen)[0] == "support.exact"


TEXTS = {
    "one letter": "a " * 25_000,
    "long words": " ".join("x" * 39 + letter for letter in "yz" * 600),
    "amounts": "Total 5.00\n" * 20_000,
    "numbers": "\n".join(map(str, range(50_000))),
    "words": "amber birch cedar daisy elder fern grass hazel ivy juniper kelp lotus maple nettle " * 2_500,
    "megabytes": "a" * 2_000_000,
}
VALUES = {
    "one letter": "a",
    "letters": "a " * 100 + "b",
    "long words": " ".join("x" * 38 + letter for letter in "yyzz" * 2),
    "amount": "5.00",
    "names": "birch amber daisy cedar fern elder hazel grass juniper ivy",
    "absent": "nobody has such a name at all",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_two_thousand_fields_take_a_bounded_number_of_steps_and_none_is_passed_over(
    text: str, value: str
) -> None:
    leaves = read_answer(
        json.dumps([f"{value} " for _ in range(1_000)] + [f"{value}." for _ in range(1_000)])
    ).leaves
    document = Document(text)

    findings = [check_support(document, leaf).finding for leaf in leaves]

    assert document.steps_left > -STEPS_MAX // 10
    late = [finding for finding in findings if finding.code == "support.bound"]
    assert all(finding.outcome is Outcome.FAILED for finding in late)
    if document.is_spent:
        assert late
        assert findings[-1] is late[-1]


def test_a_value_behind_what_is_indexed_is_supported_to_the_letter_or_says_so() -> None:
    text = "lorem ipsum " * (INDEXED_CHARS_MAX // 12 + 1) + "\nTotal EUR 7,777.70\n"

    assert supported("7,777.70", text) == ("support.exact", "7,777.70")
    assert supported("7777.7", text) == ("support.bound", None)
    assert supported("Acme Ltd", text) == ("support.bound", None)
    assert supported("lorem ipsum", text)[0] == "support.exact"
