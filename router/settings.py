"""The configuration: `steelyard.yaml` and the environment, as values. Nobody else reads either.

A key that nothing reads is refused, with its file, line and the nearest one that is known.
Provider keys come from the environment alone: the file names the variable, never the key.
"""

import importlib.metadata
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ledger.usage import Rates
from policies.document import Mapping, read_document, suggestion
from policies.errors import DocumentError
from policies.loading import Policies, load_policies
from router.catalog import PLAN_NAMES, Dialect, Encoding, Origin, Route, SchemaMode
from router.providers.local.build import EngineKind, EngineSettings

CONFIG_NAME = "steelyard.yaml"
KEYS = ("data", "server", "ledger", "policies", "providers", "routes")
PROVIDER_KEYS = ("type", "base_url", "key_env", "dialect")
ROUTE_KEYS = (
    "provider", "model", "upstream_model", "premium", "price", "context_window", "max_output_tokens", "schema",
    "logprobs", "tokenizer", "deadline_s", "idle_timeout_s", "simulated", "engine", "weights", "slots", "threads",
)  # fmt: skip
ENGINE_ONLY, HOSTED_ONLY = (
    ("engine", "weights", "slots", "threads"),
    ("provider", "upstream_model", "premium", "idle_timeout_s", "tokenizer", "schema"),
)
PRICE_KEYS = {
    "input_usd_per_million": (
        "input_uncached",
        "cache_read",
        "cache_write_5m",
        "cache_write_1h",
        "input_image",
        "input_audio",
    ),
    "cache_read_usd_per_million": ("cache_read",),
    "cache_write_usd_per_million": ("cache_write_5m", "cache_write_1h"),
    "output_usd_per_million": ("output_text", "output_reasoning", "output_audio"),
}
CPU_KEY = "cpu_usd_per_hour"
DEFAULT_WEIGHTS = "smollm2"
SMOLLM2_FILE = "smollm2-135m-instruct-q4_1.gguf"


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """A server that speaks OpenAI's format."""

    name: str
    base_url: str
    api_key: str | None
    dialect: Dialect

    def __repr__(self) -> str:
        return f"ProviderSettings({self.name!r})"  # a key must not reach a log by way of a repr


@dataclass(frozen=True, slots=True)
class StatedPrice:
    """A price that the configuration states for one route."""

    sku: str
    rates: Rates


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a gateway is built from."""

    version: str
    data_dir: Path
    ledger_path: Path
    host: str
    port: int
    body_bytes_max: int
    log_requests: bool
    disk_reserve_bytes: int
    providers: tuple[ProviderSettings, ...]
    routes: tuple[Route, ...]
    engines: dict[str, EngineSettings]
    stated_prices: tuple[StatedPrice, ...]
    policies: Policies
    pepper: str | None

    def __repr__(self) -> str:
        return f"Settings({str(self.data_dir)!r})"


def load_settings(path: Path, *, host: str | None = None, port: int | None = None) -> Settings:
    """Read the configuration at `path`; `host` and `port` from the command line win.

    Raises PolicyError with file, line and what to write instead.
    """
    if not path.is_file():
        raise DocumentError(
            "there is no such file; copy examples/steelyard.yaml and adapt it, or name another with --config",
            str(path),
            1,
        )
    document = read_document(path)
    document.only(KEYS)
    server, ledger = document.mapping("server"), document.mapping("ledger")
    server.only(("host", "port", "max_body_mb", "log_requests"))
    ledger.only(("disk_reserve_mb",))
    base = path.parent
    data_dir = (base / document.text("data", "steelyard-data")).resolve()
    providers = _providers(document.mapping("providers"))
    routes, engines, prices = _routes(document, {provider.name: provider for provider in providers})
    models = tuple(dict.fromkeys(route.model for route in routes))
    return Settings(
        version=importlib.metadata.version("steelyard"),
        data_dir=data_dir,
        ledger_path=data_dir / "ledger.sqlite",
        host=host if host is not None else server.text("host", "127.0.0.1"),
        port=port if port is not None else server.integer("port", 0, 65_535, 8_400),
        body_bytes_max=server.integer("max_body_mb", 1, 256, 20) * 1_000_000,
        log_requests=server.flag("log_requests", default=True),
        disk_reserve_bytes=ledger.integer("disk_reserve_mb", 0, 1_000_000, 64) << 20,
        providers=providers,
        routes=routes,
        engines=engines,
        stated_prices=prices,
        policies=load_policies(base / document.text("policies", "policies"), models),
        pepper=os.environ.get("STEELYARD_PEPPER"),
    )


def ledger_path_of(config: Path) -> Path:
    """Where the ledger of a configuration lies, without reading the rest of it."""
    document = read_document(config)
    return (config.parent / document.text("data", "steelyard-data")).resolve() / "ledger.sqlite"


def models_folder() -> Path:
    """Where weights are kept: `$STEELYARD_MODELS`, else the user's data folder."""
    named = os.environ.get("STEELYARD_MODELS")
    if named:
        return Path(named)
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "steelyard" / "models"


