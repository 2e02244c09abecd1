"""Values of a wrong type, at every place of a request: a 400 that names the place, and never a 500."""

from collections.abc import Iterator

import orjson
import pytest

from router.json_types import JsonObject, JsonValue
from support.gateway import POLICY, RunningGateway, config_text, make_key, running_gateway, write_config
from support.upstream import running_upstream
from support.upstream_script import Behaviour

Place = tuple[str | int, ...]

SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"total": {"type": "string"}},
    "required": ["total"],
    "additionalProperties": False,
}
TEXT: JsonValue = {"type": "text", "text": "Total: 4.20"}
IMAGE: JsonValue = {
    "type": "image_url",
    "image_url": {"url": "data:image/png;base64,AAAA", "detail": "auto"},
}
CALL: JsonObject = {"name": "look_up", "arguments": '{"total": "1"}'}
CONVERSATION: list[JsonValue] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [TEXT, IMAGE]},
    {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": CALL}],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": [TEXT]},
    {"role": "assistant", "content": [TEXT, {"type": "refusal", "refusal": "No."}]},
    {"role": "user", "content": "Go on."},
]
TOOL: JsonObject = {
    "type": "function",
    "function": {"name": "look_up", "description": "x", "parameters": SCHEMA, "strict": True},
}
ANY_ROUTE: JsonObject = {
    "messages": CONVERSATION,
    "tools": [TOOL],
    "tool_choice": {"type": "function", "function": {"name": "look_up"}},
    "parallel_tool_calls": False,
    "stream": False,
    "max_tokens": 50,
    "max_completion_tokens": 50,
    "n": 1,
    "stop": ["END"],
    "user": "u-1",
    "steelyard": {"task": "t", "label": "internal", "document": {"message": 1}, "return": True},
}
OPENAI: JsonObject = {
    **ANY_ROUTE,
    "messages": [
        {"role": "user", "name": "ann", "content": "Total: 4.20"},
        {"role": "assistant", "content": "", "function_call": CALL},
        {"role": "function", "name": "look_up", "content": "1"},
    ],
    "tools": [],
    "tool_choice": "auto",
    "functions": [{"name": "look_up", "parameters": SCHEMA}],
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "receipt", "strict": True, "schema": SCHEMA},
    },
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0.5,
    "top_p": 0.9,
    "seed": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logit_bias": {"50256": 1},
    "logprobs": False,
    "metadata": {"a": "b"},
    "store": False,
    "reasoning_effort": "low",
}
REQUESTS: dict[str, JsonObject] = {"fake-model": OPENAI, "claude-model": ANY_ROUTE}
PASSED_ON: tuple[Place, ...] = (("metadata",),)
"""What stands in these is the provider's to judge."""
ANYTHING: tuple[JsonValue, ...] = (
    70,
    1.5,
    -(10**30),
    "x",
    "",
    True,
    None,
    [],
    {},
    [3],
    [None],
    [[]],
    [{}],
    {"type": 3},
)
CLAUDE = """\
  claude-model:
    provider: claude
    upstream_model: claude-opus-5-5
    price: claude-opus-5-5
    context_window: 1_000_000
    max_output_tokens: 128_000
"""


def places(value: JsonValue, above: Place = ()) -> Iterator[Place]:
    """Every place of a request, from the outside in."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*above, step)
        yield from places(inner, (*above, step))


def shown(place: Place) -> str:
    """As errors write it."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


def value_at(request: JsonObject, place: Place) -> JsonValue:
    """What `request` holds at `place`."""
    found: JsonValue = request
    for step in place:
        match found, step:
            case dict(), str():
                found = found[step]
            case list(), int():
                found = found[step]
    return found


def with_value(request: JsonObject, place: Place, value: JsonValue) -> JsonObject:
    """`request` with another value at `place`."""
    changed: JsonObject = orjson.loads(orjson.dumps(request))  # its parts are no longer shared
    match value_at(changed, place[:-1]), place[-1]:
        case dict() as holder, str() as key:
            holder[key] = value
        case list() as items, int() as index:
            items[index] = value
    return changed


def typed(model: str, request: JsonObject) -> Iterator[tuple[str, Place]]:
    """The places whose type the gateway checks; what is in a schema is the schema's fault."""
    for place in places(request):
        if place[:-1] not in PASSED_ON and not {"schema", "parameters"} & set(place[:-1]):
            yield model, place


TYPED = [each for model, request in REQUESTS.items() for each in typed(model, request)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningGateway, str]]:
    """One gateway for all, before a provider of each format."""
    answer = Behaviour(answer={"total": "4.20"})
    with running_upstream(answer) as openai, running_upstream(answer) as claude:
        routes = f'  claude: {{type: anthropic, base_url: "{claude.base_url}"}}\nroutes:\n{CLAUDE}'
        text = config_text(openai.base_url).replace("routes:\n", routes)
        policy = POLICY.replace('"1000"', '"100000"')
        config = write_config(tmp_path_factory.mktemp("types"), text, {"finance": policy})
        key = make_key(config)
        with running_gateway(config) as gateway:
            yield gateway, key


@pytest.mark.parametrize("model", REQUESTS)
def test_the_request_itself_is_answered(running: tuple[RunningGateway, str], model: str) -> None:
    gateway, key = running
    assert gateway.chat(key, model=model, **REQUESTS[model]).status == 200


@pytest.mark.parametrize(("model", "place"), TYPED, ids=[f"{model} {shown(place)}" for model, place in TYPED])
def test_a_value_of_a_wrong_type_is_a_400_that_names_its_place(
    running: tuple[RunningGateway, str], model: str, place: Place
) -> None:
    gateway, key = running
    right = value_at(REQUESTS[model], place)
    wrong = "x" if isinstance(right, (bool, int, float)) else 3
    response = gateway.chat(key, model=model, **with_value(REQUESTS[model], place, wrong))
    param = response.error["param"] or ""
    assert (response.status, response.error["type"]) == (400, "invalid_request_error")
    assert param == shown(place) or param.startswith(f"{shown(place)}.")


@pytest.mark.parametrize("model", REQUESTS)
def test_no_value_at_any_place_makes_the_gateway_fail(
    running: tuple[RunningGateway, str], model: str
) -> None:
    gateway, key = running
    for place in places(REQUESTS[model]):
        for value in ANYTHING:
            response = gateway.chat(key, model=model, **with_value(REQUESTS[model], place, value))
            assert response.status in (200, 400, 404), (shown(place), value, response.body)
