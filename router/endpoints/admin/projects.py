"""The projects of a team."""

from fastapi import APIRouter

from router.endpoints.admin.access import ADMIN, Who, reached_by
from router.endpoints.admin.desk import Desk, project_of, team_of
from router.endpoints.admin.values import Json, Named, project_json
from router.state.office import Office
from router.state.roles import Reach

_READ = reached_by(owner=Reach.ALL, auditor=Reach.ALL, admin=Reach.TEAM, member=Reach.TEAM)
_ARRANGE = reached_by(owner=Reach.ALL, admin=Reach.TEAM)


def projects_router(desk: Desk) -> APIRouter:
    """The paths."""
    router = APIRouter(tags=["projects"])

    @router.get(f"{ADMIN}/teams/{{team}}/projects", summary="A team's projects", openapi_extra=_READ)
    async def projects(who: Who, team: str) -> Json:
        def read(office: Office) -> Json:
            found = office.directory.projects(team_of(office, who, team).name)
            return {"projects": [*map(project_json, found)]}

        return await desk.run(who, read)

    @router.post(
        f"{ADMIN}/teams/{{team}}/projects",
        summary="Make a project, or open a closed one again",
        status_code=201,
        openapi_extra=_ARRANGE,
    )
    async def create_project(who: Who, team: str, asked: Named) -> Json:
        def create(office: Office) -> Json:
            return project_json(office.directory.create_project(team_of(office, who, team).name, asked.name))

        return await desk.run(who, create)

    @router.delete(
        f"{ADMIN}/teams/{{team}}/projects/{{project}}",
        summary="Close a project: its keys open nothing any more",
        status_code=204,
        openapi_extra=_ARRANGE,
    )
    async def close_project(who: Who, team: str, project: str, reason: str = "") -> None:
        def close(office: Office) -> None:
            found = project_of(office, who, team, project)
            office.directory.close_project(found.team, found.name, reason)

        await desk.run(who, close)

    return router
