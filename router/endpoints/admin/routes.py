"""All paths of the admin API."""

from fastapi import APIRouter

from router.endpoints.admin.budgets import budgets_router
from router.endpoints.admin.desk import Desk
from router.endpoints.admin.keys import keys_router
from router.endpoints.admin.members import members_router
from router.endpoints.admin.projects import projects_router
from router.endpoints.admin.reports import reports_router
from router.endpoints.admin.teams import teams_router


def admin_routers(desk: Desk) -> tuple[APIRouter, ...]:
    """One router a family of paths."""
    return (
        teams_router(desk),
        projects_router(desk),
        members_router(desk),
        keys_router(desk),
        budgets_router(desk),
        reports_router(desk),
    )
