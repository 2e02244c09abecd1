"""Text that a model reads as text: what would be a control token of its vocabulary is broken.

llama.cpp's server reads `<|im_start|>` as the border of a turn wherever it stands, so a document or a
user could speak as the system. The first character of each such text becomes `(`, which is no
longer than any: the bound of a prompt by its bytes holds. A vocabulary that cannot be read is not
answered with: nobody knows what to break.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from local_model.errors import LocalModelError
from local_model.vocabulary import control_tokens
from router.providers.local.engine import EngineUnavailableError

BROKEN = "("


class PlainText:
    """Breaks the control tokens of one weights file; `load` it once before."""

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._pattern: re.Pattern[str] | None = None
        self._detail = "the engine is stopped; it was not loaded yet"

    def load(self) -> None:
        """Read the vocabulary. What keeps it from being read is said when text is asked for."""
        try:
            self._pattern = _starts_of(control_tokens(self._weights))
        except LocalModelError as error:
            self._detail = str(error)
        except OSError as error:
            self._detail = f"{self._weights} cannot be read: {error.strerror}"

    def __call__(self, text: str) -> str:
        """Return `text` without control tokens. Raises EngineUnavailableError if they are not known."""
        if self._pattern is None:
            raise EngineUnavailableError(self._detail)
        return self._pattern.sub(BROKEN, text)


def _starts_of(tokens: Iterable[str]) -> re.Pattern[str]:
    """A pattern for the first character of each token, also where one begins within another."""
    rests: dict[str, list[str]] = defaultdict(list)
    for token in sorted(tokens):
        rests[token[0]].append(re.escape(token[1:]))
    each = (f"{re.escape(first)}(?={'|'.join(found)})" for first, found in rests.items())
    return re.compile("|".join(each) or r"(?!)")
