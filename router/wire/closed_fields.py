"""Fields of a chat request that are refused by their names.

What we do not know is passed on. These we know: passed on, they would let another model answer than
the policy chose, or cost more than the hold covers. A value that changes nothing passes.

They are fields of OpenAI, Azure, OpenRouter, xAI, DashScope and Gemini, and of servers that people
run themselves: vLLM, SGLang, TensorRT-LLM, LiteLLM's proxy, and llama.cpp, which reads `n_predict`
before `max_tokens`.
"""

from router.errors import InvalidRequestError
from router.json_types import JsonObject, JsonValue

_WHO_ANSWERS = "could let another model or server answer than the policy allows; name what you want in model"
_SEARCHES = "asks for what is priced by the call and not by the token, so it cannot be held for; leave it out"
_MORE_PROMPT = "could add text to the prompt that is not in the request, so it cannot be held for; send the text in messages"
_MORE_OUTPUT = (
    "could make the model write more than was held for; leave it out, and bound the answer with max_tokens"
)
_NOT_TEXT = "asks for output that no route has a price for; leave it out: answers are text"

_CLOSED: dict[str, str] = {
    **dict.fromkeys(
        ("models", "route", "provider", "preset", "fallbacks", "lora", "lora_path", "api_base", "base_url"),
        _WHO_ANSWERS,
    ),
    **dict.fromkeys(
        ("web_search_options", "plugins", "search_parameters", "enable_search", "search_options"), _SEARCHES
    ),
    **dict.fromkeys(
        (
            "previous_response_id",
            "conversation",
            "data_sources",
            "cached_content",
            "chat_template",
            "mm_processor_kwargs",
        ),
        _MORE_PROMPT,
    ),
    **dict.fromkeys(
        (
            "best_of",
            "use_beam_search",
            "prediction",
            "n_predict",
            "n_cmpl",
            "max_new_tokens",
            "max_output_tokens",
        ),
        _MORE_OUTPUT,
    ),
    **dict.fromkeys(("modalities", "audio"), _NOT_TEXT),
    "transforms": "could change the messages after they were checked and held for; shorten them yourself",
    "extra_body": "is an argument of the client library and no field; give what stands in it to that argument",
    "service_tier": "names a tier whose prices no route states; leave it out, or write default",
}
_CHANGES_NOTHING: dict[str, tuple[JsonValue, ...]] = {
    "models": ([],),
    "fallbacks": ([],),
    "lora": ([],),
    "plugins": ([],),
    "transforms": ([],),
    "enable_search": (False,),
    "best_of": (1,),
    "use_beam_search": (False,),
    "n_cmpl": (1,),
    "modalities": (["text"],),
    "service_tier": ("auto", "default", "standard"),
}
_CLOSED_NAMES = frozenset(_CLOSED)
_TOOL_TYPES = ("function", "custom")


def refuse_closed_fields(document: JsonObject) -> None:
    """Raise InvalidRequestError for the first field that would loosen what was decided or held."""
    if not _CLOSED_NAMES.isdisjoint(document):
        for name, value in document.items():
            if name in _CLOSED and not changes_nothing(name, value):
                raise InvalidRequestError(f"{name} {_CLOSED[name]}", param=name)
    tools = document.get("tools")
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        _refuse_served_tool(index, tool)


def changes_nothing(name: str, value: JsonValue) -> bool:
    """Whether a field that is refused otherwise says with `value` what holds without it."""
    return value is None or any(
        type(value) is type(harmless) and value == harmless for harmless in _CHANGES_NOTHING.get(name, ())
    )


def _refuse_served_tool(index: int, tool: JsonValue) -> None:
    """A tool that the caller runs costs tokens; one that the provider runs (a search, a sandbox) has a
    price of its own. Without a type it is the caller's if it describes a function."""
    if not isinstance(tool, dict):
        return
    kind = tool.get("type", "function" if "function" in tool else None)
    if kind not in _TOOL_TYPES:
        named = f"the type '{kind[:40]}'" if isinstance(kind, str) else "no type that is known"
        raise InvalidRequestError(
            f"tools[{index}] has {named}: what a provider runs by itself cannot be held for; "
            "offer tools of the type function or custom",
            param=f"tools[{index}].type",
        )
