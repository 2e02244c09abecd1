"""A name or an address that the document goes on with was cut off."""

import json

import pytest

from verifiers.answer import read_answer
from verifiers.checks.completeness import check_completeness
from verifiers.checks.support import check_support
from verifiers.document import Document
from verifiers.labels import Kind, Label
from verifiers.verdict import Finding, Outcome


def checked(text: str, value: str, kind: Kind | None) -> Finding | None:
    (leaf,) = read_answer(json.dumps(value)).leaves
    document = Document(text)
    places = check_support(document, leaf).places
    assert places
    return check_completeness(document, leaf, places, Label(kind, ()))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("Larkspur Paper Ltd\n7 Mill Row", "Larkspur Paper Ltd", id="a whole line"),
        pytest.param("99 SPEED MART S/B (519537-X)", "99 SPEED MART S/B", id="a registration number behind"),
        pytest.param("Fenwick Timber Co., Dockside 3", "Fenwick Timber Co.", id="a comma behind"),
        pytest.param("Brightwater Utilities    CREDIT NOTE", "Brightwater Utilities", id="a gap behind"),
        pytest.param("| Acme Works | 12 |", "Acme Works", id="a table"),
        pytest.param("From: Ines Halvorsen <ines@x.example>", "Ines Halvorsen", id="an address behind"),
        pytest.param("made between Orchard School Trust and Calder", "Orchard School Trust", id="prose"),
        pytest.param(
            "Okonjo Translation charges for the work", "Okonjo Translation", id="small letters go on"
        ),
        pytest.param("Kumo Books (Sakaemachi)", "Kumo Books", id="a branch in brackets"),
        pytest.param("好邻居便利店\n日期", "好邻居便利店", id="Chinese"),
    ],
)
def test_a_whole_name_passes(text: str, value: str) -> None:
    finding = checked(text, value, Kind.NAME)

    assert finding is not None
    assert finding.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("SAM SAM TRADING CO", "SAM SAM", id="words follow"),
        pytest.param("99 SPEED MART S/B", "99", id="a name that begins with a number"),
        pytest.param("DOMINO'S PIZZA", "DOMINO'S", id="after an apostrophe"),
        pytest.param("L TWO FLORIST & HANDICRAFT", "L TWO FLORIST", id="an ampersand follows"),
        pytest.param("L TWO FLORIST & HANDICRAFT", "L TWO FLORIST &", id="ends with an ampersand"),
        pytest.param("HOME MASTER HARDWARE &\nELECTRICAL", "HOME MASTER HARDWARE", id="over the line"),
        pytest.param("MR D.I.Y. (JOHOR) SDN BHD", "MR D.I.Y. (JOHOR)", id="a legal form follows"),
        pytest.param("MR D.I.Y. (JOHOR) SDN BHD", "MR D.I.Y.", id="brackets and more follow"),
        pytest.param("TOKYO KITCHEN (CITTA MALL)", "TOKYO KITCHEN (CITTA", id="an open bracket"),
        pytest.param("POPULAR BOOK\nCO. (M) SDN BHD", "POPULAR BOOK", id="a legal form on the next line"),
        pytest.param("Halden Instruments, Inc.\n", "Halden Instruments", id="a legal form after a comma"),
        pytest.param(
            "between Calder Cleaning Services Ltd and", "Calder Cleaning Services", id="a legal form in prose"
        ),
        pytest.param("Vendor: Holm Bakery GmbH", "Holm Bakery", id="after a label"),
        pytest.param("#000002 BAIFU (M) SDN BHD", "BAIFU", id="after a number"),
        pytest.param("MR. D.I.Y. (M)", "MR. D.I", id="between initials"),
        pytest.param("BEN'S GROCER\nBENS GROCER SDN BHD", "BENS GROCER", id="a legal form elsewhere"),
    ],
)
def test_a_name_that_goes_on_was_cut_off(text: str, value: str) -> None:
    finding = checked(text, value, Kind.NAME)

    assert finding is not None
    assert finding.code == "completeness.cut_off"


