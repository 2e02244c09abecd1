"""The configuration: `steelyard.yaml` and the environment, as values. Nobody else reads either.

A key that nothing reads is refused, with its file, line and the nearest one that is known.
"""

import importlib.metadata
import os
from dataclasses import dataclass
from pathlib import Path

from policies.document import read_document
from policies.errors import DocumentError
from policies.loading import Policies, load_policies
from policies.nodes import Mapping
from policies.route_facts import RouteFacts
from router.body_room import SHARES
from router.catalog import Route
from router.config_paths import DATA_FOLDER, LEDGER_FILE, POLICIES_FOLDER, configured_path, weights_folder
from router.errors import InvalidRequestError
from router.provider_settings import ProviderSettings, is_host, read_providers
from router.providers.local.build import EngineSettings
from router.route_price import ListedPrice, StatedPrice
from router.route_settings import read_routes
from router.transport import Transport

PREMIUM_KEY = "OPENAI_API_KEY"
CONFIG_NAME = "steelyard.yaml"
KEYS = ("data", "server", "ledger", "policies", "providers", "routes")
SERVER_KEYS = (
    "host",
    "port",
    "tls_cert",
    "tls_key",
    "behind_proxy",
    "max_body_mb",
    "max_bodies_mb",
    "log_requests",
)
LEDGER_KEYS = ("disk_reserve_mb",)
PORT_MAX = 65_535
BODIES_MB, BODIES_MB_MAX = 256, 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a gateway is built from."""

    version: str
    data_dir: Path
    ledger_path: Path
    host: str
    port: int
    transport: Transport
    body_bytes_max: int
    bodies_bytes_max: int
    """Of all bodies that are being read or answered."""
    log_requests: bool
    disk_reserve_bytes: int
    providers: tuple[ProviderSettings, ...]
    routes: tuple[Route, ...]
    engines: dict[str, EngineSettings]
    prices: tuple[StatedPrice | ListedPrice, ...]
    """One a route, in their order."""
    policies_dir: Path
    policies: Policies
    pepper: str | None
    pepper_previous: str | None

    @property
    def route_facts(self) -> tuple[RouteFacts, ...]:
        """What rules see of each route, in their order."""
        return tuple(route.facts for route in self.routes)

    def __repr__(self) -> str:
        return f"Settings({str(self.data_dir)!r})"  # a secret must not reach a log by way of a repr


def load_settings(path: Path, *, host: str | None = None, port: int | None = None) -> Settings:
    """Read the configuration at `path`; `host` and `port` from the command line win.

    Raises PolicyError with file, line and what to write instead.
    """
    document = _read(path)
    document.only(KEYS)
    server, ledger = document.mapping("server"), document.mapping("ledger")
    server.only(SERVER_KEYS)
    ledger.only(LEDGER_KEYS)
    base = path.parent
    data_dir = configured_path(document, "data", DATA_FOLDER, base)
    if data_dir.exists() and not data_dir.is_dir():
        raise document.error(f"data names {data_dir}, which is a file; name a folder", "data")
    rules = _policies_folder(document, base)
    providers = read_providers(document.mapping("providers"), os.environ)
    read = read_routes(document, providers, base, os.environ)
    configured_host = _host(server)
    configured_port = server.integer("port", 0, PORT_MAX, 8_400)
    body_mb = server.integer("max_body_mb", 1, 256, 20)
    if host is not None and not is_host(host):
        raise InvalidRequestError(f"--host '{host[:60]}' is no host; write e.g. 127.0.0.1 or localhost")
    return Settings(
        version=importlib.metadata.version("steelyard"),
        data_dir=data_dir,
        ledger_path=data_dir / LEDGER_FILE,
        host=host if host is not None else configured_host,
        port=port if port is not None else configured_port,
        transport=_transport(server, base),
        body_bytes_max=body_mb * 1_000_000,
        bodies_bytes_max=_bodies_mb(server, body_mb) * 1_000_000,
        log_requests=server.flag("log_requests", default=True),
        disk_reserve_bytes=ledger.integer("disk_reserve_mb", 0, 1_000_000, 64) << 20,
        providers=tuple(providers.values()),
        routes=read.routes,
        engines=read.engines,
        prices=read.prices,
        policies_dir=rules,
        policies=load_policies(rules, [route.facts for route in read.routes]),
        pepper=os.environ.get("STEELYARD_PEPPER"),
        pepper_previous=os.environ.get("STEELYARD_PEPPER_PREVIOUS"),
    )


def policies_source(path: Path) -> tuple[Path, tuple[RouteFacts, ...]]:
    """The folder of the policies, and the routes that they may name, with no policy read. Raises PolicyError."""
    document = _read(path)
    document.only(KEYS)
    providers = read_providers(document.mapping("providers"), os.environ)
    routes = read_routes(document, providers, path.parent, os.environ).routes
    return _policies_folder(document, path.parent), tuple(route.facts for route in routes)


def ledger_path_of(config: Path) -> Path:
    """Where the ledger of a configuration lies, without reading the rest of it."""
    return configured_path(_read(config), "data", DATA_FOLDER, config.parent) / LEDGER_FILE


def models_folder() -> Path:
    """Where weights are kept: `$STEELYARD_MODELS`, else the user's data folder."""
    return weights_folder(os.environ)


def premium_key() -> str | None:
    """The key of a premium provider in the environment, which the demo may ask for leave to use."""
    return os.environ.get(PREMIUM_KEY) or None


def client_defaults() -> tuple[str | None, str | None]:
    """URL and key for commands that are clients: `STEELYARD_URL`, `STEELYARD_API_KEY`; None where unset."""
    return os.environ.get("STEELYARD_URL") or None, os.environ.get("STEELYARD_API_KEY") or None


def _read(path: Path) -> Mapping:
    if not path.is_file():
        raise DocumentError(
            "there is no such file; copy examples/steelyard.yaml and adapt it, or name another with --config",
            str(path),
            None,
        )
    return read_document(path)


def _policies_folder(document: Mapping, base: Path) -> Path:
    folder = configured_path(document, "policies", POLICIES_FOLDER, base)
    if not folder.is_dir():
        raise document.error(
            f"policies names the folder {folder}, which is not there; make it and put one file a team into it",
            "policies",
        )
    return folder


def _host(server: Mapping) -> str:
    host = server.text("host", "127.0.0.1")
    if not is_host(host):
        raise server.error(
            f"{server.path('host')} is '{host[:60]}'; write an address or a name without port, e.g. 127.0.0.1",
            "host",
        )
    return host


def _bodies_mb(server: Mapping, body_mb: int) -> int:
    """For all bodies together; the share of one key holds the largest that is taken."""
    least = SHARES * body_mb
    bodies_mb = server.integer("max_bodies_mb", SHARES, BODIES_MB_MAX, max(BODIES_MB, least))
    if bodies_mb < least:
        raise server.error(
            f"{server.path('max_bodies_mb')} is {bodies_mb}; it must be at least {least}, {SHARES} times max_body_mb: no key "
            f"may have more than 1/{SHARES} of it",
            "max_bodies_mb",
        )
    return bodies_mb


def _transport(server: Mapping, base: Path) -> Transport:
    cert, key = (
        configured_path(server, name, "", base) if server.has(name) else None
        for name in ("tls_cert", "tls_key")
    )
    return Transport(cert, key, server.flag("behind_proxy", default=False))
