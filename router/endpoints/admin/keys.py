"""Keys: made, listed, rotated and revoked, with rights that are never wider than the maker's.

Its budget is one of a key's rights. Whoever could lift it may make keys of their own budget; what
others make spends out of the maker's budget, too, however many they make.
"""

from collections.abc import Collection

from fastapi import APIRouter

from ledger.budgets import Scope, ScopeKind
from router.endpoints.admin.access import ADMIN, Asker, Who, reached_by
from router.endpoints.admin.desk import Desk, key_of, member_of, team_of
from router.endpoints.admin.values import Json, NewKey, Rotation, key_json
from router.errors import ForbiddenError
from router.state.keys import StoredKey
from router.state.office import Office
from router.state.rights import Rights, allows_path, drawing_on, within
from router.state.roles import Reach, Role

_READ = reached_by(owner=Reach.ALL, auditor=Reach.ALL, admin=Reach.TEAM, member=Reach.SELF)
_CHANGE = reached_by(owner=Reach.ALL, admin=Reach.TEAM, member=Reach.SELF)
_OF_TEAM = reached_by(owner=Reach.ALL, admin=Reach.TEAM)


def keys_router(desk: Desk) -> APIRouter:
    """The paths."""
    router = APIRouter(tags=["keys"])

    @router.get(f"{ADMIN}/keys", summary="The keys within reach, without their texts", openapi_extra=_READ)
    async def keys(who: Who) -> Json:
        def read(office: Office) -> Json:
            found = [key for key in office.register.all() if who.reaches(key.team, key.member_id)]
            return {"keys": [*map(key_json, found)]}

        return await desk.run(who, read)

    @router.get(f"{ADMIN}/keys/{{key_id}}", summary="One key, without its text", openapi_extra=_READ)
    async def one_key(who: Who, key_id: str) -> Json:
        return await desk.run(who, lambda office: key_json(key_of(office, who, key_id)))

    @router.post(
        f"{ADMIN}/teams/{{team}}/keys",
        summary="Make a key for an application of a team; its text is in this answer and nowhere else",
        status_code=201,
        openapi_extra=_OF_TEAM,
    )
    async def create_for_team(who: Who, team: str, asked: NewKey) -> Json:
        def create(office: Office) -> Json:
            name = team_of(office, who, team).name
            return key_json(*office.register.create(name, asked.name, _rights_of_new(who, asked)))

        return await desk.run(who, create)

    @router.post(
        f"{ADMIN}/members/{{member_id}}/keys",
        summary="Make a key for a member, which carries their role; its text is in this answer and nowhere else",
        status_code=201,
        openapi_extra=_CHANGE,
    )
    async def create_for_member(who: Who, member_id: str, asked: NewKey) -> Json:
        def create(office: Office) -> Json:
            member = member_of(office, who, member_id)
            _refuse_to_act_as(who, member.member_id, member.role)
            rights = _rights_of_new(who, asked)
            made = office.register.create(member.team, asked.name, rights, member_id=member.member_id)
            return key_json(*made)

        return await desk.run(who, create)

    @router.post(
        f"{ADMIN}/keys/{{key_id}}/rotate",
        summary="Give a key a new text, which is in this answer and nowhere else",
        openapi_extra=_CHANGE,
    )
    async def rotate(who: Who, key_id: str, asked: Rotation) -> Json:
        limited = _limited(desk, who.key)

        def turn(office: Office) -> Json:
            key = key_of(office, who, key_id)
            _refuse_wider(who, key, limited)
            return key_json(*office.register.rotate(key.key_id, asked.overlap_s))

        return await desk.run(who, turn)

    @router.delete(
        f"{ADMIN}/keys/{{key_id}}",
        summary="Revoke a key for good",
        status_code=204,
        openapi_extra=_CHANGE,
    )
    async def revoke(who: Who, key_id: str, reason: str = "") -> None:
        await desk.run(who, lambda office: office.register.revoke(key_of(office, who, key_id).key_id, reason))

    return router


def _refuse_to_act_as(who: Asker, member_id: str, role: Role) -> None:
    """Whoever gets the text of a member's key can act as that member."""
    if who.role is Role.ADMIN and member_id != who.member_id and role is not Role.MEMBER:
        raise ForbiddenError("another admin's keys are theirs, or an owner's, to make and rotate")


def _rights_of_new(who: Asker, asked: NewKey) -> Rights:
    rights, maker = within(asked.rights, who.key.rights), who.key
    return rights if _sets_budgets(maker) else drawing_on(rights, maker.key_id, maker.rights)


def _sets_budgets(key: StoredKey) -> bool:
    """Whether a key could lift its own limit, so that the limit binds nothing that is made with it."""
    path = f"{ADMIN}/keys/{key.key_id}/budgets/day"
    opens = key.rights.paths is None or allows_path(key.rights.paths, path)
    return opens and key.role in (Role.OWNER, Role.ADMIN)


def _limited(desk: Desk, key: StoredKey) -> frozenset[str]:
    """The keys whose limits bind whatever `key` spends."""
    if _sets_budgets(key):
        return frozenset()
    budgets = desk.ledger.budgets
    drawn = (key.key_id, *key.rights.draws_on)
    return frozenset(key_id for key_id in drawn if budgets.limits_of(Scope(ScopeKind.KEY, key_id)))


def _refuse_wider(who: Asker, key: StoredKey, limited: Collection[str]) -> None:
    """Whoever rotates a key gets its text, and with it all that it may and may spend."""
    if key.member_id is not None and key.role is not None:
        _refuse_to_act_as(who, key.member_id, key.role)
    spends_elsewhere = not {key.key_id, *key.rights.draws_on}.issuperset(limited)
    if spends_elsewhere or within(key.rights, who.key.rights) != key.rights:
        raise ForbiddenError(
            "the key may do or spend more than the key that rotates it; use a key without a scope or a limit",
            code="wider_rights",
        )
