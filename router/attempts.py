"""One attempt: a call to one route, and its settlement, whatever happens.

Money is settled by the provider's usage. Without it: a refusal before any token is void; where all that
was written has been seen, by our own count; else (the answer was lost, or the model may have thought out
of sight) at the attempt's bound, so that no budget is overspent. The last two are in suspense.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace

from ledger.clock import Clock
from ledger.rows import State
from ledger.usage import Usage
from router.accounts import Hold
from router.call import Call, Stopwatch
from router.catalog import Origin
from router.completion import Completion, CompletionStream
from router.counting import PromptCounter
from router.errors import ClientLeftError, GatewayError, InvalidRequestError, UnavailableError, UpstreamError
from router.json_types import JsonObject
from router.providers.base import Provider
from router.reply import AnswerHead, Reply
from router.request import ChatRequest
from router.settlement import NO_USAGE, Attempt, Settlement
from router.wire.estimated_usage import generated_text, with_estimate

DRAIN_S_MAX = 60.0
"""How long a stream is read on after its caller has left, so that what was spent is known."""


class Attempts:
    """Runs attempts over the providers."""

    def __init__(self, providers: Mapping[str, Provider], counter: PromptCounter, clock: Clock) -> None:
        self._providers = providers
        self._counter = counter
        self._clock = clock

    async def run(
        self,
        attempt: Attempt,
        request: ChatRequest,
        plain_schema: JsonObject | None,
        hold: Hold,
        head: AnswerHead | None = None,
        reply: Reply | None = None,
        *,
        keep_text: bool = False,
    ) -> Completion:
        """Run a dispatched attempt and settle it. A streamed answer goes out through `reply`, but for its end.
        `keep_text` is for generated text that somebody will judge."""
        planned = attempt.planned
        stopwatch = Stopwatch(self._clock)
        call = Call(request, planned.route, planned.max_tokens, attempt.attempt_id, plain_schema, stopwatch)
        stream: CompletionStream | None = None
        ttft_us: int | None = None
        try:
            try:
                provider = self._providers[call.route.provider]
                if request.stream and head is not None and reply is not None:
                    stream = await provider.stream(call)
                    ttft_us = await self._forward(stream, call, attempt, head, reply)
                    completion = stream.completion()
                elif call.route.origin is Origin.LOCAL and reply is not None:
                    completion = await _unless_left(provider.complete(call), reply)
                else:
                    completion = await provider.complete(call)
            finally:
                if stream is not None:
                    await stream.aclose()
        except BaseException as error:
            await self._settle_failed(call, attempt, hold, error, stream, ttft_us)
            raise
        if keep_text and completion.text is None:
            text = stream.received_text() if stream is not None else generated_text(completion.body)
            completion = replace(completion, text=text)
        return await self._settle_answered(call, attempt, hold, completion, stream, ttft_us)

    async def _forward(
        self, stream: CompletionStream, call: Call, attempt: Attempt, head: AnswerHead, reply: Reply
    ) -> int | None:
        """Send a stream's pieces on; return the microseconds to its first content."""
        ttft_us: int | None = None
        left_at_us: int | None = None
        async for piece in stream:
            if ttft_us is None and piece.has_content:
                ttft_us = self._clock() - attempt.dispatched_at_us
            if reply.client_left:
                now_us = self._clock()
                left_at_us = left_at_us or now_us
                if call.route.origin is Origin.LOCAL or now_us - left_at_us > DRAIN_S_MAX * 1_000_000:
                    raise ClientLeftError("the caller left before its answer was complete")
            elif piece.data:
                await reply.piece(head, piece.data)
        return ttft_us

    async def _settle_answered(
        self,
        call: Call,
        attempt: Attempt,
        hold: Hold,
        completion: Completion,
        stream: CompletionStream | None,
        ttft_us: int | None,
    ) -> Completion:
        """Settle by what the provider said; else our own count stands in the answer, and is what it costs
        unless the model may have thought out of sight."""
        settlement = _answered(completion, ttft_us)
        if completion.usage is not None:
            hold.settle(attempt, settlement)
            return completion
        text = stream.received_text() if stream is not None else generated_text(completion.body)
        if call.route.hidden_reasoning:
            hold.settle(attempt, replace(settlement, state=State.POSTED_WORST))
            usage = await self._counter.usage_of(call.request, call.route, text)
        else:
            usage = await self._settle_counted(call, attempt, hold, settlement, text)
        return with_estimate(completion, usage, attempt.dispatched_at_us // 1_000_000)

    async def _settle_failed(
        self,
        call: Call,
        attempt: Attempt,
        hold: Hold,
        error: BaseException,
        stream: CompletionStream | None,
        ttft_us: int | None,
    ) -> None:
        """What a failed attempt costs: nothing where it was refused unbilled, what we counted where nothing
        more can have been written, else its bound."""
        worked_us = call.stopwatch.elapsed_us
        is_local = call.route.origin is Origin.LOCAL
        if (
            isinstance(error, (UnavailableError, InvalidRequestError))
            or (isinstance(error, UpstreamError) and not error.billable)
            or (is_local and worked_us is None)
        ):
            hold.settle(attempt, Settlement(State.VOID, error=_code_of(error)))
            return
        settlement = Settlement(State.SETTLED_ESTIMATED, error=_code_of(error), ttft_us=ttft_us)
        if is_local:
            usage = Usage(cpu_us=(worked_us or 0) * call.route.compute_threads)
            hold.settle(attempt, replace(settlement, usage=usage))
        elif isinstance(error, UpstreamError) and not error.generated:
            await self._settle_counted(call, attempt, hold, settlement, "")
        elif stream is None or call.route.hidden_reasoning:
            hold.settle(attempt, replace(settlement, state=State.POSTED_WORST))
        elif isinstance(error, asyncio.CancelledError):  # nothing may be waited for any more
            usage = self._counter.bound_usage(call.request, call.route, stream.received_text())
            hold.settle(attempt, replace(settlement, usage=usage))
        else:
            await self._settle_counted(call, attempt, hold, settlement, stream.received_text())

    async def _settle_counted(
        self, call: Call, attempt: Attempt, hold: Hold, settlement: Settlement, text: str
    ) -> Usage:
        """Settle by our own count of the prompt and `text`, and return it; if that is broken off, by their
        bound."""
        usage = self._counter.bound_usage(call.request, call.route, text)
        try:
            usage = await self._counter.usage_of(call.request, call.route, text)
        finally:
            hold.settle(attempt, replace(settlement, usage=usage))
        return usage


async def _unless_left(work: Coroutine[None, None, Completion], reply: Reply) -> Completion:
    """Await a local engine's answer, but end its work if the caller leaves."""
    task = asyncio.ensure_future(work)
    left = asyncio.ensure_future(reply.wait_until_left())
    try:
        await asyncio.wait((task, left), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientLeftError("the caller left before its answer was complete")
    finally:
        left.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _answered(completion: Completion, ttft_us: int | None) -> Settlement:
    return Settlement(
        State.SETTLED if completion.usage is not None else State.SETTLED_ESTIMATED,
        completion.usage or NO_USAGE,
        None,
        completion.finish_reason,
        completion.model_served,
        completion.fingerprint,
        completion.upstream_id,
        ttft_us,
    )


def _code_of(error: BaseException) -> str:
    if isinstance(error, GatewayError):
        return error.code
    return "cancelled" if isinstance(error, asyncio.CancelledError) else "internal_error"
