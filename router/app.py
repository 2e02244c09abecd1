"""The composition root: builds everything once, from settings to the guard.

Hot `/v1` routes are plain ASGI callables in front of FastAPI, which serves the rest (FastAPI
costs 70-100 microseconds a request).
"""

import asyncio
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from ledger.changes import GATEWAY, record_states
from ledger.clock import Clock, system_clock
from ledger.ledger import Ledger, read_only_engine
from policies.loading import Policies
from router.accounts import Accounts
from router.admission import Admission
from router.afterwards import Afterwards
from router.asgi import App, Receive, Scope, Send
from router.attempts import Attempts
from router.auditing import Auditor
from router.body_room import BodyRoom
from router.bounded_bodies import BoundedBodies
from router.cascade import Cascade
from router.catalog import Catalog
from router.checking import Checker
from router.conversations import Conversations
from router.counting import PromptCounter
from router.endpoints.admin.access import asker_of, refuse_undeclared
from router.endpoints.admin.desk import Desk
from router.endpoints.admin.routes import admin_routers
from router.endpoints.chat_completions import ChatCompletions
from router.endpoints.health import health_router
from router.endpoints.models import models_router
from router.endpoints.requests import requests_router
from router.endpoints.spending import GatewayPath, SpendingPaths, paths_of
from router.errors import GatewayError, InvalidRequestError, MethodNotAllowedError, NotFoundError
from router.followups import FollowUps
from router.generation_auditing import GenerationAuditor
from router.grading import Grader
from router.guard import Guard
from router.limits import policy_limits
from router.pipeline import Pipeline
from router.planning import Planner
from router.policies_in_force import PoliciesInForce
from router.presence import take_presence
from router.pricing import missing_prices
from router.processes.counters import TokenCounter
from router.processes.litellm_settings import LitellmSettings
from router.provider_settings import ProviderKind, ProviderSettings
from router.providers.anthropic import Anthropic
from router.providers.base import Provider
from router.providers.litellm import Litellm
from router.providers.local.build import build_engine
from router.providers.local.engine import LocalEngine
from router.providers.local.provider import LocalProvider
from router.providers.openai_compatible import OpenAICompatible
from router.providers.pool import Pool
from router.sampling import Sampling
from router.settings import Settings
from router.state.keys import KeyStore
from router.state.office import StatePlace, place_of
from router.telemetry import Telemetry
from router.wire.json_error import error_body
from verifiers.gate import Gate


