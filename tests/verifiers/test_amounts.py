"""An amount must be read as its writer meant it, in either style of separators."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.amounts import find_amounts, readings


def decimals(*texts: str) -> set[Decimal]:
    return {Decimal(text) for text in texts}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("12", ["12"], id="whole"),
        pytest.param("12.50", ["12.50"], id="point"),
        pytest.param("12,50", ["12.50"], id="comma"),
        pytest.param("12,5", ["12.5"], id="one decimal"),
        pytest.param("1,234.56", ["1234.56"], id="English"),
        pytest.param("1.234,56", ["1234.56"], id="German"),
        pytest.param("1 234,56", ["1234.56"], id="French, space"),
        pytest.param("1\u202f234,56", ["1234.56"], id="French, narrow space"),
        pytest.param("1'234.56", ["1234.56"], id="Swiss"),
        pytest.param("12,34,567.00", ["1234567.00"], id="Indian"),
        pytest.param("1.234.567", ["1234567"], id="points only"),
        pytest.param("1,234", ["1234", "1.234"], id="one comma: either"),
        pytest.param("1.234", ["1234", "1.234"], id="one point: either"),
        pytest.param("0.1234", ["0.1234"], id="four decimals"),
        pytest.param(".57", ["0.57"], id="no leading zero"),
        pytest.param("RM 28.95", ["28.95"], id="ringgit"),
        pytest.param("RM111.90", ["111.90"], id="ringgit without a space"),
        pytest.param("$1,220.00", ["1220.00"], id="dollar"),
        pytest.param("US$5.00", ["5.00"], id="US dollar"),
        pytest.param("1.248,31 EUR", ["1248.31"], id="euro behind"),
        pytest.param("3 120,00 €", ["3120.00"], id="euro sign behind"),
        pytest.param("CHF 940.00", ["940.00"], id="franc"),
        pytest.param("¥4,180", ["4180", "4.180"], id="yen"),
        pytest.param("46.50元", ["46.50"], id="yuan behind"),
        pytest.param("-£64.20", ["-64.20"], id="minus before the currency"),
        pytest.param("£-64.20", ["-64.20"], id="minus behind the currency"),
        pytest.param("\u221264.20", ["-64.20"], id="a true minus"),
        pytest.param("(64.20)", ["-64.20"], id="brackets"),
        pytest.param("($64.20)", ["-64.20"], id="brackets around a currency"),
        pytest.param("64.20-", ["-64.20"], id="minus behind"),
        pytest.param("+64.20", ["64.20"], id="plus"),
    ],
)
def test_a_text_is_read_as_the_amount_it_says(text: str, expected: list[str]) -> None:
    assert readings(text) == decimals(*expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "total",
        "12 apples",
        "12.5.3,4,5",
        "4471-B",
        "1.2.3.4,5,6",
        "--5",
        "9" * 41,
        "٫",
        "²",
        "INV 4471",
        "QTY 5",
        "usd 5.00",
    ],
)
def test_what_is_no_amount_has_no_reading(text: str) -> None:
    assert readings(text) == set()


def found(text: str) -> list[tuple[str, frozenset[object]]]:
    return [(text[each.start : each.end], frozenset(each.readings)) for each in find_amounts(text)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        pytest.param("TOTAL  RM 33.92", ["33.92"], id="after a currency"),
        pytest.param("RM28.95 2x5.00", ["28.95", "2"], id="letters before digits are no currency"),
        pytest.param("JALAN X6 T4 R000027830", [], id="digits at the end of words"),
        pytest.param("2 600,00 €  520,00 €", ["2 600,00", "520,00"], id="spaces within, gaps between"),
        pytest.param("1,49,-", ["1,49"], id="German dash for cents"),
        pytest.param("RM .57", [".57"], id="no leading zero"),
        pytest.param("ends. 5 begins", ["5"], id="the end of a sentence"),
        pytest.param("TTL9.00", ["9.00"], id="a space that a scanner dropped"),
    ],
)
def test_amounts_are_found_where_they_stand(text: str, numbers: list[str]) -> None:
    assert [number for number, _ in found(text)] == numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("CASH -50.00", {"-50.00"}, id="a minus counts"),
        pytest.param("-RM 0.02", {"-0.02"}, id="before the currency too"),
        pytest.param("at (CHF 0.10", {"0.10", "-0.10"}, id="a bracket may be just a bracket"),
        pytest.param("64.20- ", {"64.20", "-64.20"}, id="a dash behind may be just a dash"),
        pytest.param("D-24937", {"24937"}, id="a hyphen after a letter is no minus"),
        pytest.param("INV-4471", {"4471"}, id="nor after three that are no currency"),
    ],
)
def test_a_sign_in_a_document_counts_where_it_must_be_one(text: str, expected: set[str]) -> None:
    assert [meant for _, meant in found(text)] == [decimals(*expected)]


@given(
    cents=st.integers(-(10**11), 10**11),
    style=st.sampled_from([",.", ".,", " ,", "'.", "\u00a0,", "\u202f,"]),
    currency=st.sampled_from(["", "$", "€ ", "RM ", "CHF "]),
)
def test_what_is_written_in_a_style_is_read_back(cents: int, style: str, currency: str) -> None:
    value = Decimal(cents).scaleb(-2)
    thousands, mark = style[0], style[1]
    digits = f"{abs(value):,.2f}".replace(",", "t").replace(".", mark).replace("t", thousands)
    written = f"{'-' if cents < 0 else ''}{currency}{digits}"

    assert readings(written) == {value}
    assert [meant for _, meant in found(f"Sum: {written} in all")] == [{value}]


@given(st.text(max_size=60))
def test_no_text_makes_it_raise_and_every_span_is_a_number(text: str) -> None:
    assert len(readings(text)) <= 2
    for each in find_amounts(text):
        assert any(map(str.isdigit, text[each.start : each.end]))
        assert each.readings
