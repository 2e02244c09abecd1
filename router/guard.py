"""The guard: the outermost layer of both faces. Nothing is reachable around it.

It gives every request its id, checks the key, and stops at an empty budget whoever would spend.
It reads nothing but the path and two headers, so that no body is read for a stranger.
"""

import traceback
from collections.abc import Callable, Sequence

from ledger.budgets import Scope, ScopeKind, project_id
from ledger.clock import Clock
from ledger.ids import RequestId, new_request_id
from ledger.ledger import Ledger
from policies.decision import AtLimit
from router.admission import refusal
from router.asgi import App, Message, Receive, Send, send_error
from router.asgi import Scope as AsgiScope
from router.caller import Caller
from router.errors import AuthenticationError, ForbiddenError, GatewayError, InternalError, PolicyDeniedError
from router.policies_in_force import PoliciesInForce
from router.state.keys import KeyStore, StoredKey
from router.state.rights import allows_path
from router.telemetry import Telemetry
from router.wire.json_error import error_body
from router.wire.sse import event_of

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""The only paths that need no key."""
ADMIN_PREFIX = "/v1/steelyard/admin/"
"""Beneath it a key's role counts, and not its team's policy."""


class Guard:
    """An ASGI application around the others."""

    def __init__(
        self,
        inner: App,
        *,
        spends: Callable[[str], bool],
        keys: KeyStore,
        policies: PoliciesInForce,
        ledger: Ledger,
        clock: Clock,
        telemetry: Telemetry,
        on_state_change: Callable[[], None],
    ) -> None:
        self._inner = inner
        self._spends = spends
        self._keys = keys
        self._policies = policies
        self._ledger = ledger
        self._clock = clock
        self._telemetry = telemetry
        self._on_state_change = on_state_change
        self._callers: dict[str, Caller] = {}
        self._generation = keys.generation
        self._seen = policies.current

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a web socket is not accepted, which the server turns into 403
        at_us = self._clock()
        request_id = new_request_id(at_us)
        watched = _Watched(send, request_id)
        scope["steelyard.request_id"] = request_id
        path = scope["path"]
        key: StoredKey | None = None
        try:
            if path not in OPEN_PATHS:
                key = self._key(scope)
                scope["steelyard.key"] = key
                if key.rights.paths is not None:
                    _refuse_out_of_scope(path, key.rights.paths)
                if not path.startswith(ADMIN_PREFIX) and (key.team is not None or path.startswith("/v1/")):
                    caller = self._callers.get(key.key_id) or self._new_caller(key)
                    scope["steelyard.caller"] = caller
                    if self._spends(path):
                        self._refuse_empty_budget(caller, at_us)
            await self._inner(scope, receive, watched.send)
        except GatewayError as error:
            await watched.fail(error)
        except Exception as error:  # noqa: BLE001  the boundary of a request: recorded, and answered without detail
            self._telemetry.failure(request_id, error, traceback.extract_tb(error.__traceback__))
            await watched.fail(InternalError(f"the gateway failed; its log tells more of {request_id}"))
        finally:
            self._telemetry.request(
                request_id=request_id,
                method=scope["method"],
                path=path,
                status=watched.status,
                team=key.team if key is not None else None,
                key_id=key.key_id if key is not None else None,
                duration_us=self._clock() - at_us,
            )

    def _key(self, scope: AsgiScope) -> StoredKey:
        presented = _presented_key(scope)
        if presented is None:
            raise AuthenticationError(
                "no key: send `Authorization: Bearer sk-steelyard-...`; `steelyard keys create` makes one"
            )
        stored = self._keys.find(presented)
        if self._policies.current is not self._seen:
            self._seen = self._policies.current
            self._callers.clear()
        if self._keys.generation != self._generation:
            self._generation = self._keys.generation
            self._callers.clear()
            self._on_state_change()
        if stored is None:
            raise AuthenticationError(
                "the key is unknown, revoked or expired; ask whoever runs this gateway for another"
            )
        return stored

    def _new_caller(self, stored: StoredKey) -> Caller:
        team, rights = stored.team, stored.rights
        if team is None:
            raise ForbiddenError(
                "this key belongs to no team: it administers and cannot spend. Make a key of a team, with: "
                "steelyard keys create --team TEAM"
            )
        rulebook = self._policies.current.rulebooks.get(team)
        if rulebook is None:
            raise PolicyDeniedError(
                f"team '{team}' has no policy file, so nothing is allowed; add one to the policies folder"
            )
        scopes = [Scope(ScopeKind.TEAM, team)]
        scopes += (Scope(ScopeKind.KEY, key_id) for key_id in (stored.key_id, *rights.draws_on))
        if rights.project is not None:
            scopes.append(Scope(ScopeKind.PROJECT, project_id(team, rights.project)))
        models = frozenset(rights.models) if rights.models is not None else None
        caller = Caller(
            stored.key_id, team, rulebook, tuple(scopes), rights.project, rights.environment, models
        )
        self._callers[stored.key_id] = caller
        return caller

    def _refuse_empty_budget(self, caller: Caller, at_us: int) -> None:
        if caller.policy.at_limit is AtLimit.CHEAP_ONLY:
            return
        shortfall = self._ledger.budgets.exhausted(caller.scopes, at_us)
        if shortfall is not None:
            raise refusal(shortfall)


class _Watched:
    """Notes the status that went out, and puts the request's id on every response."""

    def __init__(self, send: Send, request_id: RequestId) -> None:
        self._send = send
        self._header = (b"x-steelyard-request-id", request_id.encode())
        self._streams = False
        self._ended = False
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            self._streams = any(
                name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers
            )
            if self._header not in headers:
                message = {**message, "headers": [*headers, self._header]}
        else:
            self._ended = not message.get("more_body")
        await self._send(message)

    async def fail(self, error: GatewayError) -> None:
        """Answer with `error`; of a response that has begun, a stream ends with it and all else breaks off."""
        if not self.status:
            await send_error(self.send, error)
        elif self._streams and not self._ended:
            await self.send({"type": "http.response.body", "body": event_of(error_body(error))})
        elif not self._ended:
            raise error


def _refuse_out_of_scope(path: str, paths: Sequence[str]) -> None:
    if not allows_path(paths, path):
        raise ForbiddenError(
            f"this key may not be used at {path[:120]}, only at {', '.join(paths)[:300]}; "
            "use another key, or make one whose paths hold this",
            code="key_scope",
        )


def _presented_key(scope: AsgiScope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, key = value.partition(b" ")
            if scheme.lower() == b"bearer":
                return str(key.strip().decode("latin-1"))
        elif name == b"x-api-key":
            return str(value.strip().decode("latin-1"))
    return None
