"""Matrices as they lie on disk: plain, FP8 in blocks of 128 x 128, or FP4 in rows with a scale for every 32.

FP8 is e4m3, its scales are powers of two (ue8m0). FP4 is e2m1, two in a byte, the low nibble first. Nothing is
unpacked when it is loaded; a product unpacks what it needs. These products are the readable reference.

Sources: OCP Microscaling Formats 1.0; the layout of DeepSeek V4's weights.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

FP8_BLOCK = 128
FP4_BLOCK = 32
FP4_VALUES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0)
"""What a nibble means: sign, two bits of exponent, one of mantissa."""


class Matrix(ABC):
    """Weights [out, in] that can be multiplied by."""

    __slots__ = ()

    @abstractmethod
    def dense(self, dtype: torch.dtype) -> Tensor:
        """All weights [out, in], unpacked."""

    def __call__(self, x: Tensor) -> Tensor:
        """`x W^T`, [T, in] to [T, out], in the dtype of `x`."""
        return functional.linear(x, self.dense(x.dtype))


@dataclass(frozen=True, slots=True)
class Plain(Matrix):
    """Weights [out, in] in a floating dtype."""

    weight: Tensor

    def dense(self, dtype: torch.dtype) -> Tensor:
        """All weights [out, in], unpacked."""
        return self.weight.to(dtype)


@dataclass(frozen=True, slots=True)
class Fp8(Matrix):
    """e4m3 [out, in], ue8m0 scales [ceil(out / 128), ceil(in / 128)]."""

    weight: Tensor
    scale: Tensor

    def dense(self, dtype: torch.dtype) -> Tensor:
        """All weights [out, in], unpacked."""
        rows, columns = self.weight.shape
        scale = self.scale.float().repeat_interleave(FP8_BLOCK, 0)[:rows]
        scale = scale.repeat_interleave(FP8_BLOCK, 1)[:, :columns]
        return (self.weight.float() * scale).to(dtype)


@dataclass(frozen=True, slots=True)
class Fp4(Matrix):
    """Packed e2m1, int8 [out, in / 2], ue8m0 scales [out, in / 32]."""

    packed: Tensor
    scale: Tensor

    def dense(self, dtype: torch.dtype) -> Tensor:
        """All weights [out, in], unpacked."""
        values = torch.tensor(FP4_VALUES, device=self.packed.device)
        both = self.packed.view(torch.uint8).int()
        weight = values[torch.stack((both & 15, both >> 4), dim=-1)].flatten(1)
        blocks = weight.view(weight.shape[0], -1, FP4_BLOCK) * self.scale.float()[..., None]
        return blocks.flatten(1).to(dtype)
