"""Ids: prefixed, ordered by time, and made by us before anything is sent.

An id is `<prefix>_` and 26 characters of Crockford's base 32 (the ULID layout): 48 bits of
milliseconds since 1970 and 80 random bits. Ids made later sort later, so a table keyed by them
grows at its end.
"""

import os
from typing import NewType

RequestId = NewType("RequestId", str)
AttemptId = NewType("AttemptId", str)
KeyId = NewType("KeyId", str)

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]


def new_id(prefix: str, at_us: int) -> str:
    """Make an id for something that happens at `at_us`, microseconds since 1970 in UTC."""
    number = ((at_us // 1000) & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10), "big")
    pairs = _PAIRS
    digits = [pairs[number >> shift & 1023] for shift in range(120, -1, -10)]
    return f"{prefix}_{''.join(digits)}"


def new_request_id(at_us: int) -> RequestId:
    """Make the id of a request: `req_...`."""
    return RequestId(new_id("req", at_us))


def new_attempt_id(at_us: int) -> AttemptId:
    """Make the id of an attempt: `att_...`."""
    return AttemptId(new_id("att", at_us))
