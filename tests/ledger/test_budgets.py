"""Budgets: parallel requests cannot overspend, and nothing that was held is lost."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from ledger.budgets import (
    WINDOWS_KEPT,
    Budgets,
    Limit,
    Reservation,
    Scope,
    ScopeKind,
    Shortfall,
    Window,
    window_bounds,
)
from ledger.clock import to_us

NOON_US = to_us(datetime(2026, 11, 1, 12, tzinfo=UTC))
DAY_US = 86_400_000_000
TEAM, OTHER_TEAM = Scope(ScopeKind.TEAM, "finance"), Scope(ScopeKind.TEAM, "legal")
KEY, OTHER_KEY = Scope(ScopeKind.KEY, "key_1"), Scope(ScopeKind.KEY, "key_2")
CALLERS = ((TEAM, KEY), (TEAM, OTHER_KEY), (OTHER_TEAM, Scope(ScopeKind.KEY, "key_3")))
LIMITS = (
    Limit(TEAM, Window.DAY, 100, "finance.day"),
    Limit(TEAM, Window.MONTH, 250, "finance.month"),
    Limit(KEY, Window.DAY, 60, "key_1.day"),
    Limit(OTHER_TEAM, Window.MONTH, 80, "legal.month"),
)


def limited(*limits: Limit) -> Budgets:
    budgets = Budgets()
    budgets.set_policy_limits(limits)
    return budgets


def reserved(
    budgets: Budgets, amount: int, scopes: tuple[Scope, ...] = (TEAM, KEY), at_us: int = NOON_US
) -> Reservation:
    found = budgets.reserve(scopes, amount, at_us)
    assert isinstance(found, Reservation)
    return found


def refused(
    budgets: Budgets, amount: int, scopes: tuple[Scope, ...] = (TEAM, KEY), at_us: int = NOON_US
) -> Shortfall:
    found = budgets.reserve(scopes, amount, at_us)
    assert isinstance(found, Shortfall)
    return found


def room(budgets: Budgets, scope: Scope, at_us: int = NOON_US) -> tuple[int, int]:
    """What is available and spendable under the tightest limit of one scope."""
    found = budgets.headroom((scope,), at_us)
    assert found is not None
    return found.available_nano_usd, found.spendable_nano_usd


@dataclass
class Held:
    """What the model knows of a reservation."""

    reservation: Reservation
    scopes: tuple[Scope, ...]
    at_us: int
    left: int
    spent: int = 0
    overage: bool = False
    """Some cost exceeded what was left of the hold."""


class BudgetMachine(RuleBasedStateMachine):
    """Many requests, days apart, against a model that only adds up what it was told."""

    held: Bundle[Held] = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.budgets = limited(*LIMITS)
        self.all: list[Held] = []
        self.now_us = NOON_US + 28 * DAY_US  # two days before the month ends

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        """Over midnight, and over the month's end."""
        self.now_us += hours * 3_600_000_000

    @rule(target=held, scopes=st.sampled_from(CALLERS), amount=st.integers(0, 70))
    def reserve(self, scopes: tuple[Scope, ...], amount: int) -> MultipleResults[Held] | Held:
        """Hold for a caller, or be told why not."""
        before = self.counted()
        fits = all(
            self.of(limit) + amount <= limit.amount_nano_usd for limit in LIMITS if limit.scope in scopes
        )
        found = self.budgets.reserve(scopes, amount, self.now_us)
        if isinstance(found, Shortfall):
            assert not fits
            assert amount > 0
            assert found.asked_nano_usd == amount
            assert found.spent_nano_usd + found.held_nano_usd + amount > found.limit.amount_nano_usd
            assert self.counted() == before, "all or nothing"
            return multiple()
        assert fits or amount == 0
        one = Held(found, scopes, self.now_us, amount)
        self.all.append(one)
        return one

    @rule(one=held, cost=st.integers(0, 90))
    def post(self, one: Held, cost: int) -> None:
        """Book a cost, within the hold or beyond it."""
        self.budgets.post(one.reservation, cost)
        one.overage = one.overage or cost > one.left
        one.spent += cost
        one.left -= min(cost, one.left)

    @rule(one=consumes(held), again=st.booleans())
    def release(self, one: Held, again: bool) -> None:
        """Give back the rest, once or twice."""
        self.budgets.release(one.reservation)
        one.left = 0
        if again:
            self.budgets.release(one.reservation)

    def of(self, limit: Limit) -> int:
        """What the model knows to be spent and held under a limit now."""
        start, end = window_bounds(limit.window, self.now_us)
        return sum(
            one.spent + one.left for one in self.all if limit.scope in one.scopes and start <= one.at_us < end
        )

    def counted(self) -> list[int]:
        """What the budgets say is spent and held under each limit now."""
        rooms = []
        for limit in LIMITS:
            account = self.budgets._account((limit.scope,), self.now_us)
            (cell,) = [cell for known, cell in account.limits if known == limit]
            rooms.append(cell.spent + cell.held)
            assert cell.held >= 0
        return rooms

    @invariant()
    def every_nano_stands_in_the_window_in_which_it_was_held(self) -> None:
        """The budgets and the model agree."""
        assert self.counted() == [self.of(limit) for limit in LIMITS]

    @invariant()
    def what_is_left_is_never_negative(self) -> None:
        """A hold gives no more than it took."""
        assert all(one.reservation.left_nano_usd == one.left >= 0 for one in self.all)

    @invariant()
    def no_limit_is_passed_but_by_a_cost_above_its_hold(self) -> None:
        """Reservations alone never overspend."""
        if not any(one.overage for one in self.all):
            assert all(self.of(limit) <= limit.amount_nano_usd for limit in LIMITS)


BudgetMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestBudgetsAgainstAModel = BudgetMachine.TestCase


@given(st.lists(st.integers(1, 40), max_size=60))
def test_reservations_alone_never_pass_a_limit_and_leave_no_room_that_would_have_fitted(
    asked: list[int],
) -> None:
    budgets = limited(Limit(TEAM, Window.DAY, 100, "day"))
    granted = 0
    for amount in asked:
        if isinstance(budgets.reserve((TEAM, KEY), amount, NOON_US), Reservation):
            granted += amount
        else:
            assert granted + amount > 100
        assert granted <= 100
    assert room(budgets, TEAM) == (100 - granted, 100)


def test_a_refusal_by_one_scope_holds_nothing_in_another() -> None:
    budgets = limited(Limit(TEAM, Window.MONTH, 1_000, "team"), Limit(KEY, Window.DAY, 10, "key"))
    shortfall = refused(budgets, 11)
    assert (
        shortfall.limit.source,
        shortfall.spent_nano_usd,
        shortfall.held_nano_usd,
        shortfall.asked_nano_usd,
    ) == ("key", 0, 0, 11)
    assert room(budgets, TEAM) == (1_000, 1_000)
    assert room(budgets, KEY) == (10, 10)


def test_zero_fits_even_where_all_is_spent() -> None:
    budgets = limited(Limit(TEAM, Window.DAY, 0, "none"))
    assert reserved(budgets, 0).left_nano_usd == 0
    refused(budgets, 1)


def test_without_limits_everything_fits_and_there_is_no_headroom_to_name() -> None:
    budgets = Budgets()
    reserved(budgets, 2**62)
    assert budgets.headroom((TEAM, KEY), NOON_US) is None
    assert budgets.exhausted((TEAM, KEY), NOON_US) is None


def test_a_second_release_gives_nothing_back_twice() -> None:
    budgets = limited(Limit(TEAM, Window.DAY, 100, "day"))
    first, other = reserved(budgets, 60), reserved(budgets, 30)
    for _ in range(3):
        budgets.release(first)
    assert room(budgets, TEAM) == (70, 100)
    budgets.release(other)
    assert room(budgets, TEAM) == (100, 100)


def test_a_cost_above_its_hold_is_booked_whole_and_nothing_of_another_hold_is_used() -> None:
    budgets = limited(Limit(TEAM, Window.DAY, 100, "day"))
    small, other = reserved(budgets, 10), reserved(budgets, 50)
    budgets.post(small, 45)
    assert room(budgets, TEAM) == (100 - 45 - 50, 55)
    budgets.release(small)
    budgets.post(other, 50)
    budgets.release(other)
    assert room(budgets, TEAM) == (5, 5)


def test_a_cost_after_the_release_is_still_booked() -> None:
    budgets = limited(Limit(TEAM, Window.DAY, 100, "day"))
    reservation = reserved(budgets, 40)
    budgets.release(reservation)
    budgets.post(reservation, 30)
    assert room(budgets, TEAM) == (70, 70)


def test_the_attempts_of_a_plan_draw_on_one_hold() -> None:
    budgets = limited(Limit(TEAM, Window.DAY, 100, "day"))
    reservation = reserved(budgets, 80)
    budgets.post(reservation, 20)
    budgets.post(reservation, 25)
    assert room(budgets, TEAM) == (20, 55)
    assert reservation.left_nano_usd == 35


