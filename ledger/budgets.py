"""Budgets: limits per scope and calendar window, and what is spent and held against them.

In memory and exact; the rows of the ledger are what it is loaded from. One event loop uses it, so
that a check and its reservation are one step and parallel requests cannot overspend.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from ledger.clock import to_datetime, to_us

WINDOWS_KEPT = 4_096


class ScopeKind(StrEnum):
    """Whose money."""

    TEAM = "team"
    KEY = "key"
    PROJECT = "project"
    """Its id is the team's name, a slash and the project's: `project_id`."""


def project_id(team: str, project: str) -> str:
    """The id of a project's scope. A project's name holds no slash, so no two have the same."""
    return f"{team}/{project}"


class Window(StrEnum):
    """Calendar windows in UTC; REQUEST is one request alone."""

    REQUEST = "request"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Scope:
    """One owner of a budget."""

    kind: ScopeKind
    id: str


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount_nano_usd` a window. `source` is the rule's or the row's id."""

    scope: Scope
    window: Window
    amount_nano_usd: int
    source: str


@dataclass(slots=True)
class Reservation:
    """Money set aside: what is left of it, and where it counts."""

    cells: tuple["Cell", ...]
    left_nano_usd: int
    at_us: int


@dataclass(slots=True)
class Cell:
    """What one scope spent and holds in one window."""

    spent: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why a reservation does not fit: the limit that stands longest in its way, with its numbers."""

    limit: Limit
    spent_nano_usd: int
    held_nano_usd: int
    asked_nano_usd: int
    resets_at_us: int

    @property
    def only_held(self) -> bool:
        """Whether it would fit were nothing held."""
        return self.spent_nano_usd + self.asked_nano_usd <= self.limit.amount_nano_usd

    @property
    def lasts(self) -> tuple[bool, int]:
        """By what two are compared: money that is spent is gone until the window ends, held money is not."""
        return not self.only_held, self.resets_at_us

    @staticmethod
    def of_request(asked: int, amount: int, team: str, at_us: int) -> "Shortfall":
        """One request is larger than its team allows a request to be."""
        limit = Limit(Scope(ScopeKind.TEAM, team), Window.REQUEST, amount, f"{team}.limits.request_usd")
        return Shortfall(limit, 0, 0, asked, at_us)


@dataclass(frozen=True, slots=True)
class Headroom:
    """The tightest limit of some scopes, and what is left under it."""

    limit: Limit
    available_nano_usd: int
    """Limit less spent less held."""
    spendable_nano_usd: int
    """Limit less spent."""
    resets_at_us: int


_CellKey = tuple[Scope, Window, int]


@dataclass(frozen=True, slots=True)
class _Account:
    """What some scopes draw on until the day ends: found once, used by every request."""

    from_us: int
    until_us: int
    cells: tuple[Cell, ...]
    limits: tuple[tuple[Limit, Cell], ...]


class Budgets:
    """All limits, and what counts against them."""

    def __init__(self) -> None:
        self._policy_limits: tuple[Limit, ...] = ()
        self._ledger_limits: tuple[Limit, ...] = ()
        self._by_scope: dict[Scope, tuple[Limit, ...]] = {}
        self._cells: dict[_CellKey, Cell] = {}
        self._cells_max = WINDOWS_KEPT
        self._window_starts: dict[Window, tuple[int, int]] = {}
        self._accounts: dict[tuple[Scope, ...], _Account] = {}

    def set_policy_limits(self, limits: Iterable[Limit]) -> None:
        """Replace the limits that the policies state."""
        self._policy_limits = tuple(limits)
        self._index()

    def set_ledger_limits(self, limits: Iterable[Limit]) -> None:
        """Replace the limits that rows of the ledger state."""
        self._ledger_limits = tuple(limits)
        self._index()

    def add_spent(self, scope: Scope, window: Window, at_us: int, amount_nano_usd: int) -> None:
        """Load what the ledger's rows say was spent in the window that holds `at_us`."""
        self._cell(scope, window, at_us).spent += amount_nano_usd

    def add_drawn(self, draws_on: Mapping[str, Sequence[str]], at_us: int) -> None:
        """Load, once all else is, what keys spent out of the budgets of others: by a key's id, theirs."""
        for window in (Window.DAY, Window.MONTH):
            own = [(self.spent(Scope(ScopeKind.KEY, key_id), window, at_us), key_id) for key_id in draws_on]
            for spent, key_id in own:
                for other in draws_on[key_id]:
                    self.add_spent(Scope(ScopeKind.KEY, other), window, at_us, spent)

    def reserve(self, scopes: tuple[Scope, ...], amount_nano_usd: int, at_us: int) -> Reservation | Shortfall:
        """Hold `amount_nano_usd` for all scopes, or for none and say why. Zero always fits."""
        account = self._account(scopes, at_us)
        if amount_nano_usd > 0:
            worst: Shortfall | None = None
            for limit, cell in account.limits:
                if cell.spent + cell.held + amount_nano_usd > limit.amount_nano_usd:
                    shortfall = Shortfall(
                        limit, cell.spent, cell.held, amount_nano_usd, self._end_of(limit.window, at_us)
                    )
                    if worst is None or shortfall.lasts > worst.lasts:
                        worst = shortfall
            if worst is not None:
                return worst
        for cell in account.cells:
            cell.held += amount_nano_usd
        return Reservation(account.cells, amount_nano_usd, at_us)

    def post(self, reservation: Reservation, cost_nano_usd: int) -> None:
        """Book a cost where it was held; what exceeds the hold is booked all the same."""
        from_hold = max(0, min(cost_nano_usd, reservation.left_nano_usd))
        reservation.left_nano_usd -= from_hold
        for cell in reservation.cells:
            cell.spent += cost_nano_usd
            cell.held -= from_hold

    def release(self, reservation: Reservation) -> None:
        """Give back what is left of a hold. A second call does nothing."""
        for cell in reservation.cells:
            cell.held -= reservation.left_nano_usd
        reservation.left_nano_usd = 0

    def headroom(self, scopes: tuple[Scope, ...], at_us: int) -> Headroom | None:
        """The tightest limit of `scopes` now; None if nothing limits them."""
        rooms = [
            Headroom(
                limit,
                limit.amount_nano_usd - cell.spent - cell.held,
                limit.amount_nano_usd - cell.spent,
                self._end_of(limit.window, at_us),
            )
            for limit, cell in self._account(scopes, at_us).limits
        ]
        return min(rooms, key=lambda room: room.available_nano_usd) if rooms else None

    def exhausted(self, scopes: tuple[Scope, ...], at_us: int) -> Shortfall | None:
        """The first limit that is spent to its end, or None."""
        for limit, cell in self._account(scopes, at_us).limits:
            if cell.spent >= limit.amount_nano_usd:
                return Shortfall(limit, cell.spent, cell.held, 1, self._end_of(limit.window, at_us))
        return None

    def limits(self) -> tuple[Limit, ...]:
        """All limits."""
        return (*self._policy_limits, *self._ledger_limits)

    def limits_of(self, scope: Scope) -> tuple[Limit, ...]:
        """All limits of one scope."""
        return self._by_scope.get(scope, ())

    def spent(self, scope: Scope, window: Window, at_us: int) -> int:
        """Nano-USD that one scope spent in the day or month that holds `at_us`."""
        cell = self._cells.get((scope, window, self._start_of(window, at_us)))
        return cell.spent if cell is not None else 0

    def _index(self) -> None:
        found: dict[Scope, list[Limit]] = {}
        for limit in (*self._policy_limits, *self._ledger_limits):
            found.setdefault(limit.scope, []).append(limit)
        self._by_scope = {scope: tuple(limits) for scope, limits in found.items()}
        self._accounts.clear()

    def _account(self, scopes: tuple[Scope, ...], at_us: int) -> _Account:
        account = self._accounts.get(scopes)
        if account is None or not account.from_us <= at_us < account.until_us:
            if len(self._accounts) >= WINDOWS_KEPT:
                self._accounts.clear()
            day = window_bounds(Window.DAY, at_us)
            account = self._accounts[scopes] = _Account(
                *day,
                tuple(
                    self._cell(scope, window, at_us)
                    for scope in scopes
                    for window in (Window.DAY, Window.MONTH)
                ),
                tuple(
                    (limit, self._cell(scope, limit.window, at_us))
                    for scope in scopes
                    for limit in self._by_scope.get(scope, ())
                ),
            )
        return account

    def _cell(self, scope: Scope, window: Window, at_us: int) -> Cell:
        key = (scope, window, self._start_of(window, at_us))
        cell = self._cells.get(key)
        if cell is None:
            if len(self._cells) >= self._cells_max:
                self._forget_past(at_us)
            cell = self._cells[key] = Cell()
        return cell

    def _forget_past(self, at_us: int) -> None:
        """Drop windows that are over and in which nothing is held."""
        self._accounts.clear()
        self._cells = {
            key: cell
            for key, cell in self._cells.items()
            if cell.held or key[2] >= self._start_of(key[1], at_us)
        }
        self._cells_max = max(WINDOWS_KEPT, 2 * len(self._cells))

    def _start_of(self, window: Window, at_us: int) -> int:
        known = self._window_starts.get(window)
        if known is None or not known[0] <= at_us < known[1]:
            known = self._window_starts[window] = window_bounds(window, at_us)
        return known[0]

    def _end_of(self, window: Window, at_us: int) -> int:
        return window_bounds(window, at_us)[1]


def window_bounds(window: Window, at_us: int) -> tuple[int, int]:
    """First and one-past-last microsecond of the UTC calendar window that holds `at_us`."""
    moment = to_datetime(at_us)
    start = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if window is Window.MONTH:
        start = start.replace(day=1)
        end = (start + timedelta(days=32)).replace(day=1)
    else:
        end = start + timedelta(days=1)
    return to_us(start), to_us(end)
