"""What a local engine is asked, read from a chat request: a field is honoured or refused by name.

A field that changes the answer is never dropped silently. What has no effect here (`user`,
`metadata`, `reasoning_effort` ...) is. Types, and ranges that are OpenAI's, were checked by
`wire.chat_fields`; what is refused here is what this engine cannot do.
"""

from router.call import Call
from router.errors import InvalidRequestError
from router.json_types import JsonObject
from router.providers.local.engine import EngineMessage, EngineRequest
from router.request import AnswerShape

STOP_WORDS_MAX = 16
TOP_LOGPROBS_MAX = 20
BIAS_MAX = 100.0
BIASES_MAX = 1_024
SEEDS = 2**32 - 1
"""llama.cpp's seeds are 32 bits wide, and the last one means "any"."""
_NOT_SERVED = ("functions", "function_call")
_ANY_OBJECT: JsonObject = {"type": "object"}


def engine_request(call: Call) -> EngineRequest:
    """Write `call` as a local engine reads it. Raises InvalidRequestError, with the field in `param`."""
    request, body, route = call.request, call.request.body, call.route.name
    if request.choices != 1:
        raise InvalidRequestError(f"route '{route}' gives one choice; n must be 1", param="n")
    if request.has_tools and (request.schema is None or request.schema.shape is not AnswerShape.TOOL):
        raise InvalidRequestError(f"route '{route}' takes a tool only if tool_choice names it", param="tools")
    if request.bound.images:
        raise InvalidRequestError(f"route '{route}' reads no images", param="messages")
    for name in _NOT_SERVED:
        if body.get(name) is not None:
            raise InvalidRequestError(f"route '{route}' does not know {name}; leave it out", param=name)
    return EngineRequest(
        messages=tuple(EngineMessage(message.role, message.text) for message in request.messages),
        max_tokens=call.max_tokens,
        deadline_s=call.route.deadline_s,
        schema=call.plain_schema if call.plain_schema is not None else _any_object(body),
        temperature=_number(body, "temperature"),
        top_p=_number(body, "top_p"),
        seed=_seed(body),
        stop=_stop(body),
        presence_penalty=_number(body, "presence_penalty") or 0.0,
        frequency_penalty=_number(body, "frequency_penalty") or 0.0,
        logit_bias=_logit_bias(body),
        logprobs=request.wants_logprobs or (request.schema is not None and call.route.logprobs),
        top_logprobs=_top_logprobs(body, wants_logprobs=request.wants_logprobs),
        on_begin=call.stopwatch.start,
    )


def _any_object(body: JsonObject) -> JsonObject | None:
    asked = body.get("response_format")
    return _ANY_OBJECT if isinstance(asked, dict) and asked.get("type") == "json_object" else None


def _number(body: JsonObject, name: str) -> float | None:
    value = body.get(name)
    return float(value) if isinstance(value, (int, float)) else None


def _seed(body: JsonObject) -> int | None:
    seed = body.get("seed")
    return seed % SEEDS if isinstance(seed, int) else None


def _stop(body: JsonObject) -> tuple[str, ...]:
    stop = body.get("stop")
    words = stop if isinstance(stop, list) else [] if stop is None else [stop]
    found = tuple(word for word in words if isinstance(word, str) and word)
    if len(found) != len(words) or len(found) > STOP_WORDS_MAX:
        raise _refused("stop", f"a text or up to {STOP_WORDS_MAX} texts, none of them empty")
    return found


def _logit_bias(body: JsonObject) -> tuple[tuple[int, float], ...]:
    biases = body.get("logit_bias")
    if not isinstance(biases, dict):
        return ()
    if len(biases) > BIASES_MAX:
        raise _refused("logit_bias", f"an object of at most {BIASES_MAX} token ids")
    found: list[tuple[int, float]] = []
    for token, bias in biases.items():
        if not (token.isascii() and token.isdigit() and len(token) < 10):
            raise _refused("logit_bias", "an object with token ids as keys")
        if not isinstance(bias, (int, float)) or abs(bias) > BIAS_MAX:
            raise _refused("logit_bias", f"an object with numbers from -{BIAS_MAX:g} to {BIAS_MAX:g}")
        found.append((int(token), float(bias)))
    return tuple(found)


def _top_logprobs(body: JsonObject, *, wants_logprobs: bool) -> int:
    count = body.get("top_logprobs")
    if not isinstance(count, int):
        return 0
    if not 0 <= count <= TOP_LOGPROBS_MAX:
        raise _refused("top_logprobs", f"an integer from 0 to {TOP_LOGPROBS_MAX}")
    if count and not wants_logprobs:
        raise InvalidRequestError("top_logprobs needs logprobs: true", param="top_logprobs")
    return count


def _refused(name: str, what: str) -> InvalidRequestError:
    return InvalidRequestError(f"{name} must be {what}", param=name)
