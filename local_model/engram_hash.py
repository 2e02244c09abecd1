"""Which rows of its table an Engram layer reads: hashes of the n-grams that end at a token.

    z_n = (t_i a_0) xor (t_(i-1) a_1) xor ... xor (t_(i-n+1) a_(n-1))       t: compressed ids, a: odd multipliers
    row = z_n mod p_(n,h), behind the rows of the sizes and heads before     n = 2 .. N

Before the first token stands the pad token. Products stay below 2^63, so nothing wraps around.

Source: the paper (arXiv 2601.07372) and V4.1's inference code, whose multipliers come from numpy's generator.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from local_model.engram_config import EngramConfig

SEEDS_APART = 10_007
"""What a layer's number is multiplied by to give its seed."""


@dataclass(frozen=True, slots=True)
class EngramHash:
    """One layer's: multipliers int64 [N], bucket sizes and offsets int64 [(N - 1) heads]."""

    multipliers: Tensor
    sizes: Tensor
    offsets: Tensor
    heads: int

    @staticmethod
    def of(config: EngramConfig, layer: int, device: str) -> "EngramHash":
        """The layer `layer`'s."""
        sizes = torch.tensor(config.buckets[config.layers.index(layer)])
        multipliers = torch.tensor(multipliers_of(layer, config.ngram, config.ids, config.seed))
        return EngramHash(
            multipliers.to(device), sizes.to(device), (sizes.cumsum(0) - sizes).to(device), config.heads
        )

    def __call__(self, newest_first: Tensor) -> Tensor:
        """Rows [T, (N - 1) heads] of T n-grams: compressed ids [T, N], of each the token itself first."""
        products = newest_first * self.multipliers
        mixed, found = products[:, 0], []
        for shift in range(1, products.shape[1]):
            mixed = mixed ^ products[:, shift]
            sizes = self.sizes[(shift - 1) * self.heads : shift * self.heads]
            found.append(mixed[:, None] % sizes)
        return torch.cat(found, dim=1) + self.offsets


def multipliers_of(layer: int, count: int, ids: int, seed: int) -> list[int]:
    """Odd numbers so small that a compressed id, of which there are `ids`, times one of them is below 2^63."""
    bound = max(1, ((1 << 63) - 1) // ids // 2)
    drawn = np.random.default_rng(seed + SEEDS_APART * layer).integers(0, bound, size=count, dtype=np.int64)
    return [2 * int(number) + 1 for number in drawn]
