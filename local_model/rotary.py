"""Rotary position embedding of a vector's LAST `rope_dim` elements, in neighbouring pairs (2i, 2i + 1).

Window layers turn pair j of n by `theta^(-j / n)` a position. Layers with a compressor have another theta,
and YaRN: slow pairs, which turn less than `beta_slow` times in the length that was trained on, go `factor`
times slower, fast ones (more than `beta_fast` times) stay, and those between are mixed. V4 scales nothing
by YaRN's temperature. Since V4 uses one vector as key and value, an output holds rotated values: it is
turned back by the angle of the query's position.

Sources: Su et al. 2021 (arXiv 2104.09864), Peng et al. 2023 (YaRN, arXiv 2309.00071), DeepSeek V4's report.
"""

import math

import torch
from torch import Tensor

from local_model.config import V4Config


class Rotary:
    """The frequencies of one kind of layer, float32 [rope_dim / 2], radians a position."""

    def __init__(self, config: V4Config, *, compressed: bool) -> None:
        theta = config.compress_rope_theta if compressed else config.rope_theta
        dim = config.rope_dim
        frequencies = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
        if compressed and config.yarn is not None:
            yarn = config.yarn
            turns = (_pair_of(turn, theta, dim, yarn.original) for turn in (yarn.beta_fast, yarn.beta_slow))
            first, last = next(turns), next(turns)
            low, high = max(math.floor(first), 0), min(math.ceil(last), dim - 1)
            span = (high - low) or 0.001  # two borders in one place: a step
            slow = ((torch.arange(dim // 2, dtype=torch.float32) - low) / span).clamp(0, 1)
            frequencies = frequencies / yarn.factor * slow + frequencies * (1 - slow)
        self.frequencies = frequencies

    def angles(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines, each float32 [T, rope_dim / 2], of `positions` [T]."""
        turned = positions.float()[:, None] * self.frequencies.to(positions.device)
        return turned.cos(), turned.sin()


def rotate(x: Tensor, angles: tuple[Tensor, Tensor], *, back: bool = False) -> Tensor:
    """Turn the last elements of `x` [T, D] or [T, H, D] by its position's angles, or `back`."""
    cos, sin = angles
    if x.dim() == 3:
        cos, sin = cos[:, None], sin[:, None]
    if back:
        sin = -sin
    plain, turning = x[..., : -2 * cos.shape[-1]], x[..., -2 * cos.shape[-1] :].float()
    even, odd = turning[..., 0::2], turning[..., 1::2]
    turned = torch.stack((even * cos - odd * sin, odd * cos + even * sin), dim=-1).flatten(-2)
    return torch.cat((plain, turned.to(x.dtype)), dim=-1)


def _pair_of(turns: float, theta: float, dim: int, length: int) -> float:
    """The pair, as a real number, that turns so many times in `length` positions."""
    return dim * math.log(length / (turns * 2 * math.pi)) / (2 * math.log(theta))
