"""Prices: rows with effective dates; one is selected for a cost, a ceiling of several for a hold.

A rate is nano-USD per million units of one class. A row may hold for a tier of context length
(`min_input_tokens`) and for hours of the week (`weekday_mask`, bit 0 = Monday; minutes of the UTC
day). The rows of a sku that were recorded at one time are one price list; the newest list of those
in force holds. A sku that has no row is refused: an unknown price is never zero.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.clock import to_datetime
from ledger.errors import PriceError
from ledger.money import NanoUSD, cost_of
from ledger.usage import Rates, Usage

STANDARD = "standard"
MINUTE_US = 60_000_000
DAY_US = 24 * 60 * MINUTE_US


@dataclass(frozen=True, slots=True)
class Price:
    """One price row."""

    price_id: str
    sku: str
    rates: Rates
    source: str
    source_sha256: str
    effective_from_us: int
    recorded_at_us: int
    tier: str = STANDARD
    min_input_tokens: int = 0
    weekday_mask: int | None = None
    start_minute: int | None = None
    end_minute: int | None = None
    effective_to_us: int | None = None

    @property
    def terms(self) -> tuple[object, ...]:
        """The price and what it is for, whenever and by whomever it was recorded."""
        return (
            self.sku,
            self.tier,
            self.min_input_tokens,
            self.weekday_mask,
            self.start_minute,
            self.end_minute,
            self.effective_to_us,
            self.rates,
        )

    @property
    def always(self) -> bool:
        """Whether the row is its list's plain one: for any length and at any hour."""
        return self.tier == STANDARD and self.min_input_tokens == 0 and self.start_minute is None

    def in_force(self, at_us: int) -> bool:
        """Whether the row's dates hold at `at_us`, its hours aside."""
        return self.effective_from_us <= at_us and (
            self.effective_to_us is None or at_us < self.effective_to_us
        )

    def in_hours(self, at_us: int) -> bool:
        """Whether the row's hours hold at `at_us`; a row without hours always holds."""
        if self.start_minute is None or self.end_minute is None:
            return True
        moment = to_datetime(at_us)
        if self.weekday_mask is not None and not self.weekday_mask >> moment.weekday() & 1:
            return False
        return self.start_minute <= moment.hour * 60 + moment.minute < self.end_minute

    def changes(self, after_us: int, until_us: int) -> list[int]:
        """The moments after `after_us` and up to `until_us` at which the row begins or ceases to hold."""
        edges = [self.effective_from_us, self.effective_to_us]
        if self.start_minute is not None and self.end_minute is not None:
            for midnight_us in range(after_us - after_us % DAY_US, until_us + 1, DAY_US):
                edges += [midnight_us + minute * MINUTE_US for minute in (self.start_minute, self.end_minute)]
        return [edge for edge in edges if edge is not None and after_us < edge <= until_us]


class PriceBook:
    """All price rows of a ledger."""

    def __init__(self, rows: Iterable[Price] = ()) -> None:
        self._by_sku: dict[str, list[Price]] = {}
        self.add(rows)

    def add(self, rows: Iterable[Price]) -> None:
        """Take further rows."""
        for row in rows:
            self._by_sku.setdefault(row.sku, []).append(row)

    def knows(self, sku: str) -> bool:
        """Whether any row has this sku."""
        return sku in self._by_sku

    def current(self, sku: str, at_us: int) -> list[Price]:
        """The rows of `sku` whose dates hold at `at_us`, of the list recorded last; [] if there are none."""
        live = [row for row in self._rows(sku) if row.in_force(at_us)]
        newest = max((row.recorded_at_us for row in live), default=0)
        return [row for row in live if row.recorded_at_us == newest]

    def select(self, sku: str, at_us: int, input_tokens: int, tier: str = STANDARD) -> Price:
        """The row that prices an attempt dispatched at `at_us`. Raises PriceError if there is none."""
        rows = self._rows(sku)
        if len(rows) == 1 and tier == STANDARD and rows[0].always and rows[0].in_force(at_us):
            return rows[0]  # most skus have one row
        fitting = [
            row
            for row in self.current(sku, at_us)
            if row.tier == tier and row.min_input_tokens <= input_tokens and row.in_hours(at_us)
        ]
        if not fitting:
            raise PriceError(
                f"'{sku}' has no '{tier}' price in force at {to_datetime(at_us).isoformat()}; state one in the configuration"
            )
        return max(fitting, key=lambda row: (row.min_input_tokens, row.start_minute is not None))

    def ceiling(self, sku: str, at_us: int, until_us: int, input_tokens_max: int) -> Rates:
        """The dearest rate of each class over every row that can price an attempt dispatched from `at_us`
        to `until_us` with up to `input_tokens_max` tokens of input: what a hold reckons with.

        Raises PriceError unless a price is in force all that time, so that what was held for can be priced.
        """
        rows = self._rows(sku)
        only = rows[0]
        if len(rows) == 1 and only.always and only.in_force(at_us) and only.in_force(until_us):
            return only.rates
        moments = {at_us, *(change for row in rows for change in row.changes(at_us, until_us))}
        lengths = {0, *(row.min_input_tokens for row in rows if row.min_input_tokens <= input_tokens_max)}
        found = [self.select(sku, moment, length) for moment in moments for length in lengths]
        return Rates(*map(max, zip(*(row.rates.values() for row in found), strict=True)))

    def cost(self, price: Price, usage: Usage) -> NanoUSD:
        """Price `usage` by `price`, rounded once."""
        return cost_of(zip(usage.values(), price.rates.values(), strict=True))

    def _rows(self, sku: str) -> list[Price]:
        rows = self._by_sku.get(sku)
        if rows is None:
            near = difflib.get_close_matches(sku, self._by_sku, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else "; state a price in the configuration"
            raise PriceError(f"no price is known for '{sku}'{hint}")
        return rows
