"""Routes: what is read of each, and what is refused with a way out."""

import os
from pathlib import Path

import pytest

from local_model.weights import SMOLLM2_FILE
from policies.document import parse_bytes
from policies.errors import PolicyError
from policies.route_facts import RouteFacts, Runs
from router.catalog import PLAN_NAMES, Dialect, Encoding, Origin, Route, SchemaMode
from router.provider_settings import ProviderKind, ProviderSettings
from router.providers.local.build import EngineKind, EngineSettings
from router.route_facts import ServerFacts
from router.route_price import ListedPrice, StatedPrice
from router.route_settings import ROUTE_KEYS, RouteSettings, read_routes

PROVIDERS = {
    "deepseek": ProviderSettings("deepseek", "http://127.0.0.1", None, Dialect.DEEPSEEK),
    "ours": ProviderSettings(
        "ours",
        "http://127.0.0.1",
        None,
        Dialect.GENERIC,
        server=ServerFacts(Runs.ON_PREMISES, "cellar", "DE", zero_retention=True, no_training=True),
    ),
    "claude": ProviderSettings("claude", "http://127.0.0.1", None, Dialect.GENERIC, ProviderKind.ANTHROPIC),
}
HOSTED = """\
    provider: deepseek
    price: deepseek/deepseek-flash
    context_window: 1_000_000
    max_output_tokens: 384000
"""
CLAUDE = HOSTED.replace("provider: deepseek", "provider: claude")
LOCAL = '    engine: gguf\n    price: {cpu_usd_per_hour: "0.02"}\n'


def routes_of(entry: str, name: str = "fast", base: Path = Path("/etc/steelyard")) -> RouteSettings:
    document = parse_bytes(f"routes:\n  {name}:\n{entry}".encode(), "steelyard.yaml")
    return read_routes(document, PROVIDERS, base, {"STEELYARD_MODELS": "/srv/models"})


def route_of(entry: str) -> Route:
    (route,) = routes_of(entry).routes
    return route


def test_a_hosted_route_needs_four_keys() -> None:
    assert route_of(HOSTED) == Route(
        name="fast", model="fast", provider="deepseek", upstream_model="fast", origin=Origin.HOSTED,
        price_sku="deepseek/deepseek-flash", context_window=1_000_000, max_output_tokens=384_000,
        schema_mode=SchemaMode.JSON_SCHEMA, logprobs=False, dialect=Dialect.DEEPSEEK, encoding=Encoding.NONE,
        deadline_s=600, idle_timeout_s=120, facts=RouteFacts("fast", "fast", "deepseek"), compute_threads=0,
        simulated=False, hidden_reasoning=False,
    )  # fmt: skip


def test_every_key_of_a_hosted_route_is_read() -> None:
    entry = HOSTED + (
        "    model: flash\n    upstream_model: deepseek-chat\n    premium: true\n    schema: json_object\n"
        "    logprobs: true\n    tokenizer: deepseek\n    deadline_s: 90.5\n    idle_timeout_s: 15\n    simulated: true\n"
        "    hidden_reasoning: true\n    place: eu-central-1\n    jurisdiction: DE\n    weights_licence: MIT\n    weights_origin: CN\n"
        "    zero_retention: true\n    no_training: true\n"
    )
    route = route_of(entry)
    assert route.facts == RouteFacts(
        "fast", "flash", "deepseek", Runs.HOSTED, "eu-central-1", "DE", "MIT", "CN", zero_retention=True,
        no_training=True,
    )  # fmt: skip
    assert (route.name, route.model, route.upstream_model) == ("fast", "flash", "deepseek-chat")
    assert (route.origin, route.schema_mode, route.encoding) == (
        Origin.PREMIUM,
        SchemaMode.JSON_OBJECT,
        Encoding.DEEPSEEK,
    )
    assert (route.deadline_s, route.idle_timeout_s) == (90.5, 15)
    assert route.logprobs
    assert route.simulated
    assert route.hidden_reasoning
    read = {line.split(":")[0].strip() for line in entry.splitlines()}
    assert set(ROUTE_KEYS) - read == {"engine", "weights", "slots", "threads"}, "a key is not in this test"


