"""A scanner's mistakes are forgiven in letters, never in digits, and never where a word was cut off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.document import Document
from verifiers.misread import in_pieces, near


def near_text(text: str, value: str) -> str | None:
    document = Document(text)
    placed = near(document, value)
    return document.evidence(placed).text if placed is not None else None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(
            "MR D.T.Y. (JOHOR BAHRU) SDN BND", "MR D.I.Y. (JOHOR BAHRU) SDN BHD", id="other letters"
        ),
        pytest.param("HAPPY SNACKS ENTYERPRISE", "HAPPY SNACKS ENTERPRISE", id="a letter too many"),
        pytest.param("29 AIR PANAS STAPAK", "29 AIR PANAS SETAPAK", id="a letter missing"),
        pytest.param("Bäckerei Holm GmbH", "Backerei Holm GmbH", id="an accent missing"),
    ],
)
def test_a_few_letters_may_be_misread(text: str, value: str) -> None:
    assert near_text(f"Receipt\n{text}\nTotal", value) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("12 JALAN PERMAS 81760 JOHOR", "12 JALAN PERMAS 81750 JOHOR", id="a digit"),
        pytest.param("YONGFATT ENTERPRISE", "YONGFATT ENTERPRIS", id="the end of a word cut off"),
        pytest.param("TEO HENG STATIONERY", "LEO PENG STATIONARY", id="too many letters"),
        pytest.param("TEO HENG", "TEA HENG", id="too short to tell"),
        pytest.param("NORTH GATE HARDWARE STORE", "NORTHGATE HARDWARE STORE NO", id="other words"),
    ],
)
def test_what_differs_in_earnest_is_not_near(text: str, value: str) -> None:
    assert near_text(text, value) is None


COLUMNS = """LIGHTROOM GALLERY
BANDAR BUKIT RAJA, 41050  NO: 28, JALAN ASTANA 1C,
KLANG SELANGOR D.E, MALAYSIA
"""


def test_an_address_that_columns_tore_apart_is_found_in_pieces() -> None:
    document = Document(COLUMNS)
    pieces = in_pieces(
        document, "NO: 28, JALAN ASTANA 1C, BANDAR BUKIT RAJA, 41050 KLANG SELANGOR D.E, MALAYSIA"
    )

    assert [document.evidence(piece).text for piece in pieces] == [
        "NO: 28, JALAN ASTANA 1C",
        "BANDAR BUKIT RAJA, 41050",
        "KLANG SELANGOR D.E, MALAYSIA",
    ]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(
            "NO: 29, JALAN ASTANA 1C, BANDAR BUKIT RAJA, 41050 KLANG", id="a digit that is not there"
        ),
        pytest.param("GALLERY RAJA 28 MALAYSIA 41050 KLANG BUKIT", id="single words from all over"),
        pytest.param("NO: 28, BANDAR BUKIT", id="too short"),
    ],
)
def test_words_from_here_and_there_are_no_pieces(value: str) -> None:
    assert in_pieces(Document(COLUMNS), value) == ()


def test_pieces_that_stand_far_apart_are_no_value() -> None:
    text = "Harbour Road 12 York" + " and so on" * 40 + " Annex B Second Floor"

    assert in_pieces(Document(text), "Harbour Road 12 York Annex B Second Floor") == ()


@given(words=st.lists(st.text("abcd", min_size=4, max_size=9), min_size=3, max_size=6), data=st.data())
def test_one_wrong_letter_in_ten_is_near_unless_it_cuts_a_word_off(
    words: list[str], data: st.DataObject
) -> None:
    at = data.draw(st.integers(1, len(words) - 1))
    wrong = [*words[:at], "x" + words[at][1:], *words[at + 1 :]]

    assert near_text(" ".join(words), " ".join(wrong)) == " ".join(words)
