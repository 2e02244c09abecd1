"""The organisation and its teams."""

from fastapi import APIRouter

from router.endpoints.admin.access import ADMIN, Who, reached_by
from router.endpoints.admin.desk import Desk, team_of
from router.endpoints.admin.values import Json, Named, team_json
from router.state.office import Office
from router.state.roles import Reach

_READ = reached_by(owner=Reach.ALL, auditor=Reach.ALL, admin=Reach.TEAM, member=Reach.TEAM)
_ORGANISE = reached_by(owner=Reach.ALL)


def teams_router(desk: Desk) -> APIRouter:
    """The paths."""
    router = APIRouter(tags=["teams"])

    @router.get(f"{ADMIN}/teams", summary="The organisation and the teams within reach", openapi_extra=_READ)
    async def teams(who: Who) -> Json:
        def read(office: Office) -> Json:
            found = [team for team in office.directory.teams() if who.reaches(team.name, None)]
            return {"organisation": office.directory.organisation(), "teams": [*map(team_json, found)]}

        return await desk.run(who, read)

    @router.post(
        f"{ADMIN}/teams",
        summary="Make a team, or open a closed one again",
        status_code=201,
        openapi_extra=_ORGANISE,
    )
    async def create_team(who: Who, asked: Named) -> Json:
        return await desk.run(who, lambda office: team_json(office.directory.create_team(asked.name)))

    @router.get(f"{ADMIN}/teams/{{team}}", summary="One team", openapi_extra=_READ)
    async def one_team(who: Who, team: str) -> Json:
        return await desk.run(who, lambda office: team_json(team_of(office, who, team)))

    @router.delete(
        f"{ADMIN}/teams/{{team}}",
        summary="Close a team: its keys open nothing any more",
        status_code=204,
        openapi_extra=_ORGANISE,
    )
    async def close_team(who: Who, team: str, reason: str = "") -> None:
        def close(office: Office) -> None:
            office.directory.close_team(team_of(office, who, team).name, reason)

        await desk.run(who, close)

    return router
