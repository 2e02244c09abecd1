"""Manifold-constrained hyper-connections: n residual streams X [T, n, D] in place of one.

Around each sub-layer F: `x = sum_i pre_i X_i`, `y = F(norm(x))`, `X'_k = post_k y + sum_j C_jk X_j`, with pre,
post [n] and C [n, n] computed from X itself. Sinkhorn's iteration makes C nearly doubly stochastic, so that
what 2 x 61 of them do one after the other stays bounded. C is used transposed.

Sources: Xie et al. 2026 (mHC); DeepSeek V4's report and inference code.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from local_model.norms import unit_product


@dataclass(frozen=True, slots=True)
class HyperConnection:
    """One sub-layer's weights, float32: fn [(2 + n) n, n D], base [(2 + n) n], scale [3]."""

    fn: Tensor
    base: Tensor
    scale: Tensor
    streams: int
    iterations: int
    eps: float
    norm_eps: float

    def __call__(self, streams: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The sub-layer's input [T, D], and post [T, n] and C [T, n, n] in float32, from the streams [T, n, D]."""
        n, wide = self.streams, streams.float()
        mixed = unit_product(wide.flatten(1), self.fn, self.norm_eps)
        pre_scale, post_scale, mix_scale = self.scale.unbind(0)
        pre = torch.sigmoid(mixed[:, :n] * pre_scale + self.base[:n]) + self.eps
        post = 2 * torch.sigmoid(mixed[:, n : 2 * n] * post_scale + self.base[n : 2 * n])
        logits = (mixed[:, 2 * n :] * mix_scale + self.base[2 * n :]).view(-1, n, n)
        return collapse(pre, wide).to(streams.dtype), post, sinkhorn(logits, self.iterations, self.eps)


@dataclass(frozen=True, slots=True)
class HyperHead:
    """The streams' last sum, before the final norm. float32: fn [n, n D], base [n], scale [1]."""

    fn: Tensor
    base: Tensor
    scale: Tensor
    eps: float
    norm_eps: float

    def __call__(self, streams: Tensor) -> Tensor:
        """[T, n, D] to [T, D]."""
        wide = streams.float()
        mixed = unit_product(wide.flatten(1), self.fn, self.norm_eps)
        return collapse(torch.sigmoid(mixed * self.scale + self.base) + self.eps, wide).to(streams.dtype)


def sinkhorn(logits: Tensor, iterations: int, eps: float) -> Tensor:
    """Make logits [T, n, n] nearly doubly stochastic; the columns come last."""
    mix = torch.softmax(logits, dim=-1) + eps
    mix = mix / (mix.sum(-2, keepdim=True) + eps)
    for _ in range(iterations - 1):
        mix = mix / (mix.sum(-1, keepdim=True) + eps)
        mix = mix / (mix.sum(-2, keepdim=True) + eps)
    return mix


def collapse(weights: Tensor, streams: Tensor) -> Tensor:
    """Add up float32 streams [T, n, D] by weights [T, n]; float32 [T, D]."""
    return torch.matmul(weights[:, None], streams)[:, 0]


def expand(output: Tensor, streams: Tensor, post: Tensor, mix: Tensor) -> Tensor:
    """The streams after a sub-layer that gave `output` [T, D]."""
    own = post[..., None] * output.float()[:, None]
    return torch.baddbmm(own, mix.transpose(-1, -2), streams.float()).to(streams.dtype)
