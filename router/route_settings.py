"""Routes as the configuration names them: a model at a provider, or an engine on this machine."""

import os
from collections.abc import Mapping as Environment
from dataclasses import dataclass
from pathlib import Path

from local_model.weights import SMOLLM2_FILE
from policies.nodes import Mapping, suggestion
from policies.route_facts import RouteFacts
from router.catalog import PLAN_NAMES, Dialect, Encoding, Origin, Route, SchemaMode
from router.config_paths import configured_path, weights_folder
from router.provider_settings import ProviderKind, ProviderSettings
from router.providers.local.build import EngineKind, EngineSettings
from router.route_facts import PROMISE_KEYS, WEIGHTS_KEYS, WHERE_KEYS, read_route_facts
from router.route_price import ListedPrice, StatedPrice, read_price

ENGINE_ONLY = ("engine", "weights", "slots", "threads")
HOSTED_ONLY = (
    "provider", "upstream_model", "premium", "idle_timeout_s", "tokenizer", "schema", "hidden_reasoning", *PROMISE_KEYS,
)  # fmt: skip
ROUTE_KEYS = (
    *ENGINE_ONLY, *HOSTED_ONLY, "model", "price", "context_window", "max_output_tokens", "logprobs", "deadline_s", "simulated", *WHERE_KEYS, *WEIGHTS_KEYS,
)  # fmt: skip
NOT_ANTHROPIC = {
    "logprobs": "Anthropic's API gives no log-probabilities",
    "tokenizer": "Claude's vocabulary is not published, and another one would count too few tokens",
}
NAME_CHARACTERS_MAX = 128
DEFAULT_WEIGHTS = "smollm2"


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """All routes, the engines behind the local ones by route, and a price of each."""

    routes: tuple[Route, ...]
    engines: dict[str, EngineSettings]
    prices: tuple[StatedPrice | ListedPrice, ...]


def read_routes(
    document: Mapping,
    providers: dict[str, ProviderSettings],
    base: Path,
    environment: Environment[str, str],
) -> RouteSettings:
    """Read the routes; paths in them are relative to `base`. Raises PolicyError."""
    section = document.mapping("routes")
    if not section.entries:
        raise document.error("routes is empty; name at least one model that can answer", "routes")
    routes: list[Route] = []
    engines: dict[str, EngineSettings] = {}
    prices: list[StatedPrice | ListedPrice] = []
    for name in section:
        entry = section.mapping(name)
        entry.only(ROUTE_KEYS)
        model = _names(section, entry, name)
        local = entry.has("engine")
        price = read_price(entry, name, local=local)
        if local:
            if name in providers:
                raise section.error(f"'{name}' is a provider's name too; call the route something else", name)
            engines[name] = _engine(entry, base, environment)
            facts = read_route_facts(entry, name, model, name, None)
            routes.append(_local_route(entry, facts, price.sku, engines[name]))
        else:
            provider = _provider(entry, providers)
            facts = read_route_facts(entry, name, model, provider.name, provider.server)
            routes.append(_hosted_route(entry, facts, price.sku, provider))
        prices.append(price)
    return RouteSettings(tuple(routes), engines, tuple(prices))


def _names(section: Mapping, entry: Mapping, name: str) -> str:
    """The model's name; it and the route's stand in headers, reports and policies."""
    model = entry.text("model", name)
    for text, parent, key in ((name, section, name), (model, entry, "model")):
        if text in PLAN_NAMES:
            raise parent.error(f"'{text}' is the name of a plan; call the route something else", key)
        if not text.isascii() or " " in text or not 0 < len(text) <= NAME_CHARACTERS_MAX:
            raise parent.error(
                f"'{text[:60]}' cannot name a route or model; write 1 to {NAME_CHARACTERS_MAX} ASCII characters without a space",
                key,
            )
    return model


