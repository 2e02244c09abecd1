"""Providers as the configuration names them: an address, and the variable that holds the key.

The key itself comes from the environment alone. No message repeats what could be one: not the
value of `key_env`, not an address that holds a password.
"""

import ipaddress
import re
from collections.abc import Mapping as Environment
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from policies.nodes import Mapping
from policies.route_facts import LOCAL_PROVIDER
from router.catalog import Dialect
from router.route_facts import SERVER_KEYS, ServerFacts, read_server_facts

PROVIDER_KEYS = ("type", "base_url", "key_env", "dialect", *SERVER_KEYS)
METHODS = ("/chat/completions", "/messages")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_HOST_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_HOST_CHARACTERS_MAX = 253


class ProviderKind(StrEnum):
    """What a server speaks."""

    OPENAI_COMPATIBLE = "openai_compatible"
    ANTHROPIC = "anthropic"


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """A server that serves models."""

    name: str
    base_url: str
    api_key: str | None = field(repr=False)
    dialect: Dialect
    """Where servers that speak OpenAI's format differ."""
    kind: ProviderKind = ProviderKind.OPENAI_COMPATIBLE
    server: ServerFacts = field(default_factory=ServerFacts)


def read_providers(section: Mapping, environment: Environment[str, str]) -> dict[str, ProviderSettings]:
    """Read the providers, by name. Raises PolicyError."""
    found: dict[str, ProviderSettings] = {}
    for name in section:
        if name == LOCAL_PROVIDER:
            raise section.error(
                f"'{name}' is the provider of the engines on this machine; call yours something else", name
            )
        provider = section.mapping(name)
        provider.only(PROVIDER_KEYS)
        kind = provider.choice("type", ProviderKind, ProviderKind.OPENAI_COMPATIBLE)
        if kind is ProviderKind.ANTHROPIC and provider.has("dialect"):
            raise provider.error(
                f"{provider.path('dialect')} says where servers of OpenAI's format differ; leave it out",
                "dialect",
            )
        found[name] = ProviderSettings(
            name,
            _base_url(provider),
            _api_key(provider, environment),
            provider.choice("dialect", Dialect, Dialect.GENERIC),
            kind,
            read_server_facts(provider),
        )
    return found


def is_host(text: str) -> bool:
    """Whether `text` can name a machine: an IP address, or a host name in ASCII."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        labels = text.removesuffix(".").split(".")
        return len(text) <= _HOST_CHARACTERS_MAX and all(map(_HOST_LABEL.fullmatch, labels))
    return True


def _base_url(provider: Mapping) -> str:
    url = provider.text("base_url")
    what = provider.path("base_url")
    parts = _split(url)
    if parts is None:
        raise provider.error(f"{what} is no address; write e.g. https://api.deepseek.com/v1", "base_url")
    if "@" in parts.netloc:
        raise provider.error(
            f"{what} holds a user or a password; leave them out, and name the variable that holds the key in key_env",
            "base_url",
        )
    if "?" in url or "#" in url:
        raise provider.error(f"{what} holds a '?' or a '#'; write the address up to there", "base_url")
    for method in METHODS:
        if parts.path.rstrip("/").endswith(method):
            raise provider.error(f"{what} names one method; leave out {method}", "base_url")
    return url


def _split(url: str) -> SplitResult | None:
    """The parts of an address that a request can be sent to, or None."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a bracket that does not close, a port beyond 65535
        return None
    if parts.scheme not in ("http", "https") or not is_host(parts.hostname or "") or port == 0:
        return None
    return parts if url.isascii() and " " not in url else None


def _api_key(provider: Mapping, environment: Environment[str, str]) -> str | None:
    variable = provider.optional_text("key_env")
    if variable is None:
        return None
    what = provider.path("key_env")
    if not _VARIABLE.fullmatch(variable):
        raise provider.error(
            f"{what} must be the name of an environment variable, e.g. DEEPSEEK_API_KEY; a key itself never stands in a file",
            "key_env",
        )
    shown = variable if "_" in variable else "named there"  # some keys are capitals and digits too
    key = environment.get(variable)
    if not key:
        raise provider.error(
            f"{what}: the environment variable {shown} is not set; export it before the start", "key_env"
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise provider.error(
            f"{what}: the environment variable {shown} holds more than a key (a space, a line break or a special character); export the key alone",
            "key_env",
        )
    return key
