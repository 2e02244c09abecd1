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
