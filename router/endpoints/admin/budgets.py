"""Budgets: what is spent and held under which limit, and the limits that are set here.

A limit that a policy file states stands beside these: the tighter one holds. An admin may set and
tighten a team's limit; to raise or lift it takes an owner.
"""

from functools import partial
from typing import Literal

from fastapi import APIRouter

from ledger.budgets import Scope, ScopeKind, Window, project_id
from ledger.money import format_usd
from router.endpoints.admin.access import ADMIN, Asker, Who, reached_by
from router.endpoints.admin.desk import Desk, key_of, project_of, team_of
from router.endpoints.admin.values import Json, NewLimit
from router.state.office import Office
from router.state.roles import Reach

_READ = reached_by(owner=Reach.ALL, auditor=Reach.ALL, admin=Reach.TEAM, member=Reach.TEAM)
_READ_KEY = reached_by(owner=Reach.ALL, auditor=Reach.ALL, admin=Reach.TEAM, member=Reach.SELF)
_SET = reached_by(owner=Reach.ALL, admin=Reach.TEAM)

Limited = Literal["day", "month"]
"""Calendar windows, in UTC."""


def budgets_router(desk: Desk) -> APIRouter:
    """The paths."""
    router = APIRouter(tags=["budgets"])

    @router.get(f"{ADMIN}/teams/{{team}}/budgets", summary="A team's limits and spend", openapi_extra=_READ)
    async def of_team(who: Who, team: str) -> Json:
        return _shown(desk, await desk.run(who, partial(_team_scope, who, team)))

    @router.put(
        f"{ADMIN}/teams/{{team}}/budgets/{{window}}", summary="Set a team's limit", openapi_extra=_SET
    )
    async def set_of_team(who: Who, team: str, window: Limited, asked: NewLimit) -> Json:
        scope = await desk.run(who, partial(_team_scope, who, team))
        return await _set(desk, who, scope, team, window, asked)

    project_path = f"{ADMIN}/teams/{{team}}/projects/{{project}}/budgets"

    @router.get(project_path, summary="A project's limits and spend", openapi_extra=_READ)
    async def of_project(who: Who, team: str, project: str) -> Json:
        return _shown(desk, await desk.run(who, partial(_project_scope, who, team, project)))

    @router.put(f"{project_path}/{{window}}", summary="Set a project's limit", openapi_extra=_SET)
    async def set_of_project(who: Who, team: str, project: str, window: Limited, asked: NewLimit) -> Json:
        scope = await desk.run(who, partial(_project_scope, who, team, project))
        return await _set(desk, who, scope, team, window, asked)

    @router.get(
        f"{ADMIN}/keys/{{key_id}}/budgets", summary="A key's limits and spend", openapi_extra=_READ_KEY
    )
    async def of_key(who: Who, key_id: str) -> Json:
        key = await desk.run(who, lambda office: key_of(office, who, key_id))
        return _shown(desk, Scope(ScopeKind.KEY, key.key_id))

    @router.put(
        f"{ADMIN}/keys/{{key_id}}/budgets/{{window}}", summary="Set a key's limit", openapi_extra=_SET
    )
    async def set_of_key(who: Who, key_id: str, window: Limited, asked: NewLimit) -> Json:
        key = await desk.run(who, lambda office: key_of(office, who, key_id))
        return await _set(desk, who, Scope(ScopeKind.KEY, key.key_id), key.team, window, asked)

    return router


def _team_scope(who: Asker, team: str, office: Office) -> Scope:
    return Scope(ScopeKind.TEAM, team_of(office, who, team).name)


def _project_scope(who: Asker, team: str, project: str, office: Office) -> Scope:
    found = project_of(office, who, team, project)
    return Scope(ScopeKind.PROJECT, project_id(found.team, found.name))


async def _set(
    desk: Desk, who: Asker, scope: Scope, team: str | None, window: Limited, asked: NewLimit
) -> Json:
    await desk.set_limit(who, scope, team, Window(window), asked)
    return _shown(desk, scope)


def _shown(desk: Desk, scope: Scope) -> Json:
    at_us = desk.clock()
    budgets = desk.ledger.budgets
    return {
        "scope": {"kind": scope.kind.value, "id": scope.id},
        "spent_usd": {
            window.value: format_usd(budgets.spent(scope, window, at_us))
            for window in (Window.DAY, Window.MONTH)
        },
        "limits": [
            {
                "window": limit.window.value,
                "amount_usd": format_usd(limit.amount_nano_usd),
                "source": limit.source,
            }
            for limit in budgets.limits_of(scope)
        ],
    }
