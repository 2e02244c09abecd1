"""A value must be found whole words at a time, and no hostile text may take more than linear time."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.captions import Captions
from verifiers.document import CHARS_MAX, INDEXED_CHARS_MAX, STEPS_MAX, Document, fold, skeleton
from verifiers.misread import in_pieces, near

MEGABYTES = 2_000_000


def texts(document: Document, value: str) -> list[str]:
    return [document.evidence(placed).text for placed in document.skeletal(value)]


@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        pytest.param("ACME Ltd\nYork", "ACME Ltd", ["ACME Ltd"], id="as written"),
        pytest.param("ACME LTD.", "Acme Ltd", ["ACME LTD"], id="case and punctuation"),
        pytest.param(
            "BOOK TA .K(TAMAN DAYA)", "book ta k (taman daya)", ["BOOK TA .K(TAMAN DAYA"], id="spaces"
        ),
        pytest.param("7 Mill\n  Row", "7 Mill Row", ["7 Mill\n  Row"], id="over lines"),
        pytest.param("Straße 4", "STRASSE 4", ["Straße 4"], id="sharp s"),
        pytest.param("ＡＢＣ１２", "abc12", ["ＡＢＣ１２"], id="full width"),
        pytest.param("青石文具有限公司", "文具", ["文具"], id="within Chinese"),
        pytest.param("ACMES Ltd", "ACME", [], id="not the head of a word"),
        pytest.param("MEGAACME", "ACME", [], id="not the tail of a word"),
        pytest.param("LP-20817", "2081", [], id="not the head of a number"),
        pytest.param("a b a b", "a b", ["a b", "a b"], id="each place"),
        pytest.param("x", "", [], id="nothing"),
        pytest.param("x", "-.,", [], id="punctuation only"),
    ],
)
def test_a_value_is_found_by_its_skeleton(text: str, value: str, found: list[str]) -> None:
    assert texts(Document(text), value) == found


@given(words=st.lists(st.text("abcß1ñ中", min_size=1, max_size=5), min_size=1, max_size=8), data=st.data())
def test_any_run_of_words_is_found_whole(words: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first + 1, len(words)))
    value = " ".join(words[first:last])
    document = Document(" ".join(words))

    places = list(document.skeletal(value, limit=100))

    assert places
    assert all(skeleton(document.evidence(placed).text) == skeleton(value) for placed in places)


@given(st.text(max_size=80))
def test_lines_part_the_text_at_line_breaks(text: str) -> None:
    document = Document(text)
    for at in range(len(text)):
        start, end = document.line_of(at)
        assert start <= at <= end
        assert "\n" not in text[start:end]
        assert start == 0 or text[start - 1] == "\n"
        assert end == len(text) or text[end] == "\n"


def test_values_are_found_by_each_reading() -> None:
    document = Document("Total 1.234 on 03/04/2025")

    assert document.amounts[Decimal(1234)] == document.amounts[Decimal("1.234")]
    assert len(document.dates) == 2


def test_a_value_is_verbatim_only_with_its_own_punctuation() -> None:
    document = Document("at (64 Row, York).")
    (placed,) = document.skeletal("64 Row, York")

    assert document.is_verbatim("64 Row, York", placed)
    assert document.is_verbatim("(64 Row, York)", placed)
    assert not document.is_verbatim("64 ROW, York", placed)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a" * MEGABYTES, id="one word"),
        pytest.param("a " * (MEGABYTES // 2), id="one letter again and again"),
        pytest.param("7" * MEGABYTES, id="digits"),
        pytest.param("7 " * (MEGABYTES // 2), id="single digits"),
        pytest.param("1,234" * (MEGABYTES // 5), id="thousands"),
        pytest.param("1." * (MEGABYTES // 2), id="points"),
        pytest.param("1/" * (MEGABYTES // 2), id="slashes"),
        pytest.param(" " * MEGABYTES, id="spaces"),
        pytest.param("\n" * MEGABYTES, id="lines"),
        pytest.param("-" * MEGABYTES, id="dashes"),
        pytest.param("(" * MEGABYTES, id="brackets"),
        pytest.param("may " * (MEGABYTES // 4), id="months"),
        pytest.param("中" * (MEGABYTES // 2), id="Chinese"),
        pytest.param("\u0301" * (MEGABYTES // 2), id="accents of nothing"),
    ],
)
def test_two_megabytes_of_one_thing_are_indexed_in_linear_time(text: str) -> None:
    """A quadratic step would take hours here: that it ends is the test."""
    document = Document(text)
    captions = Captions(document)

    assert len(list(document.skeletal("aaaa 7777 中中"))) == 0
    assert len(captions.amounts) + len(captions.dates) <= len(text)
    assert near(document, "a name that nobody has") is None
    assert in_pieces(document, "one two three four five six") == ()


def test_a_document_is_read_up_to_its_bound() -> None:
    assert len(Document("x" * (CHARS_MAX + 5)).text) == CHARS_MAX


LONG = (
    "Larkspur Paper Ltd 1,250.00\n" * (INDEXED_CHARS_MAX // 28 + 1) + "x\nThe Last Word Ltd\nTotal 7,777.70\n"
)


def test_only_the_first_part_of_a_long_document_is_indexed_and_it_ends_with_a_word() -> None:
    document = Document(LONG)

    assert len(document.indexed) <= INDEXED_CHARS_MAX
    assert document.indexed[-1].isspace()
    assert not document.is_indexed_whole
    assert texts(document, "the last word ltd") == []


@pytest.mark.parametrize(
    ("value", "is_found"),
    [
        ("The Last Word Ltd", True),
        ("7,777.70", True),
        ("Last Word", True),
        ("the last word ltd", False),
        ("ast Word", False),
        ("777.7", False),
        ("", False),
    ],
)
def test_behind_that_part_a_value_is_found_to_the_letter_alone(value: str, is_found: bool) -> None:
    document = Document(LONG)
    place = document.beyond(value)

    assert (place is not None) is is_found
    if place is not None:
        assert document.evidence(place).text == value
        start, end = document.line_of(place.start)
        assert LONG[start:end] in ("The Last Word Ltd", "Total 7,777.70")


def test_nothing_stands_behind_a_document_that_is_indexed_whole() -> None:
    document = Document("Total 5.00")

    assert document.is_indexed_whole
    assert document.beyond("5.00") is None


def test_a_value_is_found_in_a_long_text_as_in_a_short_one() -> None:
    """Long texts are searched by words first: what stands glued together must still be found."""
    filler = "lorem ipsum " * 5_000
    document = Document(filler + "YONGFATT ENTERPRISE\nBOOK TA .K\n")

    assert texts(document, "Yongfatt Enterprise") == ["YONGFATT ENTERPRISE"]
    assert texts(document, "YONGFATTENTERPRISE") == ["YONGFATT ENTERPRISE"]
    assert texts(document, "book tak") == ["BOOK TA .K"]
    assert texts(document, "ipsum enterprise") == []
    assert len(texts(document, "lorem")) == 8


def test_steps_are_counted_and_run_out() -> None:
    document = Document("a")

    assert document.spend(STEPS_MAX - 1)
    assert not document.is_spent
    assert not document.spend(1)
    assert document.is_spent


@given(st.text(max_size=20))
def test_folding_twice_changes_nothing(word: str) -> None:
    assert fold(fold(word)) == fold(word) or not word.isascii()


@pytest.mark.parametrize("are_dates", [False, True], ids=["amounts", "dates"])
@pytest.mark.parametrize("behind", [0, INDEXED_CHARS_MAX], ids=["indexed", "behind the index"])
def test_the_values_of_a_part_are_those_that_begin_in_it(behind: int, *, are_dates: bool) -> None:
    lines = [f"2026-03-{day:02} paid {day}.25\n" for day in range(1, 10)]
    text = "word\n" * (behind // 4) + "".join(lines)
    start = text.index(lines[3])
    document = Document(text)
    values = document.values_between(start, start + len(lines[3] + lines[4]), are_dates=are_dates)
    found = [text[each.start : each.end] for each in values]
    expected = ["2026-03-04", "2026-03-05"] if are_dates else ["4.25", "5.25"]
    assert [each for each in found if each in expected] == expected
    assert not are_dates or found == expected
    assert not any("2026-03-06" in each or each == "6.25" for each in found)
