"""Who reaches a path: each route says so itself, where it is declared, and nothing else decides.

    @router.get(f"{ADMIN}/teams/{{team}}", openapi_extra=reached_by(owner=Reach.ALL, admin=Reach.TEAM))

A role that is not named gets 403 before anything is looked up. An object that is there but out of
the role's reach is answered as one that is not there: nobody learns what other teams have. The
objects are what the path's own parameters name: a team, a project, a key, a member, a request.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts

from ledger.changes import Actor, ActorKind
from router.endpoints.spending import SPENDS_NOTHING
from router.errors import ForbiddenError
from router.state.keys import StoredKey
from router.state.roles import Reach, Role

ADMIN = "/v1/steelyard/admin"
_MARK = "x-steelyard-reach"


@dataclass(frozen=True, slots=True)
class Asker:
    """A member who asks, and how far the path lets them reach."""

    key: StoredKey
    member_id: str
    role: Role
    reach: Reach

    @property
    def team(self) -> str | None:
        """The team of a role in a team."""
        return self.key.team

    @property
    def actor(self) -> Actor:
        """Who changes something, as the ledger's changes name them."""
        return Actor(ActorKind.MEMBER, self.member_id, self.key.key_id)

    def reaches(self, team: str | None, member_id: str | None) -> bool:
        """Whether an object of `team` that belongs to `member_id` is within reach."""
        match self.reach:
            case Reach.ALL:
                return True
            case Reach.TEAM:
                return team is not None and team == self.team
            case Reach.SELF:
                return member_id is not None and member_id == self.member_id


def reached_by(**reach: Reach) -> dict[str, Any]:
    """What a route declares: how far each role reaches there; a role that is not named, not at all."""
    return {**SPENDS_NOTHING, _MARK: {Role(role).value: reach.value for role, reach in reach.items()}}


def asker_of(request: Request) -> Asker:
    """Say who asks at the route of `request`. Raises ForbiddenError for a role that it does not name."""
    key: StoredKey = request.scope["steelyard.key"]
    if key.role is None or key.member_id is None:
        raise ForbiddenError(
            "this key belongs to no member, so it administers nothing; use a member's own key, which "
            "`steelyard keys create --member` makes"
        )
    rules = reach_of(request.scope["route"])
    if key.role.value not in rules:
        raise ForbiddenError(f"the role {key.role} does not do this; it takes one of: {', '.join(rules)}")
    return Asker(key, key.member_id, key.role, Reach(rules[key.role.value]))


Who = Annotated[Asker, Depends(asker_of)]
"""Who asks, for a route's own use."""


def reach_of(route: APIRoute) -> dict[str, str]:
    """What a route declares, by role. Raises TypeError if it declares nothing."""
    found = (route.openapi_extra or {}).get(_MARK)
    if not isinstance(found, dict):
        raise TypeError(
            f"{route.path} does not say who reaches it; declare it with openapi_extra=reached_by(...)"
        )
    return found


def refuse_undeclared(app: FastAPI) -> None:
    """Refuse at the start an admin path that anybody forgot. Raises TypeError."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if context.path is not None and context.path.startswith(f"{ADMIN}/"):
            if not isinstance(route, APIRoute):
                raise TypeError(f"{context.path} is an admin path that declares nothing")
            reach_of(route)
