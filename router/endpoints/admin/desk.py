"""The desk: runs an errand in the state file, in a thread, after it has seen that the asker reaches what
the path names."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from sqlalchemy.engine import Engine

from ledger.budgets import Limit, Scope, ScopeKind, Window
from ledger.clock import Clock
from ledger.errors import LedgerError, MoneyError
from ledger.history import RequestHistory, request_history
from ledger.ledger import Ledger, read_limits, set_limit
from ledger.money import parse_usd
from router.endpoints.admin.access import Asker
from router.endpoints.admin.values import NewLimit
from router.errors import ForbiddenError, InvalidRequestError, NotFoundError, UnavailableError
from router.state.directory import Member, Project, Team
from router.state.keys import KeyStore, StoredKey
from router.state.office import Office, StatePlace
from router.state.roles import Role

T = TypeVar("T")


class Desk:
    """What the admin API works with."""

    def __init__(
        self, place: StatePlace, keys: KeyStore, ledger: Ledger, ledger_engine: Engine, clock: Clock
    ) -> None:
        self.place = place
        self.ledger = ledger
        self.ledger_engine = ledger_engine
        self.clock = clock
        self._keys = keys

    async def run(self, who: Asker, errand: Callable[[Office], T]) -> T:
        """Run `errand` for `who`; what it changed holds from the next request on."""
        with _ledger_errors():
            found = await asyncio.to_thread(self._run, who, errand)
        self._keys.refresh()
        return found

    async def set_limit(
        self, who: Asker, scope: Scope, team: str | None, window: Window, asked: NewLimit
    ) -> None:
        """Set a limit that holds from the next request on. Raises InvalidRequestError for no amount."""
        try:
            amount = parse_usd(asked.amount_usd) if asked.amount_usd is not None else None
        except MoneyError as error:
            raise InvalidRequestError(str(error), param="amount_usd") from error
        with _ledger_errors():
            await asyncio.to_thread(self._set_limit, who, scope, team, window, amount, asked.reason)
        self.ledger.refresh()

    def _set_limit(
        self, who: Asker, scope: Scope, team: str | None, window: Window, amount: int | None, reason: str
    ) -> None:
        path, by = self.ledger.path, who.actor
        if who.role is Role.ADMIN and scope.kind is ScopeKind.TEAM:
            _refuse_to_raise(read_limits(path), scope, window, amount)
        set_limit(path, scope, window, amount, at_us=self.clock(), by=by, reason=reason, team=team)

    async def history(self, who: Asker, request_id: str) -> RequestHistory:
        """The path of one request within reach. Raises NotFoundError."""
        history = await asyncio.to_thread(request_history, self.ledger_engine, request_id)
        if history is not None:
            holder = await self.run(who, partial(_holder, history.request.key_id))
            if who.reaches(history.request.team, holder):
                return history
        raise absent("request_id", request_id)

    def _run(self, who: Asker, errand: Callable[[Office], T]) -> T:
        with self.place.opened(who.actor) as office:
            return errand(office)


@contextmanager
def _ledger_errors() -> Iterator[None]:
    """Raises UnavailableError for a file that takes nothing now."""
    try:
        yield
    except LedgerError as error:
        raise UnavailableError(str(error)) from error


def _refuse_to_raise(limits: list[Limit], scope: Scope, window: Window, amount: int | None) -> None:
    standing = [limit.amount_nano_usd for limit in limits if (limit.scope, limit.window) == (scope, window)]
    if amount is None or any(amount > each for each in standing):
        raise ForbiddenError(
            "an admin may set or lower a team's limit; to raise or lift one it takes an owner"
        )


def team_of(office: Office, who: Asker, name: str) -> Team:
    """A team within reach. Raises NotFoundError."""
    for team in office.directory.teams():
        if team.name == name and who.reaches(team.name, None):
            return team
    raise absent("team", name)


def project_of(office: Office, who: Asker, team: str, name: str) -> Project:
    """A project of a team within reach. Raises NotFoundError."""
    team_of(office, who, team)
    for project in office.directory.projects(team):
        if project.name == name:
            return project
    raise absent("project", name)


def member_of(office: Office, who: Asker, member_id: str) -> Member:
    """A member within reach who was not removed. Raises NotFoundError."""
    for member in office.directory.members():
        if member.member_id == member_id and member.removed_at_us is None:
            if who.reaches(member.team, member.member_id):
                return member
            break
    raise absent("member_id", member_id)


def key_of(office: Office, who: Asker, key_id: str) -> StoredKey:
    """A key within reach. Raises NotFoundError."""
    for key in office.register.all():
        if key.key_id == key_id and who.reaches(key.team, key.member_id):
            return key
    raise absent("key_id", key_id)


def absent(param: str, name: str) -> NotFoundError:
    """What is said of an object that is not there, and of one that is another's: the same."""
    return NotFoundError(f"you have no {param.removesuffix('_id')} '{name[:64]}'", param=param)


def _holder(key_id: str, office: Office) -> str | None:
    return next((key.member_id for key in office.register.all() if key.key_id == key_id), None)
