"""litellm itself: one request, whole or in chunks. Imported in litellm's own process, once the fence stands."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import litellm

from router.json_types import JsonObject
from router.processes.litellm_failure import StreamCutError
from router.processes.litellm_settings import LitellmSettings
from router.processes.litellm_shapes import answer_of, chunk_of, usage_chunk_of
from router.processes.litellm_wire import watch

CONNECT_S = 10.0
UNBOUNDED_S = 86_400.0
"""The gateway keeps the deadline, and closes its connection to us then."""


class UnknownVendorError(Exception):
    """litellm knows no such provider."""


def set_up(settings: LitellmSettings) -> None:
    """Leave of litellm the translation alone. Raises UnknownVendorError."""
    litellm.suppress_debug_info = True
    litellm.turn_off_message_logging = True
    litellm.disable_streaming_logging = True
    litellm.disable_aiohttp_transport = True
    litellm.telemetry = False
    litellm.drop_params = False
    litellm.modify_params = False
    litellm.num_retries = 0
    litellm.callbacks = []
    litellm.cache = None
    if settings.vendor not in {str(getattr(each, "value", each)) for each in litellm.provider_list}:
        raise UnknownVendorError
    watch()


async def ask(settings: LitellmSettings, body: JsonObject) -> Any:
    """Send one request. Raises whatever litellm does."""
    timeout = httpx.Timeout(UNBOUNDED_S, connect=CONNECT_S)
    return await litellm.acompletion(**{**body, **settings.arguments(), "timeout": timeout})


def whole(answer: Any) -> JsonObject:
    """A whole answer."""
    return answer_of(answer.model_dump())


async def chunks(stream: Any) -> AsyncIterator[JsonObject]:
    """A stream's chunks. Raises StreamCutError where the provider gave no finish reason."""
    try:
        async for chunk in stream:
            told: JsonObject = chunk.model_dump()
            if told.get("usage") is not None:
                if any(getattr(each, "usage", None) is not None for each in stream.chunks):
                    yield usage_chunk_of(
                        told
                    )  # of the provider's; else litellm has counted, which we do better
                continue
            made = chunk_of(told)
            ends = any(
                isinstance(choice, dict) and choice["finish_reason"] for choice in _list(made["choices"])
            )
            if ends and stream.received_finish_reason is None and stream.intermittent_finish_reason is None:
                raise StreamCutError
            yield made
    finally:
        with contextlib.suppress(
            httpx.HTTPError, RuntimeError
        ):  # it is over; what its end fails with is nobody's
            await stream.aclose()


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
