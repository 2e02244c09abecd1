"""RMS norms: `w * x * rsqrt(mean(x^2) + eps)` over the last axis, in float32, cast once at the end."""

import torch
from torch import Tensor


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Normalise `x` [..., D] by its own size and scale it by `weight` [D]; the dtype is `x`'s."""
    return (weight.float() * _normalised(x.float(), eps)).to(x.dtype)


def unit_norm(x: Tensor, eps: float) -> Tensor:
    """The same without a weight."""
    return _normalised(x.float(), eps).to(x.dtype)


def _normalised(wide: Tensor, eps: float) -> Tensor:
    return wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