def test_a_cost_is_booked_on_the_day_on_which_it_was_held() -> None:
    budgets = limited(Limit(TEAM, Window.DAY, 100, "day"))
    before_midnight = window_bounds(Window.DAY, NOON_US)[1] - 1
    late = reserved(budgets, 60, at_us=before_midnight)
    reserved(budgets, 100, at_us=before_midnight + 1)
    budgets.post(late, 60)
    budgets.release(late)
    assert room(budgets, TEAM, before_midnight) == (40, 40)
    assert room(budgets, TEAM, before_midnight + 1) == (0, 100)


def test_a_new_day_has_a_new_budget_and_the_month_goes_on() -> None:
    budgets = limited(Limit(TEAM, Window.DAY, 100, "day"), Limit(TEAM, Window.MONTH, 150, "month"))
    budgets.post(reserved(budgets, 100), 100)
    assert refused(budgets, 1).limit.source == "day"
    tomorrow = NOON_US + DAY_US
    reserved(budgets, 50, at_us=tomorrow)
    shortfall = refused(budgets, 1, at_us=tomorrow)
    assert (shortfall.limit.source, shortfall.spent_nano_usd, shortfall.held_nano_usd) == ("month", 100, 50)
    next_month = window_bounds(Window.MONTH, NOON_US)[1]
    reserved(budgets, 100, at_us=next_month)


WINDOWS = {
    "a day": (Window.DAY, (2026, 11, 1), (2026, 11, 2)),
    "a month of 30 days": (Window.MONTH, (2026, 11, 1), (2026, 12, 1)),
}


@pytest.mark.parametrize(("window", "start", "end"), WINDOWS.values(), ids=WINDOWS.keys())
def test_a_window_is_a_utc_calendar_window(
    window: Window, start: tuple[int, int, int], end: tuple[int, int, int]
) -> None:
    assert window_bounds(window, NOON_US) == (
        to_us(datetime(*start, tzinfo=UTC)),
        to_us(datetime(*end, tzinfo=UTC)),
    )


@given(st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1)), st.sampled_from([Window.DAY, Window.MONTH]))  # noqa: DTZ001  (hypothesis wants naive ends)
def test_windows_follow_each_other_without_gap_or_overlap(naive: datetime, window: Window) -> None:
    at_us = to_us(naive.replace(tzinfo=UTC))
    start, end = window_bounds(window, at_us)
    assert start <= at_us < end
    assert window_bounds(window, start) == window_bounds(window, end - 1) == (start, end)
    assert window_bounds(window, end)[0] == end
    assert window_bounds(window, start - 1)[1] == start


def test_of_two_limits_in_the_way_the_one_is_named_that_stands_there_longest() -> None:
    """Whoever is told that the day is spent comes back tomorrow, and should then not meet the month."""
    budgets = limited(Limit(TEAM, Window.DAY, 10, "day"), Limit(TEAM, Window.MONTH, 10, "month"))
    budgets.post(reserved(budgets, 10), 10)
    shortfall = refused(budgets, 1)
    assert (shortfall.limit.source, shortfall.resets_at_us) == (
        "month",
        window_bounds(Window.MONTH, NOON_US)[1],
    )


def test_money_that_is_spent_is_named_before_money_that_is_only_held() -> None:
    budgets = limited(Limit(KEY, Window.DAY, 10, "key"), Limit(TEAM, Window.MONTH, 30, "team"))
    budgets.post(reserved(budgets, 10), 10)
    reserved(budgets, 20, (TEAM, OTHER_KEY))
    shortfall = refused(budgets, 1)
    assert (shortfall.limit.source, shortfall.only_held) == ("key", False)
    held = refused(budgets, 1, (TEAM, OTHER_KEY))
    assert (held.limit.source, held.only_held, held.spent_nano_usd, held.held_nano_usd) == (
        "team",
        True,
        10,
        20,
    )


def test_the_headroom_is_that_of_the_tightest_limit() -> None:
    budgets = limited(*LIMITS)
    budgets.post(reserved(budgets, 40), 15)
    found = budgets.headroom((TEAM, KEY), NOON_US)
    assert found is not None
    assert (found.limit.source, found.available_nano_usd, found.spendable_nano_usd) == ("key_1.day", 20, 45)
    assert found.resets_at_us == window_bounds(Window.DAY, NOON_US)[1]