@dataclass
class Gateway:
    """Everything that a running gateway holds, and its end."""

    app: App
    paths: tuple[GatewayPath, ...]
    """Every path of both faces."""
    ledger: Ledger
    keys: KeyStore
    engines: Mapping[str, LocalEngine]
    providers: dict[str, Provider]
    """Those that are asked: another one in a name's place is asked in its stead."""
    pool: Pool
    counter: TokenCounter
    afterwards: Afterwards
    policies: PoliciesInForce
    telemetry: Telemetry
    presence: IO[bytes]
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def start(self) -> None:
        """Begin to load the local engines and to watch the policies; the gateway answers meanwhile."""
        self._tasks = [
            asyncio.create_task(self.policies.watch()),
            *(asyncio.create_task(self._load(name, engine)) for name, engine in self.engines.items()),
            *(
                asyncio.create_task(self._load(name, provider))
                for name, provider in self.providers.items()
                if isinstance(provider, Litellm)
            ),
        ]

    async def _load(self, name: str, engine: LocalEngine | Litellm) -> None:
        try:
            await engine.load()
        except Exception as error:  # noqa: BLE001  the boundary of a task: recorded; the route answers 503 and says why
            self.telemetry.event(
                "engine_failed", route=name, error=type(error).__name__, detail=str(error)[:500]
            )
        else:
            self.telemetry.event("engine_ready", route=name)

    async def close(self) -> None:
        """Stop engines and helpers, give back connections, write what the ledger still holds."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.afterwards.close()
        for engine in self.engines.values():
            await engine.close()
        for provider in self.providers.values():
            await provider.close()
        await self.pool.aclose()
        await self.counter.close()
        await asyncio.to_thread(self.ledger.close)
        self.keys.close()
        self.presence.close()
        self.telemetry.flush()


def build(settings: Settings, *, clock: Clock = system_clock) -> Gateway:
    """Build the gateway. Must be called in a running event loop; raises the errors of its parts."""
    telemetry = Telemetry(clock, requests=settings.log_requests)
    place = place_of(settings, clock)
    pepper = place.peppers().current.secret
    keys = KeyStore(place.path, place.peppers, clock)
    ledger = _open_ledger(settings, keys, clock)
    presence = take_presence(settings.data_dir)
    if ledger.recovered:
        telemetry.event("recovered", attempts_posted_at_their_bound=len(ledger.recovered))
    ledger.ensure_prices(missing_prices(settings, ledger.prices, clock()))
    policies = _policies_in_force(settings, place, ledger, telemetry)

    pool = Pool()
    catalog = Catalog(settings.routes)
    engines = {name: build_engine(engine) for name, engine in settings.engines.items()}
    providers: dict[str, Provider] = {
        provider.name: _hosted(provider, pool, clock) for provider in settings.providers
    }
    providers.update({name: LocalProvider(name, engine) for name, engine in engines.items()})
    token_counter = TokenCounter(settings.data_dir / "tokenizers")
    counter = PromptCounter(token_counter, engines)
    accounts = Accounts(ledger, clock)

    def failed(request_id: str, error: BaseException) -> None:
        telemetry.failure(request_id, error, traceback.extract_tb(error.__traceback__))

    cascade, checker = Cascade(Attempts(providers, counter, clock)), Checker(Gate())
    afterwards = Afterwards(failed)
    auditor = Auditor(cascade, checker)
    pipeline = Pipeline(
        catalog=catalog,
        prices=ledger.prices,
        sampling=Sampling(),
        admission=Admission(Planner(catalog, ledger.prices), accounts, counter),
        accounts=accounts,
        cascade=cascade,
        checker=checker,
        auditor=auditor,
        followups=FollowUps(auditor, Grader(cascade), GenerationAuditor(cascade)),
        afterwards=afterwards,
        conversations=Conversations(clock),
        clock=clock,
        pepper=pepper,
    )
    room = BodyRoom(settings.bodies_bytes_max)
    hot: dict[str, App] = {"/v1/chat/completions": ChatCompletions(pipeline, settings.body_bytes_max, room)}
    cold = _cold_face(settings, catalog, accounts, keys, engines, policies, clock)
    _add_admin_face(cold, Desk(place, keys, ledger, read_only_engine(ledger.path), clock))
    paths = (*(GatewayPath("POST", path, spends=True) for path in hot), *paths_of(cold))
    guard = Guard(
        _Faces(hot, BoundedBodies(cold, settings.body_bytes_max, room)),
        spends=SpendingPaths(paths).include,
        keys=keys,
        policies=policies,
        ledger=ledger,
        clock=clock,
        telemetry=telemetry,
        on_state_change=ledger.refresh,
    )
    return Gateway(
        guard, paths, ledger, keys, engines, providers, pool, token_counter, afterwards, policies, telemetry, presence,
    )  # fmt: skip


def _open_ledger(settings: Settings, keys: KeyStore, clock: Clock) -> Ledger:
    """Open the ledger for the running event loop, its budgets with what keys spent out of those of others."""
    loop = asyncio.get_running_loop()

    def notify(callbacks: Sequence[Callable[[], None]]) -> None:
        loop.call_soon_threadsafe(_run_all, callbacks)

    ledger = Ledger.open(
        settings.ledger_path, clock=clock, disk_reserve_bytes=settings.disk_reserve_bytes, notify=notify
    )
    ledger.budgets.add_drawn({key.key_id: key.rights.draws_on for key in keys.all()}, clock())
    return ledger


def _hosted(provider: ProviderSettings, pool: Pool, clock: Clock) -> Provider:
    match provider.kind:
        case ProviderKind.OPENAI_COMPATIBLE:
            return OpenAICompatible(provider.name, provider.base_url, provider.api_key, pool)
        case ProviderKind.ANTHROPIC:
            return Anthropic(provider.name, provider.base_url, provider.api_key, pool, clock)
        case ProviderKind.LITELLM:
            told = LitellmSettings.of(provider.vendor, provider.base_url, provider.api_key, provider.options)
            return Litellm(provider.name, told, pool)


def _policies_in_force(
    settings: Settings, place: StatePlace, ledger: Ledger, telemetry: Telemetry
) -> PoliciesInForce:
    """Put the policies in force that were read, and those that will be: their teams, limits and hashes."""

    def record(policies: Policies) -> None:
        with place.opened(GATEWAY) as office:
            office.file.deliver()  # and what a crash left on its way into the ledger
            office.directory.ensure_teams(tuple(policies.teams))
        states = {
            policy.team: {"file": policy.file, "sha256": policy.policy_hash}
            for policy in policies.teams.values()
        }
        record_states(settings.ledger_path, "policy", states, by=GATEWAY, at_us=place.clock())

    def limit(policies: Policies) -> None:
        ledger.budgets.set_policy_limits(policy_limits(policies))

    record(settings.policies)
    limit(settings.policies)
    folder, routes = settings.policies_dir, settings.route_facts
    return PoliciesInForce(settings.policies, folder, routes, record, limit, telemetry)


def _run_all(callbacks: Sequence[Callable[[], None]]) -> None:
    for callback in callbacks:
        callback()


class _Faces:
    """The hot routes first, FastAPI for the rest."""

    def __init__(self, hot: Mapping[str, App], cold: App) -> None:
        self._hot = hot
        self._cold = cold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._hot.get(scope.get("path", ""), self._cold)
        await app(scope, receive, send)


def _cold_face(
    settings: Settings,
    catalog: Catalog,
    accounts: Accounts,
    keys: KeyStore,
    engines: Mapping[str, LocalEngine],
    policies: PoliciesInForce,
    clock: Clock,
) -> FastAPI:
    app = FastAPI(title="Steelyard", version=settings.version, redoc_url=None)
    app.include_router(models_router(catalog, clock()))
    app.include_router(requests_router(read_only_engine(settings.ledger_path), accounts, keys, clock))
    app.include_router(health_router(accounts.ledger, engines, policies))
    app.add_exception_handler(GatewayError, _gateway_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(Exception, _unexpected)
    return app


def _add_admin_face(app: FastAPI, desk: Desk) -> None:
    for router in admin_routers(desk):
        app.include_router(router, dependencies=[Depends(asker_of)])
    refuse_undeclared(app)


def _as_response(error: GatewayError) -> Response:
    headers = {name.decode(): value.decode() for name, value in error.headers}
    return Response(error_body(error), error.status, headers, "application/json")


async def _gateway_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, GatewayError):
        raise error
    return _as_response(error)


async def _unexpected(_request: Request, error: Exception) -> Response:
    """Leave it to the guard, which logs it and answers; Starlette would answer in plain text by itself."""
    raise error


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        return _as_response(MethodNotAllowedError(f"{request.url.path} does not take {request.method}"))
    return _as_response(
        NotFoundError(
            f"there is nothing at {request.url.path[:120]}; with your key, GET /openapi.json lists what there is "
            "besides POST /v1/chat/completions"
        )
    )


async def _validation_error(_request: Request, error: Exception) -> Response:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": (), "msg": "invalid"}
    param = ".".join(str(step) for step in first["loc"][1:])
    return _as_response(InvalidRequestError(f"{param}: {first['msg']}", param=param or None))
