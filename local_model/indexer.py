"""The lightning indexer: which compressed rows a query of a CSA layer attends to.

`I_ts = sum_h w_th * relu(q_th . k_s) / sqrt(d)`, over keys of an own, narrower compressor; the `topk` largest
are taken. ReLU makes exact zeros, so ties are common and one that falls otherwise moves all that follows:
among equals the lowest index is taken, whatever the shapes.

Source: DeepSeek V4's report, section on CSA; inference code.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from local_model.cache import CompressorState
from local_model.compressor import Compressor
from local_model.quantization import Matrix
from local_model.rotary import rotate

SCORES_AT_ONCE = 1 << 24
"""Elements of a block of head-wise scores: what bounds the memory of a long prefill."""


@dataclass(frozen=True, slots=True)
class Indexer:
    """wq_b [H d, q_lora_rank], weights_proj [H, D], and the keys' compressor."""

    wq_b: Matrix
    weights_proj: Matrix
    compressor: Compressor
    heads: int
    topk: int

    def __call__(
        self,
        x: Tensor,
        query_latent: Tensor,
        angles: tuple[Tensor, Tensor],
        state: CompressorState,
        start: int,
    ) -> tuple[Tensor, Tensor]:
        """Choose rows for tokens `x` [T, D] from position `start` on.

        Returns indices [T, k] in ascending order and which of them are meant, bool [T, k].
        """
        keys = self.compressor(x, state, start).float()
        width = keys.shape[1]
        queries = rotate(self.wq_b(query_latent).view(x.shape[0], self.heads, width), angles)
        queries = (queries if self.compressor.rounded is None else self.compressor.rounded(queries)).float()
        weights = self.weights_proj(x).float() * self.heads**-0.5
        visible = (torch.arange(start, start + x.shape[0], device=x.device) + 1) // self.compressor.ratio
        count = min(self.topk, keys.shape[0])
        if not count:
            nothing = visible.new_empty(x.shape[0], 0)
            return nothing, nothing.bool()
        step = max(1, SCORES_AT_ONCE // (self.heads * keys.shape[0]))
        chosen = [
            self._choose(queries[part], weights[part], keys, visible[part], count)
            for part in (slice(at, at + step) for at in range(0, x.shape[0], step))
        ]
        indices = torch.cat(chosen)
        return indices, indices < visible[:, None]

    def _choose(self, queries: Tensor, weights: Tensor, keys: Tensor, visible: Tensor, count: int) -> Tensor:
        scores = torch.relu(torch.matmul(queries, keys.T)) * keys.shape[1] ** -0.5  # [t, H, n]
        total = (scores * weights[..., None]).sum(1)
        rows = torch.arange(keys.shape[0], device=keys.device)
        return largest(total.masked_fill(rows >= visible[:, None], -torch.inf), count)


def largest(scores: Tensor, count: int) -> Tensor:
    """Indices [T, count], ascending, of the largest of scores [T, n]; of equals those with the lowest index."""
    bound = scores.topk(count, dim=-1).values[:, -1:]
    above = scores > bound
    equal = scores == bound
    room = count - above.sum(-1, keepdim=True)
    taken = above | (equal & (equal.cumsum(-1) <= room))
    return taken.nonzero()[:, 1].view(scores.shape[0], count)
