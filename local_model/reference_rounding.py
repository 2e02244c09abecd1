"""What DeepSeek's inference code rounds and transformers does not: an option, off by default.

Rows of the window and compressed rows: FP8 e4m3 in blocks of 64, the rotated dimensions left as they are. The indexer's
queries and keys: turned by a Hadamard matrix, which spreads what is large, then FP4 e2m1 in blocks of 32. Scales are powers
of two. Both are rounded and unpacked again: what the numbers are, not how they are kept.

Source: DeepSeek V4's inference code (`act_quant`, `rotate_activation`), as read November 2026; no logits of it were at hand.
"""

import torch
from torch import Tensor
from torch.nn import functional

from local_model.quantization import FP4_BLOCK, FP4_VALUES

FP8_ROW_BLOCK = 64
FP8_LARGEST, FP4_LARGEST = 448.0, 6.0
_FP8_LEAST, _FP4_LEAST = 1e-4, 6.0 * 2.0**-126
"""A block's largest element counts as no less."""


def rounded_row(rows: Tensor, rope_dim: int) -> Tensor:
    """Rows [..., d] with all but their last `rope_dim` elements rounded to FP8."""
    plain, turned = rows[..., : rows.shape[-1] - rope_dim], rows[..., rows.shape[-1] - rope_dim :]
    blocks, width = _blocks(plain, FP8_ROW_BLOCK)
    scale = _scale(blocks, FP8_LARGEST, _FP8_LEAST)
    kept = (blocks / scale).clamp(-FP8_LARGEST, FP8_LARGEST).to(torch.float8_e4m3fn).float() * scale
    return torch.cat((kept.flatten(-2)[..., :width].to(rows.dtype), turned), -1)


def rounded_index(rows: Tensor) -> Tensor:
    """The indexer's queries or keys [..., d], d a power of two, turned and rounded to FP4."""
    blocks, width = _blocks(hadamard(rows.float()), FP4_BLOCK)
    scale = _scale(blocks, FP4_LARGEST, _FP4_LEAST)
    grid = torch.tensor(FP4_VALUES[:8], device=rows.device)
    kept = grid[torch.bucketize((blocks / scale).abs(), (grid[1:] + grid[:-1]) / 2)]
    return (torch.copysign(kept, blocks) * scale).flatten(-2)[..., :width].to(rows.dtype)


def hadamard(rows: Tensor) -> Tensor:
    """Rows [..., d] times the Hadamard matrix in Sylvester's order, by the root of d: lengths stay. Raises ValueError."""
    width = rows.shape[-1]
    if width & (width - 1):
        raise ValueError(
            f"a Hadamard matrix of {width} is not known here: index_head_dim must be a power of two"
        )
    half = 1
    while half < width:
        first, second = rows.reshape(*rows.shape[:-1], -1, 2, half).unbind(-2)
        rows = torch.stack((first + second, first - second), -2).flatten(-3)
        half *= 2
    turned: Tensor = rows * float(width) ** -0.5
    return turned


def _blocks(rows: Tensor, size: int) -> tuple[Tensor, int]:
    """[..., d] as float32 [..., blocks, size], zeros at the end; and d."""
    width = rows.shape[-1]
    padded = functional.pad(rows.float(), (0, -width % size))
    return padded.view(*padded.shape[:-1], -1, size), width


def _scale(blocks: Tensor, largest: float, least: float) -> Tensor:
    amax = blocks.abs().amax(-1, keepdim=True).clamp(min=least)
    return torch.exp2(torch.ceil(torch.log2(amax / largest)))
