"""Time as the ledger writes it: whole microseconds since 1970, in UTC, from a clock handed in."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Clock = Callable[[], int]
"""Answers with microseconds since 1970-01-01 in UTC."""


def system_clock() -> int:
    """Read the machine's clock: microseconds since 1970 in UTC."""
    return time.time_ns() // 1000


def to_datetime(at_us: int) -> datetime:
    """Turn microseconds since 1970 into an aware UTC time."""
    return _EPOCH + timedelta(microseconds=at_us)


def to_us(moment: datetime) -> int:
    """Turn an aware time into microseconds since 1970. A naive one raises ValueError."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; write e.g. {moment.isoformat()}+00:00")
    return (moment - _EPOCH) // timedelta(microseconds=1)