def test_only_what_is_spent_exhausts_a_budget() -> None:
    budgets = limited(*LIMITS)
    reservation = reserved(budgets, 60)
    assert budgets.exhausted((TEAM, KEY), NOON_US) is None
    budgets.post(reservation, 59)
    assert budgets.exhausted((TEAM, KEY), NOON_US) is None
    budgets.post(reservation, 1)
    shortfall = budgets.exhausted((TEAM, KEY), NOON_US)
    assert shortfall is not None
    assert (shortfall.limit.source, shortfall.spent_nano_usd, shortfall.held_nano_usd) == ("key_1.day", 60, 0)
    assert not shortfall.only_held
    assert budgets.exhausted((TEAM, OTHER_KEY), NOON_US) is None
    assert budgets.exhausted((TEAM, KEY), NOON_US + DAY_US) is None


def test_a_limit_on_one_request_forgets_the_request_before() -> None:
    budgets = limited(Limit(TEAM, Window.REQUEST, 10, "request"))
    for _ in range(3):
        budgets.post(reserved(budgets, 10), 10)
    assert refused(budgets, 11).limit.source == "request"
    assert not Shortfall.of_request(11, 10, "finance", NOON_US).only_held


def test_new_limits_count_what_was_already_spent_and_held() -> None:
    budgets = Budgets()
    budgets.post(reserved(budgets, 50), 30)
    budgets.set_ledger_limits([Limit(TEAM, Window.DAY, 60, "lim_1")])
    assert room(budgets, TEAM) == (10, 30)
    budgets.set_policy_limits([Limit(TEAM, Window.DAY, 55, "policy")])
    assert room(budgets, TEAM) == (5, 25)
    budgets.set_ledger_limits([])
    budgets.set_policy_limits([])
    assert budgets.headroom((TEAM,), NOON_US) is None


def test_what_was_spent_before_the_start_counts() -> None:
    budgets = limited(Limit(TEAM, Window.DAY, 100, "day"), Limit(TEAM, Window.MONTH, 100, "month"))
    budgets.add_spent(TEAM, Window.MONTH, NOON_US, 70)
    budgets.add_spent(TEAM, Window.DAY, NOON_US, 20)
    budgets.add_spent(TEAM, Window.DAY, NOON_US, 5)
    assert room(budgets, TEAM) == (30, 30)
    assert refused(budgets, 31).limit.source == "month"


def test_what_is_drawn_is_loaded_once_for_each_key_whose_budget_it_is() -> None:
    budgets = Budgets()
    spent = {"key_1": 100, "key_2": 20, "key_3": 3}
    for key_id, amount in spent.items():
        budgets.add_spent(Scope(ScopeKind.KEY, key_id), Window.DAY, NOON_US, amount)
    budgets.add_drawn({"key_3": ("key_2", "key_1"), "key_1": (), "key_2": ("key_1",), "key_4": ()}, NOON_US)
    found = [budgets.spent(Scope(ScopeKind.KEY, f"key_{n}"), Window.DAY, NOON_US) for n in (1, 2, 3, 4)]
    assert found == [123, 23, 3, 0]


def test_forgetting_past_windows_forgets_nothing_that_counts() -> None:
    """More keys than windows are kept: those of today stay, whatever their number."""
    budgets = Budgets()
    keys = [Scope(ScopeKind.KEY, f"key_{number}") for number in range(WINDOWS_KEPT)]
    budgets.set_policy_limits(Limit(key, Window.DAY, 10, key.id) for key in keys)
    yesterday = NOON_US - DAY_US
    old = reserved(budgets, 7, (keys[0],), yesterday)
    for key in keys[1:]:
        budgets.post(reserved(budgets, 10, (key,), yesterday), 3)
    for key in keys:
        budgets.post(reserved(budgets, 10, (key,)), 10)
    assert all(budgets.exhausted((key,), NOON_US) for key in keys)
    budgets.post(old, 7)
    budgets.release(old)
    assert room(budgets, keys[0], yesterday) == (3, 3)
    assert len(budgets._cells) <= 4 * WINDOWS_KEPT


def test_a_clock_that_goes_back_over_midnight_finds_the_old_day_again() -> None:
    budgets = limited(Limit(TEAM, Window.DAY, 10, "day"))
    midnight = window_bounds(Window.DAY, NOON_US)[1]
    budgets.post(reserved(budgets, 10, at_us=midnight - 1), 10)
    reserved(budgets, 10, at_us=midnight + 1_000_000)
    assert budgets.exhausted((TEAM, KEY), midnight - 1) is not None
    refused(budgets, 1, at_us=midnight - 2)