ADDRESS = """ACME
NO 2A, JALAN COCHRANE,
TAMAN MALURI
55100 KUALA LUMPUR
TEL : 03-40210276
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(
            ADDRESS, "NO 2A, JALAN COCHRANE, TAMAN MALURI 55100 KUALA LUMPUR", id="up to the telephone"
        ),
        pytest.param("1 Mill Row, York,\nGST NO: 5", "1 Mill Row, York,", id="a comma before another thing"),
        pytest.param("1 Mill Row, York\n\nInvoice, due", "1 Mill Row, York", id="a blank line"),
        pytest.param("40400 SHAH ALAM  FAX: 03", "40400 SHAH ALAM", id="another column"),
        pytest.param("40400 SHAH ALAM TEL: 03", "40400 SHAH ALAM", id="a telephone on the line"),
        pytest.param("Deichstraße 4, 24937 Flensburg", "Deichstraße 4, 24937 Flensburg", id="German"),
        pytest.param(
            "12 quai des Brumes, 29200 Brest\n\nFacture", "12 quai des Brumes, 29200 Brest", id="French"
        ),
        pytest.param("at Seestrasse 88, Rorschach, and pays", "Seestrasse 88, Rorschach", id="prose"),
        pytest.param("81100 JOHOR BAHRU", "81100 JOHOR BAHRU", id="the end of the text"),
    ],
)
def test_a_whole_address_passes(text: str, value: str) -> None:
    finding = checked(text, value, Kind.ADDRESS)

    assert finding is not None
    assert finding.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(ADDRESS, "NO 2A", id="within a line"),
        pytest.param(ADDRESS, "NO 2A, JALAN", id="between words"),
        pytest.param(ADDRESS, "NO 2A, JALAN COCHRANE", id="at the end of a line"),
        pytest.param(ADDRESS, "NO 2A, JALAN COCHRANE, TAMAN MALURI", id="before the postcode"),
        pytest.param(ADDRESS, "NO 2A, JALAN COCHRANE, TAMAN MALURI 55100 KUALA", id="within the town"),
        pytest.param("LOT 1851-A & 1851-B, JALAN KPB", "LOT 1851-A", id="before an ampersand"),
        pytest.param("Deichstraße 4, 24937 Flensburg", "Deichstraße 4", id="German"),
        pytest.param(
            "Deichstraße 4\nHinterhaus\n24937 Flensburg", "Deichstraße 4", id="the postcode two lines on"
        ),
    ],
)
def test_an_address_that_goes_on_was_cut_off(text: str, value: str) -> None:
    finding = checked(text, value, Kind.ADDRESS)

    assert finding is not None
    assert finding.code == "completeness.cut_off"


@pytest.mark.parametrize(
    ("text", "value", "code"),
    [
        pytest.param("Invoice HI 4471-B  issued", "HI 4471", "cut_off", id="an identifier"),
        pytest.param("Invoice HI 4471-B  issued", "HI 4471-B", "whole", id="a whole identifier"),
        pytest.param("Subject: Figures for May", "Figures", "whole", id="a single word says nothing"),
        pytest.param("Title: Grey Harbour Nights", "Grey Harbour", "cut_off", id="a title"),
        pytest.param("we saw Grey Harbour Nights", "Grey Harbour", "whole", id="in prose"),
        pytest.param("Grey Harbour Nights\nGrey Harbour", "Grey Harbour", "whole", id="whole somewhere"),
    ],
)
def test_other_texts_are_cut_off_where_that_is_plain(text: str, value: str, code: str) -> None:
    finding = checked(text, value, None)

    assert finding is not None
    assert finding.code == f"completeness.{code}"


@pytest.mark.parametrize("value", ["5.00", "09.01.2026"])
def test_amounts_and_dates_are_no_texts(value: str) -> None:
    assert checked(f"{value} EUR", value, Kind.TOTAL) is None


def test_the_evidence_shows_how_the_line_goes_on() -> None:
    finding = checked("Shop\nSAM SAM TRADING CO\nYork", "SAM SAM", Kind.NAME)

    assert finding is not None
    assert finding.evidence is not None
    assert finding.evidence.text == "SAM SAM TRADING CO"


@pytest.mark.parametrize(
    ("text", "value", "evidence"),
    [
        pytest.param("Acme Coffee Ltd\n7 Mill Row", "Coffee Ltd", "Acme Coffee Ltd", id="a word"),
        pytest.param("SAM SAM TRADING CO", "TRADING CO", "SAM SAM TRADING CO", id="two words"),
        pytest.param("Vendor: Acme Coffee Ltd", "Coffee Ltd", "Acme Coffee Ltd", id="after a label"),
        pytest.param("Invoice      Acme Coffee Ltd", "Coffee Ltd", "Acme Coffee Ltd", id="after a gap"),
        pytest.param("FLORIST & HANDICRAFT", "HANDICRAFT", "FLORIST & HANDICRAFT", id="an ampersand before"),
        pytest.param("DOMINO'S PIZZA", "S PIZZA", "DOMINO'S PIZZA", id="after an apostrophe"),
    ],
)
def test_a_name_that_lost_its_first_words_is_a_part(text: str, value: str, evidence: str) -> None:
    finding = checked(text, value, Kind.NAME)

    assert finding is not None
    assert finding.code == "completeness.part"
    assert finding.evidence is not None
    assert finding.evidence.text == evidence


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("Sold by Acme Ltd", "Acme Ltd", id="a preposition"),
        pytest.param("Vendor Acme Ltd", "Acme Ltd", id="a label without a colon"),
        pytest.param("INVOICE Acme Ltd", "Acme Ltd", id="a title"),
        pytest.param("Mr Tomas Reed", "Tomas Reed", id="a form of address"),
        pytest.param("#000002 BAIFU (M) SDN BHD", "BAIFU (M) SDN BHD", id="a number"),
        pytest.param("Acme Coffee Ltd\nCoffee Ltd", "Coffee Ltd", id="whole somewhere"),
        pytest.param("the firm Acme Ltd pays", "Acme Ltd", id="small letters before"),
        pytest.param(
            f"We have it in writing that Orchard School Trust {'pays and ' * 5}pays",
            "School Trust",
            id="prose",
        ),
    ],
)
def test_what_stands_before_a_whole_name_is_no_part_of_it(text: str, value: str) -> None:
    finding = checked(text, value, Kind.NAME)

    assert finding is not None
    assert finding.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Date: 25/12/2018", "25/12"),
        ("Date: 14 March 2026", "14 March"),
        ("Date: March 14, 2026", "March 14"),
        ("Date: 14 March 2026", "March 2026"),
        ("Date: 25/12/2018", "2018"),
        ("Datum: 3. März 2026", "3. März"),
    ],
)
def test_a_date_without_its_year_or_day_is_a_part(text: str, value: str) -> None:
    finding = checked(text, value, Kind.DATE)

    assert finding is not None
    assert finding.code in ("completeness.part", "completeness.cut_off")
    assert finding.evidence is not None
    assert finding.evidence.text in text


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        pytest.param("due on 14 March", "14 March", Kind.DUE, id="no year in the document"),
        pytest.param("Date: 14 March 2026\nshow on 14 March", "14 March", Kind.DATE, id="whole somewhere"),
        pytest.param("Date: 14 March 2026", "March 2026", None, id="a field that is no date"),
    ],
)
def test_a_part_of_a_date_passes_where_it_may_be_all(text: str, value: str, kind: Kind | None) -> None:
    finding = checked(text, value, kind)

    assert finding is not None
    assert finding.outcome is Outcome.PASSED
