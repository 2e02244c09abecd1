"""GET /healthz: the process lives. GET /readyz: it can answer, and if not, why. Neither needs a key."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from ledger.ledger import Ledger
from router.endpoints.spending import SPENDS_NOTHING
from router.policies_in_force import PoliciesInForce
from router.providers.local.engine import EngineState, LocalEngine


def health_router(ledger: Ledger, engines: Mapping[str, LocalEngine], policies: PoliciesInForce) -> APIRouter:
    """The two paths."""
    router = APIRouter()

    @router.get("/healthz", summary="Whether the process lives", openapi_extra=SPENDS_NOTHING)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz", summary="Whether the gateway can answer", openapi_extra=SPENDS_NOTHING)
    async def readyz(response: Response) -> dict[str, Any]:
        parts: dict[str, str] = {}
        status = ledger.status()
        parts["ledger"] = "ok" if status.accepting else status.detail
        for name, engine in engines.items():
            health = await engine.health()
            parts[f"route {name}"] = "ok" if health.state is EngineState.READY else health.state.value
        ready = all(part == "ok" for part in parts.values())
        parts["policies"] = policies.problem or "ok"  # no less ready for it: those from before are in force
        response.status_code = 200 if ready else 503
        return {"status": "ready" if ready else "not ready", "parts": parts}

    return router
