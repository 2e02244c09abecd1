"""Whether a path spends: each route of FastAPI says so itself, where it is declared.

    @router.get("/v1/models", openapi_extra=SPENDS_NOTHING)

A route that says nothing is an error at the start, so that no path that spends can be forgotten by
the guard, which stops at an empty budget. The mark stands in `/openapi.json`, too.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Route, compile_path

_MARK = "x-steelyard-spends"
SPENDS: Final[dict[str, Any]] = {_MARK: True}
SPENDS_NOTHING: Final[dict[str, Any]] = {_MARK: False}


@dataclass(frozen=True, slots=True)
class GatewayPath:
    """One method at one path, which may hold parameters: `/v1/batches/{batch_id}`."""

    method: str
    path: str
    spends: bool


class SpendingPaths:
    """Which paths of requests spend; one with parameters spends whatever they are."""

    def __init__(self, paths: Iterable[GatewayPath]) -> None:
        spending = {each.path for each in paths if each.spends}
        self._whole = frozenset(path for path in spending if "{" not in path)
        self._patterns: tuple[re.Pattern[str], ...] = tuple(
            compile_path(path)[0] for path in sorted(spending - self._whole)
        )

    def include(self, path: str) -> bool:
        """Whether a request to `path` would spend."""
        return path in self._whole or any(pattern.match(path) for pattern in self._patterns)


def paths_of(app: FastAPI) -> list[GatewayPath]:
    """Every path of FastAPI's face, whether in its schema or not. Raises TypeError for one without a mark."""
    own = {app.openapi_url, app.docs_url, app.redoc_url, app.swagger_ui_oauth2_redirect_url}
    found: list[GatewayPath] = []
    for context in iter_route_contexts(app.routes):
        route, path = context.original_route, context.path
        if not isinstance(route, Route) or path is None:
            raise TypeError(f"{type(route).__name__} is a kind of route that the guard does not know")
        spends = _mark_of(route)
        if spends is None and (isinstance(route, APIRoute) or path not in own):
            raise TypeError(
                f"{path} does not say whether it spends; declare it with openapi_extra=SPENDS or SPENDS_NOTHING"
            )
        methods = sorted((context.methods or {"GET"}) - {"HEAD"})
        found.extend(GatewayPath(method, path, bool(spends)) for method in methods)
    return found


def _mark_of(route: Route) -> bool | None:
    mark = (route.openapi_extra or {}).get(_MARK) if isinstance(route, APIRoute) else None
    return mark if isinstance(mark, bool) else None
