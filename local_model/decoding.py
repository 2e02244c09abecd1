"""Greedy decoding, with drafts where the model has them.

A draft is offered behind the token that is certain, and the model takes both at once. What it says after the
first is what it would have said without the draft: if that is the draft, one pass gave two tokens; if not, the
state is cut back by one. So drafts change no text, but for one thing: two tokens in one pass are added up in
another order than one by one, so that where the two likeliest tokens are as near as rounding, either may come.

Source: Leviathan et al. 2023 (speculative decoding), the greedy case.
"""

from collections.abc import Collection
from dataclasses import dataclass

import torch

from local_model.cache import SequenceState
from local_model.model import V4Model


@dataclass(frozen=True, slots=True)
class Decoded:
    """New tokens, a stop token last if one came; drafts that were offered and that proved right."""

    tokens: tuple[int, ...]
    drafted: int
    accepted: int
    state: SequenceState
    """The sequence without its last token, which nothing has been asked about."""


def decode_greedily(
    model: V4Model,
    prompt: torch.Tensor,
    max_tokens: int,
    *,
    stops: Collection[int] = (),
    uses_drafts: bool = True,
) -> Decoded:
    """Continue `prompt` [T] by the likeliest tokens, at most `max_tokens`, until one of `stops`."""
    logits, state = model.forward(prompt)
    tokens = [int(logits[-1].argmax())]
    drafted = accepted = 0
    while len(tokens) < max_tokens and tokens[-1] not in stops:
        if not (uses_drafts and model.has_drafts) or len(tokens) + 1 == max_tokens:
            logits, _ = model.forward(torch.tensor(tokens[-1:]), state)
            tokens.append(int(logits[-1].argmax()))
            continue
        guess = int(model.draft(tokens[-1], state).argmax())
        logits, _ = model.forward(torch.tensor([tokens[-1], guess]), state)
        first, second = logits.argmax(-1).tolist()
        drafted += 1
        tokens.append(first)
        if first == guess and guess not in stops:
            accepted += 1
            tokens.append(second)
        else:
            accepted += first == guess
            state.cut(state.length - 1)
    return Decoded(tuple(tokens[:max_tokens]), drafted, accepted, state)