def test_a_local_route_needs_two_keys() -> None:
    found = routes_of(LOCAL)
    threads = min(256, os.cpu_count() or 1)
    assert found.engines == {
        "fast": EngineSettings(EngineKind.GGUF, f"/srv/models/{SMOLLM2_FILE}", 4_096, 1, threads)
    }
    (route,) = found.routes
    assert (route.origin, route.provider, route.compute_threads) == (Origin.LOCAL, "fast", threads)
    assert (route.context_window, route.max_output_tokens, route.logprobs) == (4_096, 1_024, True)
    assert (route.deadline_s, route.price_sku) == (300, "route:fast")


def test_every_key_of_a_local_route_is_read() -> None:
    entry = LOCAL + (
        "    model: small\n    weights: /srv/v4.gguf\n    context_window: 512\n    max_output_tokens: 100\n    slots: 2\n"
        "    threads: 3\n    logprobs: false\n    deadline_s: 30\n    simulated: true\n"
        "    place: cellar\n    jurisdiction: FR\n    weights_licence: Apache-2.0\n    weights_origin: US\n"
    )
    found = routes_of(entry)
    assert found.engines == {"fast": EngineSettings(EngineKind.GGUF, "/srv/v4.gguf", 512, 2, 3)}
    (route,) = found.routes
    assert (route.model, route.context_window, route.max_output_tokens) == ("small", 512, 100)
    assert (route.compute_threads, route.deadline_s, route.logprobs, route.simulated) == (3, 30, False, True)
    assert route.facts == RouteFacts(
        "fast", "small", "local", Runs.LOCAL, "cellar", "FR", "Apache-2.0", "US", zero_retention=True,
        no_training=True,
    )  # fmt: skip


def test_what_nobody_says_of_a_route_is_not_promised() -> None:
    facts = route_of(HOSTED).facts
    assert facts == RouteFacts("fast", "fast", "deepseek")


def test_a_provider_speaks_for_its_routes_unless_they_say_otherwise() -> None:
    facts = route_of(HOSTED.replace("deepseek\n", "ours\n", 1)).facts
    assert (facts.runs, facts.place, facts.jurisdiction) == (Runs.ON_PREMISES, "cellar", "DE")
    assert (facts.zero_retention, facts.no_training) == (True, True)
    said = "    place: attic\n    jurisdiction: CH\n    zero_retention: false\n"
    facts = route_of(HOSTED.replace("deepseek\n", "ours\n", 1) + said).facts
    assert (facts.place, facts.jurisdiction) == ("attic", "CH")
    assert (facts.zero_retention, facts.no_training) == (False, True)


def test_a_small_window_bounds_the_default_output() -> None:
    (route,) = routes_of(LOCAL + "    context_window: 300\n").routes
    assert route.max_output_tokens == 300


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("models/v4.gguf", "/etc/steelyard/models/v4.gguf"),
        ("../v4.gguf", "/etc/v4.gguf"),
        ("/srv/v4.gguf", "/srv/v4.gguf"),
        ("~/v4.gguf", str(Path.home() / "v4.gguf")),
    ],
)
def test_weights_lie_beside_the_configuration_wherever_the_gateway_is_started(
    written: str, expected: str
) -> None:
    assert routes_of(LOCAL + f"    weights: {written}\n").engines["fast"].weights == expected


def test_each_route_has_its_price_in_the_configurations_order() -> None:
    text = f"routes:\n  fast:\n{HOSTED}  small:\n{LOCAL}"
    found = read_routes(parse_bytes(text.encode(), "f.yaml"), PROVIDERS, Path("/"), {})
    assert [route.name for route in found.routes] == ["fast", "small"]
    assert [type(price) for price in found.prices] == [ListedPrice, StatedPrice]
    assert [price.sku for price in found.prices] == [route.price_sku for route in found.routes]


