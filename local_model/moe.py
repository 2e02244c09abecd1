"""The mixture of experts: every token goes through `k` of E experts and one that all share.

`s = sqrt(softplus(x Wg))`; taken are the k largest of s + bias (the bias chooses, it does not weigh; of equals
the lowest), or, in the first layers, what a table says of the token's id; weights `s / sum(s) * scaling`.
An expert: `W2(silu(min(W1 x, limit)) * clip(W3 x, -limit, limit))`.

Source: DeepSeek V4's report and inference code.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from local_model.indexer import largest
from local_model.quantization import Matrix


@dataclass(frozen=True, slots=True)
class Expert:
    """w1 (gate) and w3 (up) [I, D], w2 (down) [D, I]."""

    w1: Matrix
    w2: Matrix
    w3: Matrix
    limit: float

    def __call__(self, x: Tensor) -> Tensor:
        """[T, D] to [T, D]."""
        gate = self.w1(x).clamp(max=self.limit)
        up = self.w3(x).clamp(-self.limit, self.limit)
        return self.w2(functional.silu(gate) * up)


@dataclass(frozen=True, slots=True)
class Moe:
    """`gate` [E, D] and one of `bias` [E] and `table` [vocabulary, k]."""

    gate: Matrix
    bias: Tensor | None
    table: Tensor | None
    experts: Sequence[Expert]
    shared: Expert
    per_token: int
    scaling: float

    def __call__(self, x: Tensor, ids: Tensor) -> Tensor:
        """Tokens `x` [T, D] whose ids are `ids` [T]; [T, D]. Each token's experts are added in their order."""
        chosen, weights = self.route(x, ids)
        out = torch.zeros_like(x)
        for number in sorted(set(chosen.flatten().tolist())):
            tokens, places = (chosen == number).nonzero(as_tuple=True)
            said = self.experts[number](x[tokens]) * weights[tokens, places, None]
            out.index_add_(0, tokens, said.to(x.dtype))
        return out + self.shared(x)

    def route(self, x: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The experts [T, k] and their weights [T, k]."""
        scores = functional.softplus(self.gate(x.float())).sqrt()
        if self.table is not None:
            chosen = self.table[ids].long()
        else:
            biased = scores if self.bias is None else scores + self.bias
            chosen = largest(biased, self.per_token)
        weights = scores.gather(1, chosen)
        return chosen, weights / (weights.sum(-1, keepdim=True) + 1e-20) * self.scaling
