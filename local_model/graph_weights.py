"""Weights as the graph step reads them: matrices of one kind in a stack, so that a kernel finds expert e by its number.

Nothing is unpacked: a stack holds FP8 and FP4 as they are stored. Matrices that multiply the same vector are joined
where their kinds allow it, since a product of few rows does not keep a card busy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from local_model.errors import WeightsError
from local_model.layer import Layer
from local_model.packing import Kind
from local_model.quantization import FP4_BLOCK, FP8_BLOCK, Fp4, Fp8, Matrix, Plain

PLAIN = {torch.float32: Kind.F32, torch.bfloat16: Kind.BF16}


@dataclass(frozen=True, slots=True)
class Stack:
    """E matrices. weight [E, out, in], FP4's [E, out, in / 2] bytes; scale float32 by block for FP8, bytes for FP4."""

    kind: Kind
    weight: Tensor
    scale: Tensor | None = None

    @staticmethod
    def of(matrices: Sequence[Matrix]) -> "Stack":
        """Copy matrices of one shape. Raises WeightsError if they are not of one kind."""
        plain = [each.weight for each in matrices if isinstance(each, Plain)]
        fp8 = [each for each in matrices if isinstance(each, Fp8)]
        fp4 = [each for each in matrices if isinstance(each, Fp4)]
        if len(fp4) == len(matrices):
            scale = torch.stack([each.scale.to(torch.float8_e8m0fnu).view(torch.uint8) for each in fp4])
            return Stack(Kind.FP4, torch.stack([each.packed.view(torch.uint8) for each in fp4]), scale)
        if len(fp8) == len(matrices):
            bits = torch.stack([each.weight.view(torch.uint8) for each in fp8])
            scale = torch.stack([each.scale.float() for each in fp8])
            return Stack(Kind.FP8, bits.view(torch.float8_e4m3fn), scale)
        if len(plain) == len(matrices) and plain[0].dtype in PLAIN:
            return Stack(PLAIN[plain[0].dtype], torch.stack(plain))
        raise WeightsError(
            "matrices that are read as one are of several kinds, or of one that no kernel reads"
        )

    @property
    def out(self) -> int:
        """Rows of each."""
        return self.weight.shape[1]

    @property
    def width(self) -> int:
        """Inputs."""
        return self.weight.shape[2] * (2 if self.kind is Kind.FP4 else 1)

    @property
    def nbytes(self) -> int:
        """Of weights and scales as stored: FP8's scales are a byte each on disk, and too few to count."""
        return self.weight.nbytes + (0 if self.scale is None else self.scale.nbytes)

    def dense(self, numbers: Tensor, dtype: torch.dtype) -> Tensor:
        """The matrices `numbers` [n], unpacked: [n, out, in]."""
        if self.scale is None:
            return self.weight[numbers].to(dtype)
        if self.kind is Kind.FP4:
            both = self.weight[numbers].int()
            bits = torch.stack((both & 15, both >> 4), dim=-1).flatten(-2)
            # Three bits as a half's exponent and mantissa are the value times 2^-14; a table would come from the host.
            halves = (((bits & 7) << 9) | ((bits & 8) << 12)).to(torch.int16).view(torch.float16)
            blocks = (halves.float() * 2.0**14).view(*halves.shape[:2], -1, FP4_BLOCK)
            scale = self.scale[numbers].view(torch.float8_e8m0fnu).float()
            return (blocks * scale[..., None]).flatten(-2).to(dtype)
        weight = self.weight.view(torch.uint8)[numbers].view(torch.float8_e4m3fn).float()
        scale = self.scale[numbers].repeat_interleave(FP8_BLOCK, 1)[:, : self.out]
        return (weight * scale.repeat_interleave(FP8_BLOCK, 2)[..., : self.width]).to(dtype)


def joined(matrices: Sequence[Matrix]) -> list[Stack]:
    """Stacks of one matrix each whose outputs, one behind the other, are those of `matrices`."""
    found: list[list[Matrix]] = []
    for matrix in matrices:
        if found and _fits_behind(found[-1][-1], matrix):
            found[-1].append(matrix)
        else:
            found.append([matrix])
    return [Stack.of([_one(group)]) for group in found]


def _fits_behind(before: Matrix, matrix: Matrix) -> bool:
    if isinstance(before, Plain) and isinstance(matrix, Plain):
        return before.weight.dtype == matrix.weight.dtype
    return isinstance(before, Fp8) and isinstance(matrix, Fp8) and before.weight.shape[0] % FP8_BLOCK == 0


def _one(group: Sequence[Matrix]) -> Matrix:
    fp8 = [each for each in group if isinstance(each, Fp8)]
    plain = [each.weight for each in group if isinstance(each, Plain)]
    if len(fp8) > 1:
        weight = torch.cat([each.weight.view(torch.uint8) for each in fp8]).view(torch.float8_e4m3fn)
        return Fp8(weight, torch.cat([each.scale.float() for each in fp8]))
    return Plain(torch.cat(plain)) if len(plain) > 1 else group[0]


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """A layer's large matrices; what is small is read from `layer`."""

    layer: Layer
    first: list[Stack]
    """What multiplies the attention's input."""
    widths: tuple[int, ...]
    """Of the outputs of `first`: latent, window row, then what compressor and indexer project to."""
    wq_b: Stack
    wo_a: Stack
    wo_b: Stack
    index_wq_b: Stack | None
    gate: Stack
    routed: tuple[Stack, Stack, Stack]
    """w1, w3, w2 of all experts."""
    shared: tuple[Stack, Stack, Stack]

    @staticmethod
    def of(layer: Layer) -> "LayerWeights":
        """Copy a layer's matrices."""
        attention, moe = layer.attention, layer.moe
        first, widths = (
            [attention.wq_a, attention.wkv],
            [attention.q_norm.shape[0], attention.kv_norm.shape[0]],
        )
        indexer = attention.indexer
        for compressor in (attention.compressor, indexer.compressor if indexer else None):
            if compressor is not None:
                first += [compressor.wkv, compressor.wgate]
                widths += [2 * compressor.ape.shape[1]]
        if indexer is not None:
            first.append(indexer.weights_proj)
            widths.append(indexer.heads)
        return LayerWeights(
            layer,
            joined(first),
            tuple(widths),
            Stack.of([attention.wq_b]),
            Stack.of([attention.wo_a]),
            Stack.of([attention.wo_b]),
            Stack.of([indexer.wq_b]) if indexer else None,
            Stack.of([moe.gate]),
            (
                Stack.of([expert.w1 for expert in moe.experts]),
                Stack.of([expert.w3 for expert in moe.experts]),
                Stack.of([expert.w2 for expert in moe.experts]),
            ),
            (Stack.of([moe.shared.w1]), Stack.of([moe.shared.w3]), Stack.of([moe.shared.w2])),
        )

    def active_bytes(self, experts: float) -> float:
        """Bytes that a step reads of which `experts` of the routed ones are chosen; hyper-connections counted."""
        layer = self.layer
        always = [*self.first, self.wq_b, self.wo_a, self.wo_b, self.gate, *self.shared]
        if self.index_wq_b is not None:
            always.append(self.index_wq_b)
        share = experts / self.routed[0].weight.shape[0]
        chosen = sum(stack.nbytes for stack in self.routed) * share
        return (
            sum(stack.nbytes for stack in always) + chosen + layer.attn_hc.fn.nbytes + layer.ffn_hc.fn.nbytes
        )
