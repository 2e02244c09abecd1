"""RMS norms: `w * x * rsqrt(mean(x^2) + eps)` over the last axis, in float32, cast once at the end."""

import torch
from torch import Tensor


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Normalise `x` [..., D] by its own size and scale it by `weight` [D]; the dtype is `x`'s."""
    return (weight.float() * _normalised(x.float(), eps)).to(x.dtype)


def unit_norm(x: Tensor, eps: float) -> Tensor:
    """The same without a weight."""
    return _normalised(x.float(), eps).to(x.dtype)


def unit_product(x: Tensor, matrix: Tensor, eps: float) -> Tensor:
    """`unit_norm(x)`, not rounded, times a float32 matrix [out, D]; float32 [T, out]. The size is divided by last."""
    wide = x.float()
    return wide @ matrix.T * _inverse_size(wide, eps)


def _normalised(wide: Tensor, eps: float) -> Tensor:
    return wide * _inverse_size(wide, eps)


def _inverse_size(wide: Tensor, eps: float) -> Tensor:
    return torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
