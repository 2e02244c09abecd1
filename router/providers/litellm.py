"""Providers that only litellm speaks (Bedrock and others), by way of its own process.

The process speaks OpenAI's format on loopback, so what reads that format reads its answers too; here stand
the fields that may be asked, and what its failures mean. The gateway itself never imports litellm.
"""

import asyncio
import ssl

import orjson

from router.call import Call
from router.completion import Completion, CompletionStream
from router.errors import (
    InvalidRequestError,
    UnavailableError,
    UpstreamError,
    UpstreamInvalidError,
    UpstreamTimeoutError,
)
from router.json_types import JsonObject
from router.processes.engine import EngineProcess, ProcessStartError, ProcessState
from router.processes.litellm_cause import CAUSE_HEADER, Cause
from router.processes.litellm_settings import LitellmSettings
from router.providers.exchange import EventStream, expect_events, read_whole
from router.providers.pool import Pool
from router.providers.response import Response, broken
from router.providers.target import Target
from router.wire.stream_limits import stream_bytes_max
from router.wire.upstream_answer import read_answer
from router.wire.upstream_chat import render_chat
from router.wire.upstream_stream import StreamReader

_ASKED = frozenset(
    [
        "model", "messages", "max_tokens", "temperature", "top_p", "n", "stream", "stream_options", "stop",
        "presence_penalty", "frequency_penalty", "logit_bias", "response_format", "seed", "tools",
        "tool_choice", "parallel_tool_calls", "logprobs", "top_logprobs", "reasoning_effort",
    ]
)  # fmt: skip
"""The fields that are passed on. Any other could be an argument of litellm's own: an address, a key."""
_LEFT_OUT = frozenset(["user", "metadata", "store", "safety_identifier", "prompt_cache_key"])
"""What has no effect here."""


class Litellm:
    """One provider."""

    def __init__(self, name: str, settings: LitellmSettings, pool: Pool) -> None:
        self._name = name
        self._pool = pool
        self._door_key = settings.door_key
        self._process = EngineProcess("router.processes.litellm_child", settings.to_line(), _environment())

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid

    async def load(self) -> None:
        """Start the process and wait until it can answer. Raises UnavailableError."""
        try:
            await self._process.start()
        except ProcessStartError as error:
            raise self._unavailable(str(error)) from error

    async def complete(self, call: Call) -> Completion:
        """Answer whole."""
        response = await self._post(call)
        return read_answer(call, await read_whole(self._name, response))

    async def stream(self, call: Call) -> CompletionStream:
        """Begin to answer in pieces."""
        response = await self._post(call)
        await expect_events(self._name, response)
        return EventStream(response, StreamReader(call), stream_bytes_max(call))

    async def close(self) -> None:
        """Stop the process."""
        await self._process.stop()

    async def _post(self, call: Call) -> Response:
        body = _body_of(call)
        try:
            async with asyncio.timeout(call.route.deadline_s):
                await self.load()
        except TimeoutError:
            raise self._unavailable("it is starting") from None
        if self._process.state is not ProcessState.READY:
            raise self._unavailable(self._process.detail)
        headers = {"content-type": "application/json", "authorization": f"Bearer {self._door_key}"}
        url = f"{self._process.greeting['address']}/v1/chat/completions"
        target = Target.of(f"the process of provider '{self._name}'", "POST", url, headers)
        response = await self._pool.send(
            target, body, total_s=call.route.deadline_s, idle_s=call.route.idle_timeout_s
        )
        cause = response.headers.get(CAUSE_HEADER.encode())
        if cause is None:
            return response
        try:
            raise self._failed(Cause(cause.decode()), await response.read())
        finally:
            response.close()

    def _failed(self, cause: Cause, body: bytes) -> UpstreamError:
        name = f"provider '{self._name}'"
        match cause:
            case Cause.UNREACHABLE:
                return UpstreamError(f"{name} cannot be reached", code="upstream_unreachable", billable=False)
            case Cause.EGRESS:
                what = orjson.loads(body)["error"]["code"]
                return UpstreamError(
                    f"{name} was not asked: litellm wanted more than its base_url, and {what}; "
                    "the operator must mend that",
                    code="egress_refused",
                    billable=False,
                )
            case Cause.TIMEOUT:
                return UpstreamTimeoutError(f"{name} did not answer in time", billable=True)
            case Cause.BROKEN:
                return broken(name, "litellm says so")
            case Cause.INVALID:
                return UpstreamInvalidError(f"{name} sent what litellm cannot read", billable=True)

    def _unavailable(self, why: str) -> UnavailableError:
        return UnavailableError(
            f"provider '{self._name}': litellm's process does not serve ({why})", code="engine_unavailable"
        )


def _body_of(call: Call) -> bytes:
    """What litellm is asked. Raises InvalidRequestError for a field that it is not."""
    body: JsonObject = orjson.loads(render_chat(call))
    for name in list(body):
        if name in _LEFT_OUT or body[name] is None:
            del body[name]
        elif name not in _ASKED:
            raise InvalidRequestError(
                f"route '{call.route.name}' does not know {name[:60]}; leave it out", param=name
            )
    return orjson.dumps(body)


def _environment() -> dict[str, str]:
    """All that the process has for an environment: no keys of others, no downloads, no files of AWS's."""
    told = {
        "LITELLM_MODE": "PRODUCTION",  # it reads no .env
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
        "LITELLM_LOCAL_BLOG_POSTS": "True",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    authorities = ssl.get_default_verify_paths().cafile
    if authorities is not None:
        told["SSL_CERT_FILE"] = authorities  # the system's, as for every other provider
    return told
