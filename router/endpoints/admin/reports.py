"""Reports, the path of a request, and who changed what: for those who audit. No prompt is kept anywhere."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from ledger.changes import recent_changes
from ledger.clock import to_us
from ledger.report_values import Dimension
from ledger.reports import spend_report
from router.endpoints.admin.access import ADMIN, Who, reached_by
from router.endpoints.admin.desk import Desk, team_of
from router.endpoints.admin.values import Json, change_json
from router.report_formats import report_json
from router.state.roles import Reach

CHANGES_MAX = 1_000
_ORGANISATION = reached_by(owner=Reach.ALL, auditor=Reach.ALL)
_TEAM = reached_by(owner=Reach.ALL, auditor=Reach.ALL, admin=Reach.TEAM)
_REQUEST = reached_by(owner=Reach.ALL, auditor=Reach.ALL, admin=Reach.TEAM, member=Reach.SELF)

By = Annotated[Sequence[Dimension], Query(description="Repeat it to group by several.")]
Moment = Annotated[AwareDatetime | None, Query(description="e.g. 2026-11-01T00:00:00Z")]
Many = Annotated[int, Query(ge=1, le=CHANGES_MAX)]


def reports_router(desk: Desk) -> APIRouter:
    """The paths."""
    router = APIRouter(tags=["reports"])

    async def report(team: str | None, by: Sequence[Dimension], since: Moment, until: Moment) -> Json:
        found = await asyncio.to_thread(
            partial(
                spend_report,
                desk.ledger_engine,
                team=team,
                from_us=to_us(since) if since is not None else None,
                to_us=to_us(until) if until is not None else None,
                by=by,
            )
        )
        return dict(report_json(found, None, ()))

    @router.get(f"{ADMIN}/report", summary="What all teams spent", openapi_extra=_ORGANISATION)
    async def of_all(
        by: By = (Dimension.TEAM,),
        since: Moment = None,
        until: Moment = None,
    ) -> Json:
        return await report(None, by, since, until)

    @router.get(f"{ADMIN}/teams/{{team}}/report", summary="What a team spent", openapi_extra=_TEAM)
    async def of_team(
        who: Who,
        team: str,
        by: By = (Dimension.MODEL,),
        since: Moment = None,
        until: Moment = None,
    ) -> Json:
        found = await desk.run(who, lambda office: team_of(office, who, team))
        return await report(found.name, by, since, until)

    @router.get(
        f"{ADMIN}/requests/{{request_id}}",
        summary="Every attempt of one request, its money and reasons",
        openapi_extra=_REQUEST,
    )
    async def request_path(who: Who, request_id: str) -> dict[str, Any]:
        return dict((await desk.history(who, request_id)).to_json())

    @router.get(f"{ADMIN}/changes", summary="Who changed what, newest first", openapi_extra=_ORGANISATION)
    async def changes(limit: Many = 100) -> Json:
        found = await asyncio.to_thread(partial(recent_changes, desk.ledger_engine, limit=limit))
        return {"changes": [*map(change_json, found)]}

    @router.get(f"{ADMIN}/teams/{{team}}/changes", summary="Who changed what of a team", openapi_extra=_TEAM)
    async def changes_of_team(who: Who, team: str, limit: Many = 100) -> Json:
        name = (await desk.run(who, lambda office: team_of(office, who, team))).name
        found = await asyncio.to_thread(partial(recent_changes, desk.ledger_engine, team=name, limit=limit))
        return {"changes": [*map(change_json, found)]}

    return router
