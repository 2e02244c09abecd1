"""The fake provider's answers, in OpenAI's shapes: a completion, and the chunks of a stream."""

import itertools
from dataclasses import dataclass

import orjson

from router.json_types import JsonObject, JsonValue
from support.upstream_bill import FakeUsage
from support.upstream_refusals import thinks
from support.upstream_script import Behaviour, Received, UsageTold

BYTES_PER_TOKEN = 4
CREATED = 1_790_000_000
FINGERPRINT = "fp_fake"
HTML = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said to one request, before it is put on the wire."""

    request: Received
    behaviour: Behaviour
    tokens: tuple[tuple[str, float], ...]
    """The text's tokens with their log-probabilities."""
    reasoning: str
    tool_name: str | None
    finish_reason: str
    usage: FakeUsage
    deepseek: bool

    @property
    def text(self) -> str:
        """The answer's text, or the arguments of its tool call."""
        return "".join(token for token, _ in self.tokens)

    @property
    def pieces(self) -> list[tuple[tuple[str, float], ...]]:
        """The tokens, dealt out to as many chunks as the script says (fewer if there are fewer tokens)."""
        count = max(1, min(self.behaviour.chunks, len(self.tokens)))
        edges = [index * len(self.tokens) // count for index in range(count + 1)]
        return [self.tokens[start:end] for start, end in itertools.pairwise(edges)]

    def usage_after(self, chunks_sent: int) -> FakeUsage:
        """What had been used when the stream broke off after so many content chunks."""
        spoken = -(-self.usage.completion_tokens * chunks_sent // len(self.pieces))
        return FakeUsage(
            self.usage.prompt_tokens,
            self.usage.cached_tokens,
            spoken,
            min(spoken, self.usage.reasoning_tokens),
        )


def answer_to(request: Received, behaviour: Behaviour, *, deepseek: bool) -> Answer:
    """Work out what is said, and what it uses."""
    forced = _forced_tool(request)
    text = behaviour.text if behaviour.answer is None else orjson.dumps(behaviour.answer).decode()
    tokens = behaviour.token_logprobs or tuple((token, -0.05) for token in tokens_of(text))
    reasoning = behaviour.reasoning or ("Let me think." if deepseek and thinks(request) else "")
    thoughts = len(tokens_of(reasoning))
    limit = _limit(request, deepseek=deepseek)
    cut = limit is not None and behaviour.usage is None and thoughts + len(tokens) > limit
    if cut and limit is not None:
        thoughts = min(thoughts, limit)
        tokens = tokens[: limit - thoughts]
    tool_name = forced or behaviour.tool_name
    natural = "tool_calls" if behaviour.tool_name is not None and forced is None else "stop"
    prompt = sum(len(tokens_of(str(message))) for message in request.messages) + 4
    count = _choices(request)
    return Answer(
        request=request,
        behaviour=behaviour,
        tokens=tokens,
        reasoning=reasoning,
        tool_name=tool_name,
        finish_reason=behaviour.finish_reason or ("length" if cut else natural),
        usage=behaviour.usage or FakeUsage(prompt, 0, (thoughts + len(tokens)) * count, thoughts * count),
        deepseek=deepseek,
    )


def completion(answer: Answer) -> bytes:
    """A whole answer."""
    message: JsonObject = {"role": "assistant", "content": answer.text}
    if answer.tool_name is not None:
        message["content"] = None
        message["tool_calls"] = [
            {
                "id": "call_0",
                "type": "function",
                "function": {"name": answer.tool_name, "arguments": answer.text},
            }
        ]
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    choices: list[JsonValue] = [
        {
            "index": index,
            "message": message,
            "logprobs": _logprobs(answer, answer.tokens),
            "finish_reason": answer.finish_reason,
        }
        for index in range(_choices(answer.request))
    ]
    body = _envelope(answer, "chat.completion", choices)
    if answer.behaviour.usage_told is not UsageTold.NEVER:
        body["usage"] = usage_object(answer)
    return orjson.dumps(body)


def opening_chunks(answer: Answer) -> list[bytes]:
    """The chunks before the text: the role, the reasoning, the tool's name."""
    deltas: list[JsonObject] = [{"role": "assistant", "content": None if answer.tool_name else ""}]
    if answer.reasoning:
        deltas.append({"reasoning_content": answer.reasoning})
    if answer.tool_name is not None:
        call: JsonObject = {"index": 0, "id": "call_0", "type": "function"}
        deltas.append({"tool_calls": [{**call, "function": {"name": answer.tool_name, "arguments": ""}}]})
    return [chunk for delta in deltas for chunk in _each_choice(answer, delta, None, None)]


def content_chunks(answer: Answer) -> list[bytes]:
    """The text, one entry a piece; an entry holds an event for each choice."""
    found: list[bytes] = []
    for piece in answer.pieces:
        text = "".join(token for token, _ in piece)
        delta: JsonObject = (
            {"content": text}
            if answer.tool_name is None
            else {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}
        )
        found.append(b"".join(_each_choice(answer, delta, _logprobs(answer, piece), None)))
    return found


def finish_chunk(answer: Answer) -> bytes:
    """The chunk with the finish reason; DeepSeek's carries the usage too."""
    told = answer.behaviour.usage_told
    with_usage = told is UsageTold.TWICE or (answer.deepseek and told is UsageTold.ONCE)
    return b"".join(_each_choice(answer, {}, None, answer.finish_reason, with_usage=with_usage))


def usage_chunk(answer: Answer) -> bytes:
    """The chunk without choices that tells the usage; b"" if it is told elsewhere or never."""
    told = answer.behaviour.usage_told
    if (
        told is UsageTold.NEVER
        or not usage_wanted(answer.request)
        or (answer.deepseek and told is UsageTold.ONCE)
    ):
        return b""
    body = _envelope(answer, "chat.completion.chunk", [])
    body["usage"] = usage_object(answer)
    return event(body)


def usage_wanted(request: Received) -> bool:
    """Whether a stream's usage was asked for."""
    options = request.json.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def usage_object(answer: Answer) -> JsonObject:
    """The usage as the provider writes it."""
    usage = answer.usage
    told: JsonObject = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
    if answer.deepseek:
        told["prompt_cache_hit_tokens"] = usage.cached_tokens
        told["prompt_cache_miss_tokens"] = usage.prompt_tokens - usage.cached_tokens
    return told


def error_body(behaviour: Behaviour) -> JsonObject:
    """An error object in OpenAI's shape."""
    return {
        "error": {
            "message": behaviour.error_message,
            "type": "fake_error",
            "param": None,
            "code": behaviour.error_code,
        }
    }


def model_list(models: tuple[str, ...]) -> bytes:
    """What `GET /v1/models` says."""
    entries: list[JsonValue] = [
        {"id": model, "object": "model", "created": CREATED, "owned_by": "fake"} for model in models
    ]
    return orjson.dumps({"object": "list", "data": entries})


def event(body: JsonObject) -> bytes:
    """One server-sent event."""
    return b"data: " + orjson.dumps(body) + b"\n\n"


def _each_choice(
    answer: Answer,
    delta: JsonObject,
    logprobs: JsonValue,
    finish_reason: str | None,
    *,
    with_usage: bool = False,
) -> list[bytes]:
    found: list[bytes] = []
    last = _choices(answer.request) - 1
    for index in range(last + 1):
        choice: JsonObject = {
            "index": index,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": finish_reason,
        }
        body = _envelope(answer, "chat.completion.chunk", [choice])
        if usage_wanted(answer.request):
            body["usage"] = usage_object(answer) if with_usage and index == last else None
        found.append(event(body))
    return found


def _envelope(answer: Answer, kind: str, choices: list[JsonValue]) -> JsonObject:
    return {
        "id": f"chatcmpl-fake-{answer.request.number}",
        "object": kind,
        "created": CREATED,
        "model": answer.behaviour.model_served or answer.request.model,
        "system_fingerprint": FINGERPRINT,
        "choices": choices,
    }


def _logprobs(answer: Answer, tokens: tuple[tuple[str, float], ...]) -> JsonValue:
    if answer.request.json.get("logprobs") is not True or not answer.behaviour.gives_logprobs:
        return None
    content: list[JsonValue] = [
        {"token": token, "logprob": logprob, "bytes": list(token.encode()), "top_logprobs": []}
        for token, logprob in tokens
    ]
    return {"content": content, "refusal": None}


def tokens_of(text: str) -> list[str]:
    """Cut a text into tokens, about four bytes each."""
    return [text[start : start + BYTES_PER_TOKEN] for start in range(0, len(text), BYTES_PER_TOKEN)]


def _forced_tool(request: Received) -> str | None:
    choice = request.json.get("tool_choice")
    function = choice.get("function") if isinstance(choice, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def _limit(request: Received, *, deepseek: bool) -> int | None:
    """The output limit. DeepSeek does not know `max_completion_tokens`."""
    limits = [request.json.get("max_tokens"), None if deepseek else request.json.get("max_completion_tokens")]
    known = [limit for limit in limits if isinstance(limit, int)]
    return min(known) if known else None


def _choices(request: Received) -> int:
    count = request.json.get("n")
    return count if isinstance(count, int) else 1