def test_several_routes_may_serve_one_model() -> None:
    text = f"routes:\n  here:\n{LOCAL}    model: flash\n  there:\n{HOSTED}    model: flash\n"
    found = read_routes(parse_bytes(text.encode(), "f.yaml"), PROVIDERS, Path("/"), {})
    assert [(route.name, route.model) for route in found.routes] == [("here", "flash"), ("there", "flash")]


def test_no_route_is_refused() -> None:
    for text in ("routes: {}\n", "routes:\n", "providers: {}\n"):
        with pytest.raises(PolicyError, match="routes is empty; name at least one model"):
            read_routes(parse_bytes(text.encode(), "f.yaml"), PROVIDERS, Path("/"), {})


def without(entry: str, key: str) -> str:
    return "".join(line for line in entry.splitlines(keepends=True) if not line.strip().startswith(f"{key}:"))


REFUSED = {
    "a promise of an engine": (LOCAL + "    zero_retention: true\n", 5, "routes.fast.zero_retention means nothing for a local engine; leave it out"),
    "who runs it, of a route": (HOSTED + "    runs: on_premises\n", 7, "unknown key 'runs' in routes.fast"),
    "weights from nowhere": (HOSTED + "    weights_origin: China\n", 7, "routes.fast.weights_origin is 'China'; write a country's two capital letters"),
    "unknown provider": (HOSTED.replace("provider: deepseek", "provider: deepsek"), 3, "names the unknown provider 'deepsek'; did you mean 'deepseek'?"),
    "neither provider nor engine": (without(HOSTED, "provider"), 2, "routes.fast.provider is missing; name one of providers, or write `engine: gguf`"),
    "both": (HOSTED + "    engine: gguf\n", 4, "must be stated for a local engine"),
    "both, price stated": (LOCAL + "    provider: deepseek\n", 5, "routes.fast.provider means nothing for a local engine; leave it out"),
    "no window": (without(HOSTED, "context_window"), 2, "routes.fast.context_window is missing"),
    "no output limit": (without(HOSTED, "max_output_tokens"), 2, "routes.fast.max_output_tokens is missing"),
    "no price": (without(HOSTED, "price"), 2, "routes.fast.price is missing"),
    "window with an exponent": (HOSTED.replace("1_000_000", "1e6"), 5, "context_window is '1e6'; write a whole number from 256"),
    "window in hexadecimal": (HOSTED.replace("1_000_000", "0x100"), 5, "write a whole number"),
    "window without an end": (HOSTED.replace("1_000_000", ".inf"), 5, "write a whole number"),
    "window below zero": (HOSTED.replace("1_000_000", "-1"), 5, "is -1; it must be from 256"),
    "window too small": (LOCAL + "    context_window: 255\n", 5, "it must be from 256"),
    "output beyond a local window": (LOCAL + "    max_output_tokens: 4097\n", 5, "it must be from 1 to 4096"),
    "output of nothing": (HOSTED.replace("384000", "0"), 6, "it must be from 1"),
    "unknown schema mode": (HOSTED + "    schema: json-schema\n", 7, "one of json_schema, tool, json_object, none; did you mean 'json_schema'?"),
    "unknown tokenizer": (HOSTED + "    tokenizer: gpt\n", 7, "it is one of o200k_base, cl100k_base, deepseek, none"),
    "log-probabilities of Claude": (CLAUDE + "    logprobs: true\n", 7, "routes.fast.logprobs: Anthropic's API gives no log-probabilities; leave it out"),
    "a tokenizer of Claude's": (CLAUDE + "    tokenizer: o200k_base\n", 7, "Claude's vocabulary is not published"),
    "unknown engine": ("    engine: torch\n    price: {cpu_usd_per_hour: 1}\n", 3, "routes.fast.engine is 'torch'; it is one of gguf"),
    "engine left empty": ("    engine:\n    price: {cpu_usd_per_hour: 1}\n", 3, "routes.fast.engine is empty"),
    "premium by a word": (HOSTED + "    premium: yes\n", 7, "routes.fast.premium is 'yes'; write true or false"),
    "deadline that is no number": (HOSTED + "    deadline_s: NaN\n", 7, "write a plain number from 1 to 86400"),
    "deadline with a unit": (HOSTED + "    deadline_s: 30s\n", 7, "routes.fast.deadline_s is '30s'; write a plain number from 1 to 86400"),
    "deadline of nothing": (HOSTED + "    deadline_s: 0\n", 7, "it must be from 1 to 86400"),
    "idle time-out without an end": (HOSTED + "    idle_timeout_s: .inf\n", 7, "write a plain number"),
    "weights of a hosted route": (HOSTED + "    weights: x.gguf\n", 7, "belongs to a local engine, and routes.fast.engine is not set; leave it out or set that"),
    "threads of a hosted route": (HOSTED + "    threads: 2\n", 7, "belongs to a local engine"),
    "schema of a local route": (LOCAL + "    schema: tool\n", 5, "routes.fast.schema means nothing for a local engine"),
    "no threads": (LOCAL + "    threads: 0\n", 5, "it must be from 1 to 256"),
    "too many slots": (LOCAL + "    slots: 65\n", 5, "it must be from 1 to 64"),
    "weights in nobody's home": (LOCAL + "    weights: ~nobody-of-that-name/x.gguf\n", 5, "names a home folder that is not there"),
    "unknown key": (HOSTED + "    max_tokens: 5\n", 7, "unknown key 'max_tokens' in routes.fast; did you mean 'max_output_tokens'?"),
    "key twice": (HOSTED + HOSTED, 7, "the key 'provider' is here twice"),
    "model named like a plan": (HOSTED + "    model: auto\n", 7, "'auto' is the name of a plan; call the route something else"),
    "model with a space": (HOSTED + "    model: my model\n", 7, "cannot name a route or model; write 1 to 128 ASCII characters"),
    "a word": ("    deepseek\n", 3, "routes.fast must be a mapping"),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "line", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_route_is_one_sentence_with_its_line(entry: str, line: int, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        routes_of(entry)
    assert str(caught.value).startswith(f"steelyard.yaml line {line}: ")
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("plan", sorted(PLAN_NAMES))
@pytest.mark.parametrize(
    "entry", [HOSTED, LOCAL, HOSTED + "    model: flash\n"], ids=["hosted", "local", "model"]
)
def test_a_route_named_like_a_plan_is_refused_at_its_name(entry: str, plan: str) -> None:
    with pytest.raises(PolicyError) as caught:
        routes_of(entry, plan)
    assert f"line 2: '{plan}' is the name of a plan; call the route something" in str(caught.value)


@pytest.mark.parametrize("name", ['"a b"', "größe", f"{'a' * 129}", '""'])
def test_a_name_that_no_header_can_carry_is_refused(name: str) -> None:
    with pytest.raises(PolicyError, match=r"line 2: .* cannot name a route or model"):
        routes_of(HOSTED, name)


def test_a_name_with_a_line_break_is_refused() -> None:
    """It would end a header of the answer and begin another."""
    with pytest.raises(PolicyError, match="plain text on one line"):
        routes_of(HOSTED, '"a\\r\\nset-cookie: x"')


def test_a_local_route_does_not_take_a_providers_place() -> None:
    with pytest.raises(PolicyError, match="line 2: 'deepseek' is a provider's name too"):
        routes_of(LOCAL, "deepseek")
    assert routes_of(HOSTED, "deepseek").routes[0].provider == "deepseek", "a hosted route may be called so"
