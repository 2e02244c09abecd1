"""A value found in a text: what amounts and dates are read as. A tuple, since there are many."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

Reading = Decimal | date


class Placed(NamedTuple):
    """The characters `start` to `end` (exclusive) of a text."""

    start: int
    end: int


class Found(NamedTuple):
    """The characters `start` to `end` of an amount or a date, and what it may mean."""

    start: int
    end: int
    readings: frozenset[Reading]
