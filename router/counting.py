"""Exact tokens, where the byte bound does not do: it exceeds a window or the headroom, or a provider
sent no usage.

Exact is the text; what a provider's template puts around it is known for OpenAI and DeepSeek to a
few tokens, and rounded up: a count is never lower than the provider's.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ledger.usage import Usage
from router.bounds import tool_arguments, utf8_length
from router.catalog import Encoding, Origin, Route
from router.json_types import JsonValue
from router.planning import SCHEMA_PROMPT_TOKENS_MAX, image_bound, prompt_bound, text_bound
from router.processes.counters import CounterUnavailableError, TokenCounter
from router.providers.local.engine import EngineError, EngineMessage, LocalEngine
from router.request import ChatRequest


@dataclass(frozen=True, slots=True)
class TemplateTokens:
    """What a provider's template adds, in tokens."""

    request: int
    message: int
    name: int
    toolbox: int
    """Once, if there are tools."""
    tool: int
    call: int
    """For each past tool call and its result."""
    argument: int
    """For each argument of a past tool call, beyond its JSON."""


_OPENAI = TemplateTokens(request=3, message=3, name=1, toolbox=32, tool=16, call=16, argument=0)
"""OpenAI's cookbook, "How to count tokens": 3 a message, 1 a name, 3 to begin the answer. Tools
become a TypeScript declaration, shorter than their JSON; what stands around it is not published."""
_DEEPSEEK = TemplateTokens(request=120, message=4, name=1, toolbox=224, tool=2, call=32, argument=16)
"""Measured with DeepSeek's own encoder (deepseek-recipe 0.2.0, V4 and V4.1): 5 to 97 before the
text, by effort, and 21 where JSON is asked for; 2 a message; 16 an argument; 220 to explain tools."""


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
                schema = request.schema.schema if request.schema is not None else None
                text = await self.count_chat(
                    route.encoding, request.body.get("messages"), request.body.get("tools"), schema
                )
        except (CounterUnavailableError, EngineError):
            return None
        return min(text, text_bound(request)) + image_bound(request, route)

    async def count_chat(
        self, encoding: Encoding, messages: JsonValue, tools: JsonValue = None, schema: JsonValue = None
    ) -> int:
        """The tokens of a conversation's text with its template, images aside. Raises CounterUnavailableError."""
        template = _DEEPSEEK if encoding is Encoding.DEEPSEEK else _OPENAI
        listed = messages if isinstance(messages, list) else []
        texts = [text for message in listed for text in _texts_of(message)]
        texts.extend(_rendered(value) for value in (tools, schema) if value)
        added = template.request + sum(_around(template, message) for message in listed)
        if tools:
            added += template.toolbox + template.tool * (len(tools) if isinstance(tools, list) else 1)
        if schema is not None:
            added += SCHEMA_PROMPT_TOKENS_MAX
        return added + await self._counter.count(encoding.value, texts)

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
        return self.bound_usage(request, route, answer)

    def bound_usage(self, request: ChatRequest, route: Route, answer: str) -> Usage:
        """The same without a tokenizer, and so too high."""
        return Usage(input_uncached=prompt_bound(request, route), output_text=utf8_length(answer))


def _around(template: TemplateTokens, message: JsonValue) -> int:
    """What the template adds to one message."""
    if not isinstance(message, dict):
        return template.message
    calls = message.get("tool_calls")
    count = len(calls) if isinstance(calls, list) else 0
    return (
        template.message
        + template.call * count
        + (template.name if "name" in message else 0)
        + template.argument * tool_arguments(calls)
    )


def _texts_of(message: JsonValue) -> Iterator[str]:
    """Every string of a message, but for the addresses and bytes of images."""
    if not isinstance(message, dict):
        return
    for key, value in message.items():
        if isinstance(value, str):
            yield value
        elif key == "content" and isinstance(value, list):
            for part in value:
                if isinstance(part, dict):
                    yield from (
                        text for name, text in part.items() if name != "image_url" and isinstance(text, str)
                    )
        elif value:
            yield _rendered(value)


def _rendered(value: JsonValue) -> str:
    """JSON as most templates write it: a space after commas and colons, characters as they are."""
    return json.dumps(value, ensure_ascii=False)
