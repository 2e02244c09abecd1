"""Time as whole microseconds since 1970."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.clock import system_clock, to_datetime, to_us

LAST_US = 253_402_300_799_999_999
"""The last microsecond of the year 9999."""


@given(st.integers(0, LAST_US))
def test_a_time_goes_there_and_back_to_the_microsecond(at_us: int) -> None:
    moment = to_datetime(at_us)
    assert moment.tzinfo is UTC
    assert to_us(moment) == at_us


def test_another_time_zone_is_the_same_moment() -> None:
    moment = datetime(2026, 11, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert to_us(moment) == to_us(datetime(2026, 11, 1, 12, tzinfo=UTC)) == 1_793_534_400_000_000


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        to_us(datetime(2026, 11, 1))  # noqa: DTZ001  (that is what is refused)


def test_the_machines_clock_is_this_century() -> None:
    assert 2025 < to_datetime(system_clock()).year < 2100
