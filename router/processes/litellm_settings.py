"""What litellm's process is told on its standard input, as one JSON line: keys are in no argument and no
environment."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class LitellmSettings:
    """One provider. `vendor` is litellm's name of it."""

    vendor: str
    base_url: str
    host: str
    port: int
    door_key: str = field(repr=False)
    """What the gateway shows with each request."""
    api_key: str | None = field(repr=False)
    options: Mapping[str, str] = field(repr=False)
    """Arguments of litellm's that this vendor needs: a region, further keys."""

    @staticmethod
    def of(vendor: str, base_url: str, api_key: str | None, options: Mapping[str, str]) -> "LitellmSettings":
        """Of a provider, with a new key of the door's."""
        parts = urlsplit(base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        door_key = secrets.token_urlsafe(32)
        return LitellmSettings(
            vendor, base_url.rstrip("/"), parts.hostname or "", port, door_key, api_key, options
        )

    def to_line(self) -> str:
        """Write the settings as the process reads them."""
        return json.dumps(asdict(self)) + "\n"

    @staticmethod
    def from_line(line: str) -> "LitellmSettings":
        """Read the settings."""
        return LitellmSettings(**json.loads(line))

    def arguments(self) -> dict[str, object]:
        """What litellm is told with each request: no second try, no other model, no field dropped, nothing
        kept, logged or cached."""
        told: dict[str, object] = {
            **self.options,
            "custom_llm_provider": self.vendor,
            "api_base": self.base_url,
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": False,
            "caching": False,
            "no-log": True,
        }
        if self.api_key is not None:
            told["api_key"] = self.api_key
        return told
