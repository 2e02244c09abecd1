"""Weights repacked for the native step: panels of 16 outputs, input by input, so that each is read once, in a row.

The layouts are those of `native/matrix.h`. INT8 takes a plain matrix and rounds it, a scale for every 128 inputs of
an output; FP8 and FP4 keep their bits.
"""

from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor
from torch.nn import functional

from local_model.quantization import FP4_BLOCK, FP8_BLOCK, Fp4, Fp8, Matrix

PANEL = 16


class Kind(IntEnum):
    """How a packed matrix is multiplied by; the numbers of `native/matrix.h`."""

    F32 = 0
    BF16 = 1
    INT8 = 2
    FP8 = 3
    FP4 = 4


STEP = {Kind.F32: 1, Kind.BF16: 2, Kind.INT8: 128, Kind.FP8: FP8_BLOCK, Kind.FP4: FP4_BLOCK}
"""What the number of inputs is padded to a multiple of; for the last three, the inputs that share a scale."""


@dataclass(frozen=True, slots=True)
class Packed:
    """[panels, in, 16] in the kind's own order, and scales [panels, in / step, 16] where it has any."""

    kind: Kind
    out: int
    width: int
    """Inputs, padded."""
    data: Tensor
    scale: Tensor | None

    @property
    def nbytes(self) -> int:
        """What a product reads."""
        return self.data.nbytes + (0 if self.scale is None else self.scale.nbytes)


def pack(matrix: Matrix, plain: Kind) -> Packed:
    """Repack; `plain` is the kind that a matrix in a floating dtype becomes."""
    if isinstance(matrix, Fp4):
        return _fp4(matrix)
    if isinstance(matrix, Fp8):
        return _fp8(matrix)
    weight = matrix.dense(torch.float32)
    packer = {Kind.F32: _f32, Kind.BF16: _bf16, Kind.INT8: _int8}[plain]
    return packer(weight)


def _panels(weight: Tensor, kind: Kind, together: int) -> Tensor:
    """[out, in] to [panels, in / together, 16, together], padded with zeros."""
    padded = functional.pad(weight, (0, -weight.shape[1] % STEP[kind], 0, -weight.shape[0] % PANEL))
    return padded.view(-1, PANEL, padded.shape[1] // together, together).permute(0, 2, 1, 3).contiguous()


def _made(kind: Kind, weight: Tensor, data: Tensor, scale: Tensor | None = None) -> Packed:
    return Packed(kind, weight.shape[0], weight.shape[1] + -weight.shape[1] % STEP[kind], data, scale)


def _f32(weight: Tensor) -> Packed:
    return _made(Kind.F32, weight, _panels(weight, Kind.F32, 1))


def _bf16(weight: Tensor) -> Packed:
    return _made(Kind.BF16, weight, _panels(weight.to(torch.bfloat16), Kind.BF16, 2))


def _int8(weight: Tensor) -> Packed:
    padded = functional.pad(weight, (0, -weight.shape[1] % STEP[Kind.INT8]))
    groups = padded.view(weight.shape[0], -1, STEP[Kind.INT8])
    scale = groups.abs().amax(-1) / 127
    rounded = (groups / scale.clamp(min=1e-30)[..., None]).round() + 128
    data = _panels(rounded.flatten(1).to(torch.uint8), Kind.INT8, 4)
    return _made(Kind.INT8, weight, data, _scales(scale))


def _fp8(matrix: Fp8) -> Packed:
    rows = matrix.scale.float().repeat_interleave(FP8_BLOCK, 0)[: matrix.weight.shape[0]]
    data = _panels(matrix.weight.view(torch.uint8), Kind.FP8, 1)
    return _made(Kind.FP8, matrix.weight, data, _scales(rows))


def _fp4(matrix: Fp4) -> Packed:
    both = matrix.packed.view(torch.uint8)
    nibbles = torch.stack((both & 15, both >> 4), dim=-1).flatten(1)
    # A byte holds an input of the first four, and its like of the next four.
    eights = _panels(nibbles, Kind.FP4, 8)
    data = (eights[..., :4] | (eights[..., 4:] << 4)).contiguous()
    return _made(Kind.FP4, nibbles, data, _scales(matrix.scale.view(torch.uint8)))


def _scales(scale: Tensor) -> Tensor:
    """[out, groups] to [panels, groups, 16]."""
    padded = functional.pad(scale, (0, 0, 0, -scale.shape[0] % PANEL))
    return padded.view(-1, PANEL, scale.shape[1]).transpose(1, 2).contiguous()