def _engine(entry: Mapping, base: Path, environment: Environment[str, str]) -> EngineSettings:
    for key in HOSTED_ONLY:
        if entry.has(key):
            raise entry.error(f"{entry.path(key)} means nothing for a local engine; leave it out", key)
    named = entry.text("weights", DEFAULT_WEIGHTS)
    weights = (
        weights_folder(environment) / SMOLLM2_FILE
        if named == DEFAULT_WEIGHTS
        else configured_path(entry, "weights", DEFAULT_WEIGHTS, base)
    )
    return EngineSettings(
        entry.choice("engine", EngineKind),
        str(weights),
        entry.integer("context_window", 256, 10_000_000, 4_096),
        entry.integer("slots", 1, 64, 1),
        entry.integer("threads", 1, 256, min(256, os.cpu_count() or 1)),
    )


def _local_route(entry: Mapping, facts: RouteFacts, sku: str, engine: EngineSettings) -> Route:
    window = engine.context_window
    return Route(
        name=facts.name,
        model=facts.model,
        provider=facts.name,
        upstream_model=facts.name,
        origin=Origin.LOCAL,
        price_sku=sku,
        context_window=window,
        max_output_tokens=entry.integer("max_output_tokens", 1, window, min(1_024, window)),
        schema_mode=SchemaMode.JSON_SCHEMA,
        logprobs=entry.flag("logprobs", default=True),
        dialect=Dialect.GENERIC,
        encoding=Encoding.NONE,
        deadline_s=entry.number("deadline_s", 1, 86_400, 300),
        idle_timeout_s=60,
        facts=facts,
        compute_threads=engine.threads,
        hidden_reasoning=False,
        simulated=entry.flag("simulated", default=False),
    )


def _provider(entry: Mapping, providers: dict[str, ProviderSettings]) -> ProviderSettings:
    """The provider of a hosted route; keys that say nothing of a route of its are refused."""
    for key in ENGINE_ONLY:
        if entry.has(key):
            raise entry.error(
                f"{entry.path(key)} belongs to a local engine, and {entry.path('engine')} is not set; leave it out or set that",
                key,
            )
    if not entry.has("provider"):
        raise entry.error(
            f"{entry.path('provider')} is missing; name one of providers, or write `engine: gguf` for a model on this machine"
        )
    provider = entry.text("provider")
    if provider not in providers:
        raise entry.error(
            f"{entry.path('provider')} names the unknown provider '{provider[:60]}'{suggestion(provider, providers)}",
            "provider",
        )
    if providers[provider].kind is ProviderKind.ANTHROPIC:
        for key, why in NOT_ANTHROPIC.items():
            if entry.has(key):
                raise entry.error(f"{entry.path(key)}: {why}; leave it out", key)
    return providers[provider]


def _hosted_route(entry: Mapping, facts: RouteFacts, sku: str, provider: ProviderSettings) -> Route:
    return Route(
        name=facts.name,
        model=facts.model,
        provider=provider.name,
        upstream_model=entry.text("upstream_model", facts.name),
        origin=Origin.PREMIUM if entry.flag("premium", default=False) else Origin.HOSTED,
        price_sku=sku,
        context_window=entry.integer("context_window", 256, 100_000_000),
        max_output_tokens=entry.integer("max_output_tokens", 1, 100_000_000),
        schema_mode=entry.choice("schema", SchemaMode, SchemaMode.JSON_SCHEMA),
        logprobs=entry.flag("logprobs", default=False),
        dialect=provider.dialect,
        encoding=entry.choice("tokenizer", Encoding, Encoding.NONE),
        deadline_s=entry.number("deadline_s", 1, 86_400, 600),
        idle_timeout_s=entry.number("idle_timeout_s", 1, 86_400, 120),
        facts=facts,
        hidden_reasoning=entry.flag("hidden_reasoning", default=provider.dialect is not Dialect.DEEPSEEK),
        simulated=entry.flag("simulated", default=False),
    )
