"""Tokens of an answer with their log-probabilities, as a model's server reports them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One generated token: its text, and the natural logarithm of its probability."""

    text: str
    logprob: float
