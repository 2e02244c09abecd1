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

LITELLM_KEYS = ("vendor", "options", "secrets")
PROVIDER_KEYS = ("type", "base_url", "key_env", "dialect", *LITELLM_KEYS, *SERVER_KEYS)
METHODS = ("/chat/completions", "/messages")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_OPTION = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NO_OPTIONS = frozenset({"api_base", "base_url", "api_key", "client", "model", "messages"})
"""What has its own key here, or is the request's."""
_HOST_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_HOST_CHARACTERS_MAX = 253


class ProviderKind(StrEnum):
    """What a server speaks."""

    OPENAI_COMPATIBLE = "openai_compatible"
    ANTHROPIC = "anthropic"
    LITELLM = "litellm"
    """What litellm speaks for us, in a process of its own."""


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
    vendor: str = ""
    """litellm's name of it, where litellm speaks to it."""
    options: Environment[str, str] = field(default_factory=dict, repr=False)
    """What litellm wants besides: a region, further keys."""


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
        if kind is not ProviderKind.OPENAI_COMPATIBLE and provider.has("dialect"):
            raise provider.error(
                f"{provider.path('dialect')} says where servers of OpenAI's format differ; leave it out",
                "dialect",
            )
        found[name] = ProviderSettings(
            name,
            _base_url(provider),
            _key(provider, "key_env", environment) if provider.has("key_env") else None,
            provider.choice("dialect", Dialect, Dialect.GENERIC),
            kind,
            read_server_facts(provider),
            *_vendor(provider, kind, environment),
        )
    return found


def _vendor(
    provider: Mapping, kind: ProviderKind, environment: Environment[str, str]
) -> tuple[str, dict[str, str]]:
    """litellm's name of a provider and what it wants besides; nothing of the kind for any other."""
    if kind is not ProviderKind.LITELLM:
        for key in LITELLM_KEYS:
            if provider.has(key):
                raise provider.error(
                    f"{provider.path(key)} is for a provider of `type: litellm`; leave it out", key
                )
        return "", {}
    options: dict[str, str] = {}
    for key in ("options", "secrets"):
        section = provider.mapping(key)
        for name in section:
            if not _OPTION.fullmatch(name) or name in _NO_OPTIONS or name in options:
                raise section.error(
                    f"{section.path(name)[:120]} is no option of a vendor's that stands here; write e.g. "
                    "aws_region_name in options, aws_secret_access_key in secrets",
                    name,
                )
            options[name] = section.text(name) if key == "options" else _key(section, name, environment)
    return provider.text("vendor"), options


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


def _key(provider: Mapping, name: str, environment: Environment[str, str]) -> str:
    variable = provider.text(name)
    what = provider.path(name)
    if not _VARIABLE.fullmatch(variable):
        raise provider.error(
            f"{what} must be the name of an environment variable, e.g. DEEPSEEK_API_KEY; a key itself never stands in a file",
            name,
        )
    shown = variable if "_" in variable else "named there"  # some keys are capitals and digits too
    key = environment.get(variable)
    if not key:
        raise provider.error(
            f"{what}: the environment variable {shown} is not set; export it before the start", name
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise provider.error(
            f"{what}: the environment variable {shown} holds more than a key (a space, a line break or a special character); export the key alone",
            name,
        )
    return key
