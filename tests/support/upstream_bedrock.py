"""The fake provider's answers in the shapes of Amazon Bedrock's Converse and ConverseStream.

Source: Amazon Bedrock's API reference, `Converse`, `ConverseStream` and `ConverseStreamOutput`. November
2026.
"""

import orjson

from router.json_types import JsonObject, JsonValue
from support.event_stream import message
from support.upstream_answers import Answer, tokens_of
from support.upstream_bill import FakeUsage
from support.upstream_script import Behaviour, Received, UsageTold

_STOP_REASONS = {
    "stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "guardrail_intervened",
}  # fmt: skip
_FIELDS = frozenset(
    ["messages", "system", "inferenceConfig", "toolConfig", "additionalModelRequestFields", "outputConfig"]
)


class BedrockFormat:
    """A `Format`: how the fake provider speaks to `POST /model/MODEL/converse` and `/converse-stream`."""

    stream_type = "application/vnd.amazon.eventstream"
    done = b""
    half_event = message({":message-type": "event", ":event-type": "contentBlockDelta"}, b'{"delta":')

    def refusal(
        self,
        request: Received,
        api_key: str | None,
        *,
        deepseek: bool,  # noqa: ARG002  every format is asked alike
    ) -> Behaviour | None:
        """The refusal that a request earns before any script is asked, or None."""
        signed = request.headers.get("authorization", "")
        if not signed.startswith("AWS4-HMAC-SHA256 ") or (api_key is not None and api_key not in signed):
            return Behaviour(
                status=403, error_code="UnrecognizedClientException", error_message="no such key"
            )
        unknown = request.json.keys() - _FIELDS
        if unknown:
            return Behaviour(
                status=400, error_code="ValidationException", error_message=f"extraneous key [{min(unknown)}]"
            )
        return None

    def answer(self, request: Received, behaviour: Behaviour, *, deepseek: bool) -> Answer:
        """Work out what is said, and what it uses."""
        text = behaviour.text if behaviour.answer is None else orjson.dumps(behaviour.answer).decode()
        tokens = tuple((token, 0.0) for token in tokens_of(text))
        thoughts = len(tokens_of(behaviour.reasoning))
        tool_name = _forced_tool(request) or behaviour.tool_name
        prompt = len(tokens_of(str(request.json.get("messages")))) + 4
        return Answer(
            request=request,
            behaviour=behaviour,
            tokens=tokens,
            reasoning=behaviour.reasoning,
            tool_name=tool_name,
            finish_reason=behaviour.finish_reason or ("tool_calls" if tool_name is not None else "stop"),
            usage=behaviour.usage or FakeUsage(prompt, 0, thoughts + len(tokens), 0),
            deepseek=deepseek,
        )

    def whole(self, answer: Answer) -> bytes:
        """A whole answer."""
        content: list[JsonValue] = []
        if answer.reasoning:
            said: JsonObject = {"text": answer.reasoning, "signature": "c2lnbmVk"}
            content.append({"reasoningContent": {"reasoningText": said}})
        if answer.tool_name is None:
            content.append({"text": answer.text})
        else:
            given: JsonValue = orjson.loads(answer.text or "{}")
            content.append({"toolUse": {"toolUseId": "tooluse_0", "name": answer.tool_name, "input": given}})
        body: JsonObject = {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": _stop_reason(answer),
            "metrics": {"latencyMs": 1},
        }
        if answer.behaviour.usage_told is not UsageTold.NEVER:
            body["usage"] = usage_object(answer.usage)
        return orjson.dumps(body)

    def opening(self, answer: Answer) -> list[bytes]:
        """The events before the text: the beginning, the thoughts, a tool's name."""
        events = [_event("messageStart", {"role": "assistant"})]
        if answer.reasoning:
            for delta in ({"text": answer.reasoning}, {"signature": "c2lnbmVk"}):
                thought: JsonObject = {"reasoningContent": {**delta}}
                events.append(_event("contentBlockDelta", {"contentBlockIndex": 0, "delta": thought}))
            events.append(_event("contentBlockStop", {"contentBlockIndex": 0}))
        if answer.tool_name is not None:
            start: JsonObject = {"toolUse": {"toolUseId": "tooluse_0", "name": answer.tool_name}}
            events.append(_event("contentBlockStart", {"contentBlockIndex": _index(answer), "start": start}))
        return events

    def contents(self, answer: Answer) -> list[bytes]:
        """The text, one event a piece."""
        found: list[bytes] = []
        for piece in answer.pieces:
            text = "".join(token for token, _ in piece)
            delta: JsonObject = {"text": text} if answer.tool_name is None else {"toolUse": {"input": text}}
            found.append(_event("contentBlockDelta", {"contentBlockIndex": _index(answer), "delta": delta}))
        return found

    def finish(self, answer: Answer) -> bytes:
        """The block's end, and why it ended."""
        return _event("contentBlockStop", {"contentBlockIndex": _index(answer)}) + _event(
            "messageStop", {"stopReason": _stop_reason(answer)}
        )

    def usage(self, answer: Answer) -> bytes:
        """What it used."""
        if answer.behaviour.usage_told is UsageTold.NEVER:
            return b""
        return _event("metadata", {"usage": usage_object(answer.usage), "metrics": {"latencyMs": 1}})

    def tells_usage(self, request: Received) -> bool:  # noqa: ARG002  every format is asked alike
        """A stream always tells it."""
        return True

    def error(self, behaviour: Behaviour) -> JsonObject:
        """An error object."""
        return {
            "message": behaviour.error_message,
            "__type": behaviour.error_code or "InternalServerException",
        }

    def error_event(self, behaviour: Behaviour) -> bytes:
        """An error in the middle of a stream."""
        kind = behaviour.error_code or "internalServerException"
        headers = {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
        return message(headers, orjson.dumps({"message": behaviour.error_message}))


def usage_object(usage: FakeUsage) -> JsonObject:
    """The usage as Bedrock writes it: what was read from a cache or written into one beside the input."""
    written = usage.cache_write_5m + usage.cache_write_1h
    told: JsonObject = {
        "inputTokens": usage.prompt_tokens - usage.cached_tokens - written,
        "outputTokens": usage.completion_tokens,
        "totalTokens": usage.prompt_tokens + usage.completion_tokens,
    }
    if usage.cached_tokens or written:
        told["cacheReadInputTokens"] = usage.cached_tokens
        told["cacheWriteInputTokens"] = written
    return told


def _stop_reason(answer: Answer) -> str:
    return _STOP_REASONS.get(answer.finish_reason, answer.finish_reason)


def _index(answer: Answer) -> int:
    return 1 if answer.reasoning else 0


def _forced_tool(request: Received) -> str | None:
    config = request.json.get("toolConfig")
    choice = config.get("toolChoice") if isinstance(config, dict) else None
    tool = choice.get("tool") if isinstance(choice, dict) else None
    name = tool.get("name") if isinstance(tool, dict) else None
    return name if isinstance(name, str) else None


def _event(kind: str, body: JsonObject) -> bytes:
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return message(headers, orjson.dumps(body))
