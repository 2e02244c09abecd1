"""Runs models on this machine. Tokens and tensors; not money, not HTTP frameworks."""

from typing import Any


def __getattr__(name: str) -> Any:
    """`load_model`, and torch with it, on first use: the gateway imports this package and must start fast."""
    if name == "load_model":
        from local_model.loading import load_model  # noqa: PLC0415  torch takes a second

        return load_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
