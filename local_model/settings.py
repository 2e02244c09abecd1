"""What a GGUF engine's process is told on its standard input, as one JSON line."""

import json
from dataclasses import asdict, dataclass

from local_model.errors import SettingsError


@dataclass(frozen=True, slots=True)
class GgufSettings:
    """One GGUF model. `context_window` is tokens a slot; `api_key` is known to the gateway alone."""

    weights: str
    context_window: int
    slots: int
    threads: int
    api_key: str

    def to_line(self) -> str:
        """Write the settings as the process reads them."""
        return json.dumps(asdict(self)) + "\n"

    @staticmethod
    def from_line(line: str) -> "GgufSettings":
        """Read the settings. Raises SettingsError."""
        try:
            settings = GgufSettings(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise SettingsError(f"the engine's settings cannot be read: {type(error).__name__}") from error
        if settings.slots < 1 or settings.threads < 1 or settings.context_window < 256:
            raise SettingsError("slots and threads must be 1 or more, and context_window 256 or more")
        return settings
