"""A date must be read in each order and language in which documents write it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers.dates import find_dates, readings


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-14",
        "2026/03/14",
        "2026.3.14",
        "14.03.2026",
        "14/03/2026",
        "14-03-26",
        "03/14/2026",
        "14 March 2026",
        "14th of March 2026",
        "14 Mar 26",
        "14MAR2026",
        "14-Mar-2026",
        "March 14, 2026",
        "Mar. 14th, 2026",
        "2026 March 14",
        "14. März 2026",
        "14. Maerz 2026",
        "14 mars 2026",
        "14 de marzo de 2026",
        "14 de marzo del 2026",
        "14 de Marzo, 2026",
        "marzo 14 de 2026",
        "14-mar-26",
        "14 marzo 2026",
        "14 Marzo 2026",
        "14 de março de 2026",
        "14 DE MARÇO DE 2026",
        "14 maart 2026",
        "14 mrt. 2026",
        "2026年3月14日",
        "2026 年 3 月 14 日",
        "20260314",
        "(14/03/2026)",
        "14.03.2026.",
    ],
)
def test_each_way_of_writing_a_day_means_that_day(text: str) -> None:
    assert date(2026, 3, 14) in readings(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("1er avril 2026", date(2026, 4, 1), id="French first"),
        pytest.param("3 août 2026", date(2026, 8, 3), id="French accent"),
        pytest.param("12 décembre 2026", date(2026, 12, 12), id="French December"),
        pytest.param("3. Jänner 2026", date(2026, 1, 3), id="Austrian"),
        pytest.param("24. Dez. 2026", date(2026, 12, 24), id="German abbreviation"),
        pytest.param("1 de enero de 2025", date(2025, 1, 1), id="Spanish"),
        pytest.param("1º de agosto de 2025", date(2025, 8, 1), id="Spanish first"),
        pytest.param("05-ene-25", date(2025, 1, 5), id="Spanish abbreviation"),
        pytest.param("5 de septiembre de 2025", date(2025, 9, 5), id="Spanish, ten letters"),
        pytest.param("Septiembre 5, 2025", date(2025, 9, 5), id="Spanish, month first"),
        pytest.param("5 de dic. de 2025", date(2025, 12, 5), id="Spanish December"),
        pytest.param("1° gennaio 2025", date(2025, 1, 1), id="Italian first"),
        pytest.param("30 luglio 2025", date(2025, 7, 30), id="Italian July"),
        pytest.param("5 set. 2025", date(2025, 9, 5), id="Italian abbreviation"),
        pytest.param("31 ott 25", date(2025, 10, 31), id="Italian October"),
        pytest.param("1.º de janeiro de 2025", date(2025, 1, 1), id="Portuguese first"),
        pytest.param("7 de setembro de 2025", date(2025, 9, 7), id="Portuguese"),
        pytest.param("3 out 2025", date(2025, 10, 3), id="Portuguese abbreviation"),
        pytest.param("6 mei 2025", date(2025, 5, 6), id="Dutch"),
        pytest.param("21 augustus 2025", date(2025, 8, 21), id="Dutch August"),
        pytest.param("25/12/98", date(1998, 12, 25), id="two digits of the last century"),
        pytest.param("25/12/69", date(2069, 12, 25), id="two digits of this century"),
    ],
)
def test_months_of_other_languages_and_short_years_are_read(text: str, day: date) -> None:
    assert readings(text) == {day}


def test_an_ambiguous_order_has_both_readings() -> None:
    assert readings("03/04/2025") == {date(2025, 4, 3), date(2025, 3, 4)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30 days",
        "31.02.2026",
        "29 February 2026",
        "2026-13-01",
        "5/40/160",
        "00.01.2026",
        "March 2026",
        "1.2.3.4",
        "14 Marchand 2026",
        "14 de marzo",
        "14 de martes de 2026",
        "12 June 2026 and 14 June 2026",
        "12 June 2026 at the latest",
        "1" * 41,
    ],
)
def test_what_is_no_single_day_has_no_reading(text: str) -> None:
    assert readings(text) == set()


def found(text: str) -> list[str]:
    return [text[each.start : each.end] for each in find_dates(text)]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        pytest.param(
            "signed on 16 June 2026, from 1 September 2026", ["16 June 2026", "1 September 2026"], id="prose"
        ),
        pytest.param("Zurich, May 6, 2026", ["May 6, 2026"], id="month first"),
        pytest.param("DATE:25/12/2018 8:13:39 PM", ["25/12/2018"], id="time behind"),
        pytest.param("开票日期:2026年3月18日", ["2026年3月18日"], id="Chinese"),
        pytest.param("TEL 07-3523888 / 03-3271 9872", [], id="telephone numbers"),
        pytest.param("1 SET 20\n2 set 12.90", [], id="sets of something"),
        pytest.param("3 out 25, Set 12 2000", [], id="words that are months too"),
        pytest.param("1 MAR 20.00", [], id="an amount is no year"),
        pytest.param("Madrid, a 5 de marzo de 2025.", ["5 de marzo de 2025"], id="Spanish"),
        pytest.param("Roma, lì 5 marzo 2025", ["5 marzo 2025"], id="Italian"),
        pytest.param("em 5 de maio de 2025 e 6 de maio", ["5 de maio de 2025"], id="Portuguese"),
        pytest.param("Mayor 6, 2026", [], id="a word that begins like a month"),
    ],
)
def test_dates_are_found_where_they_stand(text: str, dates: list[str]) -> None:
    assert found(text) == dates


@given(
    day=st.dates(date(1970, 1, 1), date(2069, 12, 31)),
    style=st.sampled_from(
        ["%d.%m.%Y", "%Y-%m-%d", "%m/%d/%Y", "%d %B %Y", "%B %d, %Y", "%d-%b-%y", "%Y年%m月%d日"]
    ),
)
def test_what_is_written_in_a_style_is_read_back(day: date, style: str) -> None:
    written = day.strftime(style)

    assert day in readings(written)
    assert found(f"on {written}, in the morning") == [written]


@given(st.text(max_size=60) | st.text(alphabet="0123456789/-. Mayjun年月日", max_size=60))
def test_no_text_makes_it_raise_and_found_dates_do_not_overlap(text: str) -> None:
    position = 0
    for each in find_dates(text):
        assert position <= each.start < each.end
        assert each.readings
        position = each.end
