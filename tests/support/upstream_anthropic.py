"""The fake provider's answers in Anthropic's shapes: a Message, and the events of a stream.

Sources: Anthropic's guide "Streaming messages"; anthropic-sdk-python 2.14.0 (`types/message.py`,
`types/raw_message_stream_event.py`). November 2026.
"""

import orjson

from router.json_types import JsonObject, JsonValue
from support.upstream_answers import Answer, tokens_of
from support.upstream_anthropic_refusals import refusal_of
from support.upstream_bill import FakeUsage
from support.upstream_script import Behaviour, Received, UsageTold

_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


class AnthropicFormat:
    """A `Format`: how the fake provider speaks to `POST /v1/messages`."""

    stream_type = "text/event-stream; charset=utf-8"
    done = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    half_event = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"ty\n\n'

    def refusal(
        self,
        request: Received,
        api_key: str | None,
        *,
        deepseek: bool,  # noqa: ARG002  every format is asked alike
    ) -> Behaviour | None:
        """The refusal that a request earns before any script is asked, or None."""
        return refusal_of(request, api_key)

    def answer(self, request: Received, behaviour: Behaviour, *, deepseek: bool) -> Answer:
        """Work out what is said, and what it uses."""
        text = behaviour.text if behaviour.answer is None else orjson.dumps(behaviour.answer).decode()
        tokens = tuple((token, 0.0) for token in tokens_of(text))
        thoughts = len(tokens_of(behaviour.reasoning))
        limit = request.json.get("max_tokens")
        cut = isinstance(limit, int) and behaviour.usage is None and thoughts + len(tokens) > limit
        if cut and isinstance(limit, int):
            tokens = tokens[: max(0, limit - thoughts)]
        forced = _forced_tool(request)
        tool_name = forced or behaviour.tool_name
        natural = "tool_calls" if tool_name is not None else "stop"
        prompt = len(tokens_of(str(request.json.get("system", "")))) + 4
        prompt += sum(len(tokens_of(str(message))) for message in request.messages)
        return Answer(
            request=request,
            behaviour=behaviour,
            tokens=tokens,
            reasoning=behaviour.reasoning,
            tool_name=tool_name,
            finish_reason=behaviour.finish_reason or ("length" if cut else natural),
            usage=behaviour.usage or FakeUsage(prompt, 0, thoughts + len(tokens), thoughts),
            deepseek=deepseek,
        )

    def whole(self, answer: Answer) -> bytes:
        """A whole answer."""
        content: list[JsonValue] = []
        if answer.reasoning:
            content.append({"type": "thinking", "thinking": answer.reasoning, "signature": "c2lnbmVk"})
        if answer.tool_name is None:
            content.append({"type": "text", "text": answer.text})
        else:
            given: JsonValue = orjson.loads(answer.text or "{}")
            content.append({"type": "tool_use", "id": "toolu_0", "name": answer.tool_name, "input": given})
        message = _message(answer, content, _stop_reason(answer))
        if answer.behaviour.usage_told is not UsageTold.NEVER:
            message["usage"] = usage_object(answer.usage)
        return orjson.dumps(message)

    def opening(self, answer: Answer) -> list[bytes]:
        """The events before the text: the beginning, the thoughts, the block that the text goes into."""
        message = _message(answer, [], None)
        if answer.behaviour.usage_told is not UsageTold.NEVER:
            message["usage"] = {
                **usage_object(answer.usage),
                "output_tokens": 1,
                "output_tokens_details": None,
            }
        events = [_event({"type": "message_start", "message": message}), _event({"type": "ping"})]
        if answer.reasoning:
            thought: JsonObject = {"type": "thinking_delta", "thinking": answer.reasoning}
            signature: JsonObject = {"type": "signature_delta", "signature": "c2lnbmVk"}
            empty: JsonObject = {"type": "thinking", "thinking": "", "signature": ""}
            events.append(_event({"type": "content_block_start", "index": 0, "content_block": empty}))
            events.append(_event({"type": "content_block_delta", "index": 0, "delta": thought}))
            events.append(_event({"type": "content_block_delta", "index": 0, "delta": signature}))
            events.append(_event({"type": "content_block_stop", "index": 0}))
        block: JsonObject = {"type": "text", "text": ""}
        if answer.tool_name is not None:
            block = {"type": "tool_use", "id": "toolu_0", "name": answer.tool_name, "input": {}}
        events.append(
            _event({"type": "content_block_start", "index": _index(answer), "content_block": block})
        )
        return events

    def contents(self, answer: Answer) -> list[bytes]:
        """The text, one event a piece."""
        found: list[bytes] = []
        for piece in answer.pieces:
            text = "".join(token for token, _ in piece)
            delta: JsonObject = {"type": "text_delta", "text": text}
            if answer.tool_name is not None:
                delta = {"type": "input_json_delta", "partial_json": text}
            found.append(_event({"type": "content_block_delta", "index": _index(answer), "delta": delta}))
        return found

    def finish(self, answer: Answer) -> bytes:
        """The block's end; with TWICE, a first count of what was used, which the last one contains."""
        ended = _event({"type": "content_block_stop", "index": _index(answer)})
        if answer.behaviour.usage_told is UsageTold.TWICE:
            ended += _event(
                {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 1}}
            )
        return ended

    def usage(self, answer: Answer) -> bytes:
        """Why it ended, and what it used in all."""
        body: JsonObject = {
            "type": "message_delta",
            "delta": {"stop_reason": _stop_reason(answer), "stop_sequence": None},
        }
        if answer.behaviour.usage_told is not UsageTold.NEVER:
            told = usage_object(answer.usage)
            del told["cache_creation"]  # by lifetime it is told at the beginning alone
            body["usage"] = told
        return _event(body)

    def tells_usage(self, request: Received) -> bool:  # noqa: ARG002  every format is asked alike
        """A stream always tells it."""
        return True

    def error(self, behaviour: Behaviour) -> JsonObject:
        """An error object."""
        error: JsonObject = {"type": behaviour.error_code or "api_error", "message": behaviour.error_message}
        return {"type": "error", "error": error, "request_id": "req_fake"}

    def error_event(self, behaviour: Behaviour) -> bytes:
        """An error in the middle of a stream."""
        return _event(self.error(behaviour))


def usage_object(usage: FakeUsage) -> JsonObject:
    """The usage as Anthropic writes it: the classes of the prompt beside one another."""
    written = usage.cache_write_5m + usage.cache_write_1h
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens - written,
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation_input_tokens": written,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
        "service_tier": "standard",
    }


def _message(answer: Answer, content: list[JsonValue], stop_reason: str | None) -> JsonObject:
    return {
        "id": f"msg_fake_{answer.request.number}",
        "type": "message",
        "role": "assistant",
        "model": answer.behaviour.model_served or answer.request.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
    }


def _stop_reason(answer: Answer) -> str:
    return _STOP_REASONS.get(answer.finish_reason, answer.finish_reason)


def _index(answer: Answer) -> int:
    return 1 if answer.reasoning else 0


def _forced_tool(request: Received) -> str | None:
    choice = request.json.get("tool_choice")
    name = choice.get("name") if isinstance(choice, dict) else None
    return name if isinstance(name, str) else None


def _event(body: JsonObject) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (str(body["type"]).encode(), orjson.dumps(body))
