"""One request within the caller's sight: its path, and what its caller knows about the answer.

A key sees what was asked with it, or with another key of its holder; an admin's sees the team's.
What is out of sight is answered as what is not there.
"""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StrictStr
from sqlalchemy.engine import Engine

from ledger.clock import Clock
from ledger.history import RequestHistory, request_history
from ledger.rows import OutcomeSource, RequestRow
from router.accounts import Accounts
from router.endpoints.spending import SPENDS_NOTHING
from router.errors import NotFoundError
from router.state.keys import KeyStore, StoredKey
from router.state.roles import Role
from router.told_outcomes import TOLD_MAX, Told, told_rows


class ToldOutcome(BaseModel):
    """One thing that is known; without `field`, about the whole answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Literal["right", "wrong"]
    field: Annotated[StrictStr, Field(max_length=200)] = ""


class ToldOutcomes(BaseModel):
    """What is known, and by whom: `person`, or `gold` for an application's own truth."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcomes: Annotated[list[ToldOutcome], Field(min_length=1, max_length=TOLD_MAX)]
    source: Literal["person", "gold"] = "person"


def requests_router(ledger_engine: Engine, accounts: Accounts, keys: KeyStore, clock: Clock) -> APIRouter:
    """The paths; they read the ledger over a read-only engine and write through its one writer."""
    router = APIRouter()

    async def history_of(request: Request, request_id: str) -> RequestHistory:
        key: StoredKey = request.scope["steelyard.key"]
        history = await asyncio.to_thread(request_history, ledger_engine, request_id)
        if history is None or not _sees(key, history.request, keys):
            raise NotFoundError(
                "this key has no such request; a request's id is in the header x-steelyard-request-id",
                param="request_id",
                code="request_not_found",
            )
        return history

    @router.get(
        "/v1/steelyard/requests/{request_id}",
        summary="Every attempt of one request, its money and reasons",
        openapi_extra=SPENDS_NOTHING,
    )
    async def request_path(request: Request, request_id: str) -> dict[str, Any]:
        return dict((await history_of(request, request_id)).to_json())

    @router.post(
        "/v1/steelyard/requests/{request_id}/outcomes",
        summary="Say whether an answer, or a field of it, was right",
        status_code=201,
        openapi_extra=SPENDS_NOTHING,
    )
    async def tell(request: Request, request_id: str, told: ToldOutcomes) -> dict[str, Any]:
        history = await history_of(request, request_id)
        known = [Told(each.field, each.outcome == "right") for each in told.outcomes]
        rows = told_rows(history, known, OutcomeSource(told.source), clock())
        await accounts.written(rows)
        return {"request_id": request_id, "outcome_ids": [row.outcome_id for row in rows]}

    return router


def _sees(key: StoredKey, asked: RequestRow, keys: KeyStore) -> bool:
    if key.team is None or asked.team != key.team:
        return False
    if key.role is Role.ADMIN or asked.key_id == key.key_id:
        return True
    return key.member_id is not None and keys.holder_of(asked.key_id) == key.member_id
