"""A tensor's bytes in the types of ggml: plain, Q8_0 (int8, a float16 scale for every 32), MXFP4 (e2m1, ue8m0 for every 32).

MXFP4 and V4's own FP4 are the same numbers: only the order of nibbles differs, so repacking is exact.

Sources: ggml's block types; OCP Microscaling Formats 1.0.
"""

import torch
from torch import Tensor

from local_model.gguf_file import GgufType
from local_model.quantization import FP4_BLOCK, FP4_VALUES, Fp4, Matrix

_Q8_BLOCK = 32


def encoded(matrix: Matrix, kind: GgufType) -> bytes:
    """The bytes of weights [out, in] as a type. Rows must be multiples of 32 for the last two."""
    if kind is GgufType.MXFP4:
        if isinstance(matrix, Fp4) and _are_powers_of_two(matrix.scale):
            return mxfp4(matrix)
        return mxfp4(to_fp4(matrix.dense(torch.float32)))
    values = matrix.dense(torch.float32)
    return {GgufType.F32: floats, GgufType.F16: halves, GgufType.Q8_0: q8_0}[kind](values)


def floats(values: Tensor) -> bytes:
    """float32."""
    return _bytes(values.float())


def halves(values: Tensor) -> bytes:
    """float16, rounded to the nearest; what is too large becomes the largest."""
    largest = torch.finfo(torch.float16).max
    return _bytes(values.float().clamp(-largest, largest).half())


def integers(values: Tensor) -> bytes:
    """int32."""
    return _bytes(values.int())


def q8_0(values: Tensor) -> bytes:
    """Blocks of 32: a float16 scale, then 32 int8, the largest of which is 127."""
    blocks = values.float().reshape(-1, _Q8_BLOCK)
    scale = blocks.abs().amax(1, keepdim=True) / 127
    rounded = (blocks / scale.where(scale > 0, 1.0)).round().to(torch.int8)
    return _bytes(torch.cat((scale.half().view(torch.uint8), rounded.view(torch.uint8)), 1))


def mxfp4(matrix: Fp4) -> bytes:
    """Blocks of 32: the exponent, then 16 bytes, each with an element of the first half low and one of the second high."""
    both = matrix.packed.view(torch.uint8).reshape(-1, FP4_BLOCK // 2)
    nibbles = torch.stack((both & 15, both >> 4), -1).flatten(1)
    exponents = matrix.scale.to(torch.float8_e8m0fnu)
    halves_of = nibbles[:, : FP4_BLOCK // 2] | (nibbles[:, FP4_BLOCK // 2 :] << 4)
    return _bytes(torch.cat((exponents.view(torch.uint8).reshape(-1, 1), halves_of), 1))


def to_fp4(values: Tensor) -> Fp4:
    """Round weights [out, in] to FP4, with the smallest power of two per 32 under which none is beyond 6."""
    blocks = values.float().view(values.shape[0], -1, FP4_BLOCK)
    largest = blocks.abs().amax(-1)
    exponent = torch.ceil(torch.log2(largest / FP4_VALUES[7])).clamp(-127, 127)
    scale = torch.exp2(exponent)
    grid = torch.tensor(FP4_VALUES[:8])
    middles = (grid[1:] + grid[:-1]) / 2
    nibbles = torch.bucketize((blocks / scale[..., None]).abs(), middles)
    nibbles = (nibbles | (torch.signbit(blocks).long() << 3)).to(torch.uint8).flatten(1)
    packed = nibbles[:, 0::2] | (nibbles[:, 1::2] << 4)
    return Fp4(packed.view(torch.int8), scale.to(torch.float8_e8m0fnu))


def _are_powers_of_two(scale: Tensor) -> bool:
    return torch.equal(scale.to(torch.float8_e8m0fnu).float(), scale.float())


def _bytes(values: Tensor) -> bytes:
    return values.contiguous().cpu().numpy().tobytes()
