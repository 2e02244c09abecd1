"""Takes keys out of a `config.json` one by one, so that what is left over can be refused by name."""

import math
from collections.abc import Collection
from pathlib import Path

from local_model.errors import ConfigError


class Reader:
    """Takes keys out of one object of the file; what is left at the end is not known."""

    def __init__(
        self, said: dict[str, object], path: Path, prefix: str = "", *, is_there: bool = True
    ) -> None:
        self._said = said
        self._numbers = {key: float(value) for key, value in said.items() if isinstance(value, int | float)}
        self._path = path
        self._prefix = prefix
        self.is_there = is_there

    def error(self, key: str, what: str) -> ConfigError:
        """An error that names the file and the key."""
        return ConfigError(f"{self._path}: {self._prefix}{key} {what}")

    def take(self, key: str) -> object:
        """The value, which is then no longer unknown; None where there is none."""
        return self._said.pop(key, None)

    def forget(self) -> None:
        """Take all that is left."""
        self._said.clear()

    def said_number(self, key: str) -> float:
        """A number as the file says it, taken or not; 0 where it does not."""
        return self._numbers.get(key, 0.0)

    def must_be(self, key: str, value: object) -> None:
        """Refuse a key that is there with another value. Raises ConfigError."""
        found = self.take(key)
        if found is not None and found != value:
            hint = "; this is another architecture" if key == "model_type" else ""
            raise self.error(key, f"is {found!r}; this runtime does {value!r} only{hint}")

    def integer(self, key: str, default: int | None = None, least: int = 1) -> int:
        """A whole number; without `default` it must be there. Raises ConfigError."""
        value = self._said.pop(key, default)
        if value is None:
            raise self.error(key, "is missing")
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.error(key, f"is {value!r}; it must be a whole number from {least}")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A number that is not negative. Raises ConfigError."""
        value = self._said.pop(key, default)
        if value is None:
            raise self.error(key, "is missing")
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or value < 0
        ):
            raise self.error(key, f"is {value!r}; it must be a number from 0")
        return float(value)

    def list(self, key: str) -> "list[object] | None":
        """A list, or None. Raises ConfigError."""
        value = self.take(key)
        if value is not None and not isinstance(value, list):
            raise self.error(key, f"is {value!r}; it must be a list")
        return value

    def section(self, key: str) -> "Reader":
        """The object that stands there, an empty one if none does. Raises ConfigError."""
        value = self.take(key)
        if value is not None and not isinstance(value, dict):
            raise self.error(key, f"is {value!r}; it must be an object")
        return Reader(dict(value or {}), self._path, f"{self._prefix}{key}.", is_there=value is not None)

    def nothing_left(self, meaningless: Collection[str] = ()) -> None:
        """Refuse the first key that nobody took. Raises ConfigError."""
        unknown = sorted(set(self._said) - set(meaningless))
        if unknown:
            raise self.error(
                unknown[0], "is a key that this runtime does not know, so it cannot run the model"
            )
