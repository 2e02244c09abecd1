"""Engram: a memory of n-grams, read from a table by hash and written into the residual streams where it fits.

    e = the rows of the n-grams that end at the token, one behind the other;  k_1 .. k_n, v = e Wkv
    d_i = <norm(h_i) q_i, norm(k_i) w_i> / sqrt(D);   a_i = sigmoid(sign(d_i) sqrt(max(|d_i|, 1e-6)))
    h_i <- h_i + a_i v                                 h: the n streams before the layer; norms without weights

Sources: the paper (arXiv 2601.07372); the variant is V4.1's (inference code, read November 2026), which has no
convolution. V4 itself has no Engram.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from local_model.engram_lookup import EngramLookup
from local_model.engram_table import unpacked
from local_model.norms import unit_norm
from local_model.quantization import Matrix

SQUARE_LEAST = 1e-6
"""What |d| is at least before its root is taken."""


@dataclass(frozen=True, slots=True)
class EngramLayer:
    """One layer's: wkv [(n + 1) D, columns width], q_weight and k_weight float32 [n, D]."""

    wkv: Matrix
    q_weight: Tensor
    k_weight: Tensor
    width: int
    norm_eps: float

    def __call__(self, streams: Tensor, packed: Tensor) -> Tensor:
        """Streams [T, n, D] and the tokens' rows, uint8 [T, columns, bytes]; the streams afterwards."""
        values = unpacked(packed.to(streams.device), self.width)
        n, width = streams.shape[1:]
        said = self.wkv(values.flatten(1).to(streams.dtype)).float().view(-1, n + 1, width)
        keys, value = said[:, :n], said[:, n:]
        wide = streams.float()
        weight = self.q_weight * self.k_weight
        agreement = (unit_norm(wide, self.norm_eps) * weight * unit_norm(keys, self.norm_eps)).sum(-1)
        agreement = agreement * width**-0.5  # [T, n]
        root = agreement.abs().clamp_min(SQUARE_LEAST).sqrt()
        gate = torch.sigmoid(torch.copysign(root, agreement))
        return (wide + gate[..., None] * value).to(streams.dtype)


@dataclass(frozen=True, slots=True)
class Engram:
    """All of a model's memory."""

    lookup: EngramLookup
    layers: Mapping[int, EngramLayer]
