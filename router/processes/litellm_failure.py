"""Why litellm gave no answer, in the few words that the gateway acts on.

By what went over the wire first, then by litellm's class. No message of its own is repeated: it may hold the
prompt.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx

from router.processes.litellm_cause import Cause
from router.processes.litellm_fence import EgressRefusedError
from router.processes.litellm_wire import Wire

_CODES = {
    "ContextWindowExceededError": "context_length_exceeded",
    "ContentPolicyViolationError": "content_policy_violation",
}
_UNREACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


@dataclass(frozen=True, slots=True)
class Failure:
    """What an error is answered with: a status as the provider's own, or a cause that is none of its."""

    status: int
    code: str | None = None
    cause: Cause | None = None
    retry_after: str | None = None


class StreamCutError(Exception):
    """A stream ended without the provider's finish reason; litellm would have made one up."""


def failure_of(error: BaseException, wire: Wire, fields: Mapping[str, object]) -> Failure:
    """Say what `error`, raised for a request of `fields`, means."""
    chain = (*_chain(error), *_chain(wire.failure))
    code = next((_CODES[type(each).__name__] for each in chain if type(each).__name__ in _CODES), wire.code)
    if wire.status is not None and wire.status >= 300:
        return Failure(wire.status, code, retry_after=wire.retry_after)
    if wire.status is None:
        refused = next((each for each in chain if isinstance(each, EgressRefusedError)), None)
        if refused is not None:
            return Failure(502, str(refused)[:300], Cause.EGRESS)
    if not wire.sent:
        return Failure(400, _unsent(error, fields, code))
    return Failure(502, code, _cause(chain, wire))


def _unsent(error: BaseException, fields: Mapping[str, object], code: str | None) -> str:
    if type(error).__name__ == "UnsupportedParamsError":
        quoted = set(re.findall(r"['`]([a-z_]{1,60})['`]", str(error)))
        field = next((name for name in fields if name in quoted), None)
        return f"unsupported_{field}" if field is not None else "unsupported_field"
    return code or type(error).__name__


def _cause(chain: tuple[BaseException, ...], wire: Wire) -> Cause:
    if wire.status is None and isinstance(wire.failure, _UNREACHED):
        return Cause.UNREACHABLE
    if any(isinstance(each, (httpx.TimeoutException, TimeoutError)) for each in chain):
        return Cause.TIMEOUT
    if any(isinstance(each, httpx.TransportError) for each in chain):
        return Cause.BROKEN
    return Cause.INVALID


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
