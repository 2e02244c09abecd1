"""Exact tokens, where the byte bound does not do: it exceeds a window or the headroom, or a provider
sent no usage."""

from collections.abc import Mapping

import orjson

from ledger.usage import Usage
from router.bounds import TOKENS_PER_MESSAGE, TOKENS_PER_REQUEST, TOKENS_PER_TOOL, utf8_length
from router.catalog import Encoding, Origin, Route
from router.planning import SCHEMA_PROMPT_TOKENS_MAX, prompt_bound
from router.processes.counters import CounterUnavailableError, TokenCounter
from router.providers.local.engine import EngineError, EngineMessage, LocalEngine
from router.request import ChatRequest


class PromptCounter:
    """Counts prompts and answers by the route's own tokenizer."""

    def __init__(self, counter: TokenCounter, engines: Mapping[str, LocalEngine]) -> None:
        self._counter = counter
        self._engines = engines

    async def prompt_tokens(self, request: ChatRequest, route: Route) -> int | None:
        """The prompt's tokens, never fewer than the provider will count; None if nobody can say."""
        try:
            if route.origin is Origin.LOCAL:
                messages = [EngineMessage(message.role, message.text) for message in request.messages]
                text = await self._engines[route.provider].count_tokens(messages)
            elif route.encoding is Encoding.NONE:
                return None
            else:
                text = await self._counter.count(route.encoding.value, _texts(request))
                text += _template_tokens(request)
        except (CounterUnavailableError, EngineError):
            return None
        return min(text + request.bound.image_tokens, prompt_bound(request))

    async def usage_of(self, request: ChatRequest, route: Route, answer: str) -> Usage:
        """Estimate what an attempt used whose provider did not say: the prompt and the answer's text."""
        if route.origin is not Origin.LOCAL and route.encoding is not Encoding.NONE:
            prompt = await self.prompt_tokens(request, route)
            try:
                output = await self._counter.count(route.encoding.value, [answer])
            except CounterUnavailableError:
                output = utf8_length(answer)
            if prompt is not None:
                return Usage(input_uncached=prompt, output_text=output)
        return self.bound_usage(request, answer)

    def bound_usage(self, request: ChatRequest, answer: str) -> Usage:
        """The same without a tokenizer, and so too high."""
        return Usage(input_uncached=prompt_bound(request), output_text=utf8_length(answer))


def _texts(request: ChatRequest) -> list[str]:
    texts = [message.text for message in request.messages]
    if request.body.get("tools"):
        texts.append(orjson.dumps(request.body["tools"]).decode())
    if request.schema is not None:
        texts.append(orjson.dumps(request.schema.schema).decode())
    return texts


def _template_tokens(request: ChatRequest) -> int:
    tools = request.body.get("tools")
    count = len(tools) if isinstance(tools, list) else 0
    schema = SCHEMA_PROMPT_TOKENS_MAX if request.schema is not None else 0
    return TOKENS_PER_REQUEST + TOKENS_PER_MESSAGE * len(request.messages) + TOKENS_PER_TOOL * count + schema
