"""GET /v1/steelyard/requests/{id}: the path of one request of the caller's own team."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy.engine import Engine

from ledger.history import request_history
from router.caller import Caller
from router.endpoints.spending import SPENDS_NOTHING
from router.errors import NotFoundError


def requests_router(ledger_engine: Engine) -> APIRouter:
    """The path, over a read-only engine of the ledger."""
    router = APIRouter()

    @router.get(
        "/v1/steelyard/requests/{request_id}",
        summary="Every attempt of one request, its money and reasons",
        openapi_extra=SPENDS_NOTHING,
    )
    async def request_path(request: Request, request_id: str) -> dict[str, Any]:
        caller: Caller = request.scope["steelyard.caller"]
        history = await asyncio.to_thread(request_history, ledger_engine, request_id)
        if history is None or history.request.team != caller.team:
            raise NotFoundError(
                "this team has no such request; a request's id is in the header x-steelyard-request-id",
                param="request_id",
                code="request_not_found",
            )
        return dict(history.to_json())

    return router
