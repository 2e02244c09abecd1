"""The tokenizers that bounds and counts are held against, loaded once per test run."""

import tempfile
from functools import cache
from pathlib import Path

from router.processes.counter_child import Count, load

ENCODINGS = ("o200k_base", "cl100k_base", "deepseek")


@cache
def vocabulary(encoding: str) -> Count:
    """The exact count of a text in one encoding."""
    with tempfile.TemporaryDirectory() as folder:
        return load(encoding, Path(folder))