def client_defaults() -> tuple[str | None, str | None]:
    """URL and key for commands that are clients: `STEELYARD_URL`, `STEELYARD_API_KEY`."""
    return os.environ.get("STEELYARD_URL"), os.environ.get("STEELYARD_API_KEY")


def _providers(section: Mapping) -> tuple[ProviderSettings, ...]:
    found: list[ProviderSettings] = []
    for name in section:
        provider = section.mapping(name)
        provider.only(PROVIDER_KEYS)
        kind = provider.text("type", "openai_compatible")
        if kind != "openai_compatible":
            raise provider.error(f"{provider.path('type')} is '{kind}'; known is openai_compatible", "type")
        url = provider.text("base_url")
        parts = urlsplit(url)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.username
            or parts.query
            or parts.fragment
        ):
            raise provider.error(
                f"{provider.path('base_url')} is no address; write e.g. https://api.deepseek.com/v1",
                "base_url",
            )
        found.append(
            ProviderSettings(
                name, url, _api_key(provider), provider.choice("dialect", Dialect, Dialect.GENERIC)
            )
        )
    return tuple(found)


def _api_key(provider: Mapping) -> str | None:
    variable = provider.optional_text("key_env")
    if variable is None:
        return None
    if not variable.replace("_", "").isalnum() or not variable.isupper():
        raise provider.error(
            f"{provider.path('key_env')} must be the name of an environment variable, e.g. DEEPSEEK_API_KEY; a key itself never stands in a file",
            "key_env",
        )
    key = os.environ.get(variable)
    if not key:
        raise provider.error(
            f"{provider.path('key_env')}: the environment variable {variable} is not set; export it before the start",
            "key_env",
        )
    return key


def _routes(
    document: Mapping, providers: dict[str, ProviderSettings]
) -> tuple[tuple[Route, ...], dict[str, EngineSettings], tuple[StatedPrice, ...]]:
    section = document.mapping("routes")
    if not section.entries:
        raise document.error("routes is empty; name at least one model that can answer", "routes")
    routes: list[Route] = []
    engines: dict[str, EngineSettings] = {}
    prices: list[StatedPrice] = []
    for name in section:
        entry = section.mapping(name)
        entry.only(ROUTE_KEYS)
        if entry.text("model", name) in PLAN_NAMES:
            raise entry.error(f"'{name}' is the name of a plan; call the route something else", None)
        if entry.has("engine"):
            route, engines[name] = _local_route(entry, name)
        else:
            route = _hosted_route(entry, name, providers)
        price = _stated_price(entry, name)
        if price is not None:
            prices.append(price)
        routes.append(route)
    return tuple(routes), engines, tuple(prices)


