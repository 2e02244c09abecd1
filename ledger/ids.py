"""Ids: prefixed, ordered by time, and made by us before anything is sent.

An id is `<prefix>_` and 26 characters of Crockford's base 32 (the ULID layout): 48 bits of
milliseconds since 1970 and 80 random bits. Ids made later sort later, so a table keyed by them
grows at its end.
"""

import os
from functools import lru_cache
from typing import NewType

RequestId = NewType("RequestId", str)
AttemptId = NewType("AttemptId", str)
KeyId = NewType("KeyId", str)

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]


def new_id(prefix: str, at_us: int) -> str:
    """Make an id for something that happens at `at_us`, microseconds since 1970 in UTC."""
    number = int.from_bytes(_random(), "big")
    pairs = _PAIRS
    return (
        f"{prefix}_{_time_digits(at_us // 1000)}{pairs[number >> 70]}{pairs[number >> 60 & 1023]}"
        f"{pairs[number >> 50 & 1023]}{pairs[number >> 40 & 1023]}{pairs[number >> 30 & 1023]}"
        f"{pairs[number >> 20 & 1023]}{pairs[number >> 10 & 1023]}{pairs[number & 1023]}"
    )


def _random() -> bytes:
    """80 random bits, fetched from the system a few thousand at a time: a call costs microseconds."""
    try:
        return _pool.pop()
    except IndexError:
        fresh = os.urandom(10 * _POOL)
        _pool.extend(fresh[at : at + 10] for at in range(10, len(fresh), 10))
        return fresh[:10]


_POOL = 256
_pool: list[bytes] = []
os.register_at_fork(after_in_child=_pool.clear)


@lru_cache(maxsize=8)
def _time_digits(at_ms: int) -> str:
    return "".join(_PAIRS[at_ms >> shift & 1023] for shift in (40, 30, 20, 10, 0))


def new_request_id(at_us: int) -> RequestId:
    """Make the id of a request: `req_...`."""
    return RequestId(new_id("req", at_us))


def new_attempt_id(at_us: int) -> AttemptId:
    """Make the id of an attempt: `att_...`."""
    return AttemptId(new_id("att", at_us))
