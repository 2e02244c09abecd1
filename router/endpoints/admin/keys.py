"""Keys: made, listed, rotated and revoked, with rights that are never wider than the maker's."""

from fastapi import APIRouter

from router.endpoints.admin.access import ADMIN, Asker, Who, reached_by
from router.endpoints.admin.desk import Desk, key_of, member_of, team_of
from router.endpoints.admin.values import Json, NewKey, Rotation, key_json
from router.errors import ForbiddenError
from router.state.keys import StoredKey
from router.state.office import Office
from router.state.rights import within
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
            rights = within(asked.rights, who.key.rights)
            return key_json(*office.register.create(name, asked.name, rights))

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
            rights = within(asked.rights, who.key.rights)
            made = office.register.create(member.team, asked.name, rights, member_id=member.member_id)
            return key_json(*made)

        return await desk.run(who, create)

    @router.post(
        f"{ADMIN}/keys/{{key_id}}/rotate",
        summary="Give a key a new text, which is in this answer and nowhere else",
        openapi_extra=_CHANGE,
    )
    async def rotate(who: Who, key_id: str, asked: Rotation) -> Json:
        def turn(office: Office) -> Json:
            key = key_of(office, who, key_id)
            _refuse_wider(who, key)
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


def _refuse_wider(who: Asker, key: StoredKey) -> None:
    """Whoever rotates a key gets its text, and with it all that it may."""
    if key.member_id is not None and key.role is not None:
        _refuse_to_act_as(who, key.member_id, key.role)
    if within(key.rights, who.key.rights) != key.rights:
        raise ForbiddenError(
            "the key may do more than the key that rotates it; use a key without a scope",
            code="wider_rights",
        )
