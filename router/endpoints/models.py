"""GET /v1/models: what this key may name, in OpenAI's shape."""

from typing import Any

from fastapi import APIRouter, Request

from policies.decision import Allow
from policies.facts import Facts, TaskKind
from router.caller import Caller
from router.catalog import PLAN_NAMES, Catalog
from router.endpoints.spending import SPENDS_NOTHING


def models_router(catalog: Catalog, started_at_us: int) -> APIRouter:
    """The path, for one catalog."""
    router = APIRouter()

    @router.get(
        "/v1/models",
        summary="The plans and models that this key's team may name",
        openapi_extra=SPENDS_NOTHING,
    )
    async def models(request: Request) -> dict[str, Any]:
        caller: Caller = request.scope["steelyard.caller"]
        names = [*sorted(PLAN_NAMES), *catalog.models]
        return {
            "object": "list",
            "data": [
                {
                    "id": name,
                    "object": "model",
                    "created": started_at_us // 1_000_000,
                    "owned_by": "steelyard" if name in PLAN_NAMES else catalog.serving(name)[0].provider,
                }
                for name in names
                if _allowed(caller, name)
            ],
        }

    return router


def _allowed(caller: Caller, name: str) -> bool:
    decisions = (caller.rulebook.decide(_least(caller, name, kind)) for kind in TaskKind)
    return any(
        isinstance(decision, Allow)
        and (caller.models is None or not caller.models.isdisjoint(decision.routes))
        for decision in decisions
    )


def _least(caller: Caller, name: str, kind: TaskKind) -> Facts:
    """A request of which rules take the least: nothing declared, without tools, images or a long text."""
    return Facts(
        caller.team, name, kind, kind.value if kind is TaskKind.GENERATION else "",
        project=caller.project, key_id=caller.key_id, environment=caller.environment,
    )  # fmt: skip
