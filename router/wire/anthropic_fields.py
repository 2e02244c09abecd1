"""The fields of OpenAI's chat request in Anthropic's words, the conversation and the tools aside.

Nothing that a caller says is dropped: a field has a counterpart, or changes nothing, or is refused
by its name. Sources: OpenAI's API reference; anthropic-sdk-python 2.14.0
(`types/message_create_params.py`); Anthropic's page on its OpenAI compatibility. November 2026.
"""

from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue
from router.wire.closed_fields import changes_nothing

TEMPERATURE_MAX = 1
EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""OpenAI's words, but for the last, that Anthropic has too. It has no `minimal`."""

_TRANSLATED = frozenset(
    [
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature",
        "top_p", "stop", "tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort",
        "thinking", "user", "safety_identifier", "service_tier",
    ]
)  # fmt: skip
_SAYS_NOTHING: dict[str, tuple[JsonValue, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "store": (False,),
    "metadata": ({},),
    "verbosity": ("medium",),
    "functions": ([],),
}


def refuse_untranslatable(body: JsonObject, route: str) -> None:
    """Raise InvalidRequestError for the first field that Anthropic's API has no word for."""
    for name, value in body.items():
        if name in _TRANSLATED or value is None:
            continue
        if value in _SAYS_NOTHING.get(name, ()) or changes_nothing(name, value):
            continue
        raise InvalidRequestError(
            f"{name[:60]} has no counterpart in Anthropic's API, which serves route '{route}'; "
            "leave it out, or name another model in model",
            param=name[:60],
        )
    options = body.get("stream_options")
    for name, value in options.items() if isinstance(options, dict) else ():
        if name != "include_usage" and value not in (None, False):
            raise InvalidRequestError(
                f"stream_options.{name[:60]} has no counterpart in Anthropic's API, which serves route "
                f"'{route}'; leave it out",
                param=f"stream_options.{name[:60]}",
            )


def translated_fields(body: JsonObject) -> JsonObject:
    """What shapes the sampling, and who asks. Raises InvalidRequestError."""
    found: JsonObject = {}
    temperature = body.get("temperature")
    if isinstance(temperature, (int, float)) and temperature > TEMPERATURE_MAX:
        raise InvalidRequestError(
            f"temperature is {temperature}, and Anthropic's API takes 0 to {TEMPERATURE_MAX}",
            param="temperature",
        )
    for name in ("temperature", "top_p"):
        if body.get(name) not in (None, 1):  # 1 is the default, and some models take only one of the two
            found[name] = body[name]
    stops = _stop_sequences(body.get("stop"))
    if stops:
        found["stop_sequences"] = stops
    effort = body.get("reasoning_effort")
    if effort == "none":
        found["thinking"] = {"type": "disabled"}
    elif effort in EFFORTS:
        found["output_config"] = {"effort": effort}
    elif effort is not None:
        raise InvalidRequestError(
            f"reasoning_effort is '{str(effort)[:40]}', which Anthropic's API does not know; "
            f"write none, {', '.join(EFFORTS)}",
            param="reasoning_effort",
        )
    if body.get("thinking") is not None:
        if "thinking" in found:
            raise InvalidRequestError(
                "reasoning_effort is 'none' and thinking says how to think; send one of them",
                param="reasoning_effort",
            )
        found["thinking"] = _thinking(body["thinking"])
    if body.get("service_tier") in ("default", "standard"):
        found["service_tier"] = "standard_only"
    asker = _asker(body)
    if asker is not None:
        found["metadata"] = {"user_id": asker}
    return found


def _thinking(value: JsonValue) -> JsonValue:
    """Anthropic's own field, which its clients send in OpenAI's format too; it stays as it came."""
    if not isinstance(value, dict):
        raise InvalidRequestError(
            'thinking is no object; write Anthropic\'s, e.g. {"type": "adaptive"}', param="thinking"
        )
    return value


def _stop_sequences(stop: JsonValue) -> list[JsonValue]:
    if stop is None:
        return []
    given: list[JsonValue] = stop if isinstance(stop, list) else [stop]
    for each in given:
        if isinstance(each, str) and not each.strip():
            raise InvalidRequestError(
                "stop holds white space alone, where Anthropic's API does not stop; leave that out",
                param="stop",
            )
    return given


def _asker(body: JsonObject) -> JsonValue:
    """OpenAI's `user`, and the field that takes its place, are one field at Anthropic."""
    user, identifier = body.get("user"), body.get("safety_identifier")
    if user is not None and identifier is not None and user != identifier:
        raise InvalidRequestError(
            "user and safety_identifier differ, and Anthropic's API has one field for both; send one of them",
            param="user",
        )
    return identifier if identifier is not None else user
