"""Runs models on this machine. Tokens and tensors; not money, not HTTP frameworks."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_model.loading import load_model

__all__ = ["load_model"]


def __getattr__(name: str) -> object:
    """`load_model`, with torch, on first use: the gateway imports this package and must start fast."""
    if name == "load_model":
        from local_model.loading import load_model

        return load_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