def _local_route(entry: Mapping, name: str) -> tuple[Route, EngineSettings]:
    for key in HOSTED_ONLY:
        if entry.has(key):
            raise entry.error(f"{entry.path(key)} means nothing for a local engine; leave it out", key)
    threads = entry.integer("threads", 1, 256, max(1, os.cpu_count() or 1))
    slots = entry.integer("slots", 1, 64, 1)
    window = entry.integer("context_window", 256, 10_000_000, 4_096)
    engine = EngineSettings(
        entry.choice("engine", EngineKind),
        _weights(entry),
        window,
        slots,
        threads,
    )
    route = Route(
        name=name,
        model=entry.text("model", name),
        provider=name,
        upstream_model=name,
        origin=Origin.LOCAL,
        price_sku=_price_sku(entry, name),
        context_window=window,
        max_output_tokens=entry.integer("max_output_tokens", 1, window, min(1_024, window)),
        schema_mode=SchemaMode.JSON_SCHEMA,
        logprobs=entry.flag("logprobs", default=True),
        dialect=Dialect.GENERIC,
        encoding=Encoding.NONE,
        deadline_s=entry.number("deadline_s", 1, 86_400, 300),
        idle_timeout_s=60,
        compute_threads=threads,
        simulated=entry.flag("simulated", default=False),
    )
    return route, engine


def _weights(entry: Mapping) -> str:
    named = entry.text("weights", DEFAULT_WEIGHTS)
    if named == DEFAULT_WEIGHTS:
        return str(models_folder() / SMOLLM2_FILE)
    return str(Path(named).expanduser().resolve())


def _hosted_route(entry: Mapping, name: str, providers: dict[str, ProviderSettings]) -> Route:
    for key in ENGINE_ONLY:
        if entry.has(key):
            raise entry.error(f"{entry.path(key)} belongs to a local engine; this route has a provider", key)
    provider = entry.text("provider")
    if provider not in providers:
        raise entry.error(
            f"{entry.path('provider')} names the unknown provider '{provider}'{suggestion(provider, providers)}",
            "provider",
        )
    return Route(
        name=name,
        model=entry.text("model", name),
        provider=provider,
        upstream_model=entry.text("upstream_model", name),
        origin=Origin.PREMIUM if entry.flag("premium", default=False) else Origin.HOSTED,
        price_sku=_price_sku(entry, name),
        context_window=entry.integer("context_window", 256, 100_000_000),
        max_output_tokens=entry.integer("max_output_tokens", 1, 100_000_000),
        schema_mode=entry.choice("schema", SchemaMode, SchemaMode.JSON_SCHEMA),
        logprobs=entry.flag("logprobs", default=False),
        dialect=providers[provider].dialect,
        encoding=entry.choice("tokenizer", Encoding, Encoding.NONE),
        deadline_s=entry.number("deadline_s", 1, 86_400, 600),
        idle_timeout_s=entry.number("idle_timeout_s", 1, 86_400, 120),
        simulated=entry.flag("simulated", default=False),
    )


def _price_sku(entry: Mapping, name: str) -> str:
    """A listed price's name, or the route's own where the file states one."""
    if not entry.has("price"):
        raise entry.error(
            f"{entry.path('price')} is missing: name a listed price (e.g. deepseek/deepseek-flash) or state one; an unknown price is never zero"
        )
    return f"route:{name}" if isinstance(entry.entries["price"], Mapping) else entry.text("price")


def _stated_price(entry: Mapping, name: str) -> StatedPrice | None:
    if not isinstance(entry.entries["price"], Mapping):
        return None
    price = entry.mapping("price")
    price.only((*PRICE_KEYS, CPU_KEY))
    required = (CPU_KEY,) if entry.has("engine") else ("input_usd_per_million", "output_usd_per_million")
    for key in required:
        if not price.has(key):
            raise price.error(f'{price.path(key)} is missing; write it, "0" if it really costs nothing')
    rates: dict[str, int] = {}
    for key, classes in PRICE_KEYS.items():
        if price.has(key):
            rates.update(dict.fromkeys(classes, price.usd(key)))
    if price.has(CPU_KEY):
        rates["cpu_us"] = _per_cpu_second(price.usd(CPU_KEY))
    return StatedPrice(f"route:{name}", Rates(**rates))


def _per_cpu_second(per_hour_nano_usd: int) -> int:
    """Nano-USD per million microseconds of one core, rounded up: 3,600 seconds an hour."""
    return -(-per_hour_nano_usd // 3_600)
