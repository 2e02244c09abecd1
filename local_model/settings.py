"""What a GGUF engine's process is told on its standard input, as one JSON line."""

import json
from dataclasses import asdict, dataclass, field

from local_model.errors import SettingsError

CONTEXT_WINDOW_MIN = 256


@dataclass(frozen=True, slots=True)
class GgufSettings:
    """One GGUF model. `context_window` is tokens a slot; `api_key` is known to the gateway alone."""

    weights: str
    context_window: int
    slots: int
    threads: int
    api_key: str = field(repr=False)

    def to_line(self) -> str:
        """Write the settings as the process reads them."""
        return json.dumps(asdict(self)) + "\n"

    @staticmethod
    def from_line(line: str) -> "GgufSettings":
        """Read the settings. Raises SettingsError."""
        try:
            settings = GgufSettings(**json.loads(line))
        except (ValueError, TypeError, RecursionError) as error:
            raise SettingsError(f"the engine's settings cannot be read: {type(error).__name__}") from error
        if not all(isinstance(text, str) and text for text in (settings.weights, settings.api_key)):
            raise SettingsError("weights and api_key must be texts, and not empty")
        numbers = (settings.slots, settings.threads, settings.context_window)
        if not all(isinstance(number, int) for number in numbers):
            raise SettingsError("slots, threads and context_window must be integers")
        if settings.slots < 1 or settings.threads < 1 or settings.context_window < CONTEXT_WINDOW_MIN:
            raise SettingsError(
                f"slots and threads must be 1 or more, and context_window {CONTEXT_WINDOW_MIN} or more"
            )
        return settings
