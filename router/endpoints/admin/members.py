"""Members and their roles: owners give and take them."""

from fastapi import APIRouter

from router.endpoints.admin.access import ADMIN, Who, reached_by
from router.endpoints.admin.desk import Desk, member_of
from router.endpoints.admin.values import Json, NewMember, NewRole, member_json
from router.state.office import Office
from router.state.roles import Reach

_READ = reached_by(owner=Reach.ALL, auditor=Reach.ALL, admin=Reach.TEAM, member=Reach.SELF)
_ORGANISE = reached_by(owner=Reach.ALL)


def members_router(desk: Desk) -> APIRouter:
    """The paths."""
    router = APIRouter(tags=["members"])

    @router.get(f"{ADMIN}/members", summary="The members within reach", openapi_extra=_READ)
    async def members(who: Who) -> Json:
        def read(office: Office) -> Json:
            found = [
                member
                for member in office.directory.members()
                if member.removed_at_us is None and who.reaches(member.team, member.member_id)
            ]
            return {"members": [*map(member_json, found)]}

        return await desk.run(who, read)

    @router.post(f"{ADMIN}/members", summary="Give a person a role", status_code=201, openapi_extra=_ORGANISE)
    async def add_member(who: Who, asked: NewMember) -> Json:
        def add(office: Office) -> Json:
            return member_json(office.directory.add_member(asked.name, asked.role, asked.team))

        return await desk.run(who, add)

    @router.get(f"{ADMIN}/members/{{member_id}}", summary="One member", openapi_extra=_READ)
    async def one_member(who: Who, member_id: str) -> Json:
        return await desk.run(who, lambda office: member_json(member_of(office, who, member_id)))

    @router.patch(
        f"{ADMIN}/members/{{member_id}}", summary="Give a member another role", openapi_extra=_ORGANISE
    )
    async def change_role(who: Who, member_id: str, asked: NewRole) -> Json:
        def change(office: Office) -> Json:
            found = member_of(office, who, member_id)
            return member_json(office.directory.change_role(found.member_id, asked.role, asked.reason))

        return await desk.run(who, change)

    @router.delete(
        f"{ADMIN}/members/{{member_id}}",
        summary="Remove a member: their keys open nothing any more",
        status_code=204,
        openapi_extra=_ORGANISE,
    )
    async def remove(who: Who, member_id: str, reason: str = "") -> None:
        def take(office: Office) -> None:
            office.directory.remove_member(member_of(office, who, member_id).member_id, reason)

        await desk.run(who, take)

    return router
