"""A model's weights once more, in panels for the native step, and described to it field by field."""

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from local_model import native_layout as layout
from local_model.compressor import Compressor
from local_model.config import LayerKind
from local_model.engram import EngramLayer
from local_model.hyper_connections import HyperConnection, HyperHead
from local_model.layer import Layer
from local_model.model import V4Model
from local_model.packing import STEP, Kind, Packed, pack
from local_model.quantization import Matrix, Plain

KINDS = {LayerKind.WINDOW: 0, LayerKind.CSA: 1, LayerKind.HCA: 2}


class NativeWeights:
    """All that was made of a model's weights, which is kept here; the model itself is not."""

    def __init__(self, model: V4Model, plain: Kind) -> None:
        """Repack; `plain` is what floating weights become."""
        self._plain = plain
        self._config = model.config
        self._kept: list[object] = []
        self.nbytes = 0
        """Of all of it; without the tables of which a token reads one row."""
        self.expert_nbytes = 0
        """Of the experts that are chosen among."""
        self.described = self._model(model, model.embed.dtype == torch.bfloat16)

    def _address(
        self, tensor: Tensor | None, dtype: torch.dtype = torch.float32, *, by_row: bool = False
    ) -> int | None:
        if tensor is None:
            return None
        kept = tensor.to(dtype).contiguous()
        self._kept.append(kept)
        self.nbytes += 0 if by_row else kept.nbytes
        return kept.data_ptr()

    def _packed(self, matrix: Matrix, plain: Kind | None = None) -> layout.MatrixD:
        packed = pack(matrix, self._plain if plain is None else plain)
        self._kept.append(packed)
        self.nbytes += packed.nbytes
        return matrix_of(packed)

    def _hyper(self, hyper: HyperConnection | HyperHead) -> layout.HyperD:
        return layout.HyperD(self._address(hyper.fn), self._address(hyper.base), self._address(hyper.scale))

    def _compressor(self, compressor: Compressor | None) -> layout.CompressorD:
        if compressor is None:
            return layout.CompressorD()
        return layout.CompressorD(
            self._packed(compressor.wkv),
            self._packed(compressor.wgate),
            self._address(compressor.ape),
            self._address(compressor.norm),
            compressor.ratio,
            compressor.overlaps,
            compressor.norm.shape[0],
        )

    def _array(self, matrices: Sequence[layout.MatrixD]) -> int:
        array = (layout.MatrixD * len(matrices))(*matrices)
        self._kept.append(array)
        return ctypes.addressof(array)

    def _engram(self, engram: EngramLayer | None) -> layout.EngramD:
        if engram is None:
            return layout.EngramD()
        wkv = self._packed(engram.wkv)
        weight = self._address(engram.q_weight * engram.k_weight)
        return layout.EngramD(wkv, weight, wkv.width // engram.width, engram.width)

    def _layer(self, layer: Layer, kind: LayerKind, engram: EngramLayer | None) -> layout.LayerD:
        attention, moe, config = layer.attention, layer.moe, self._config
        groups = attention.wo_a.dense(torch.float32).chunk(config.o_groups)
        before = self.nbytes
        experts = [
            self._packed(matrix) for expert in moe.experts for matrix in (expert.w1, expert.w3, expert.w2)
        ]
        self.expert_nbytes += self.nbytes - before
        experts += [self._packed(matrix) for matrix in (moe.shared.w1, moe.shared.w3, moe.shared.w2)]
        indexer = attention.indexer
        return layout.LayerD(
            kind=KINDS[kind],
            attn_norm=self._address(layer.attn_norm),
            q_norm=self._address(attention.q_norm),
            kv_norm=self._address(attention.kv_norm),
            sinks=self._address(attention.sinks),
            ffn_norm=self._address(layer.ffn_norm),
            frequencies=self._address(attention.rotary.frequencies),
            bias=self._address(moe.bias),
            table=self._address(moe.table, torch.int64, by_row=True),
            attn_hc=self._hyper(layer.attn_hc),
            ffn_hc=self._hyper(layer.ffn_hc),
            wq_a=self._packed(attention.wq_a),
            wq_b=self._packed(attention.wq_b),
            wkv=self._packed(attention.wkv),
            wo_b=self._packed(attention.wo_b),
            gate=self._packed(moe.gate, Kind.F32),
            index_wq_b=self._packed(indexer.wq_b) if indexer else layout.MatrixD(),
            index_weights=self._packed(indexer.weights_proj) if indexer else layout.MatrixD(),
            compressor=self._compressor(attention.compressor),
            index_compressor=self._compressor(indexer.compressor if indexer else None),
            engram=self._engram(engram),
            wo_a=self._array([self._packed(Plain(group)) for group in groups]),
            experts=self._array(experts),
        )

    def _model(self, model: V4Model, half: bool) -> layout.ModelD:
        config = model.config
        dims = layout.DimsD(
            config.vocab_size, config.hidden_size, len(config.layers), config.heads, config.head_dim, config.rope_dim,
            config.q_lora_rank, config.o_groups, config.o_lora_rank, config.window, config.index_heads,
            config.index_head_dim, config.index_topk, config.experts, config.experts_per_token, config.expert_size,
            config.streams, config.sinkhorn_iterations, half, config.routed_scaling, config.swiglu_limit, config.hc_eps,
            config.norm_eps,
        )  # fmt: skip
        engrams = model.engram.layers if model.engram else {}
        pairs = enumerate(zip(model.layers, config.layers, strict=True))
        layers = (layout.LayerD * len(model.layers))(
            *(self._layer(layer, kind, engrams.get(number)) for number, (layer, kind) in pairs)
        )
        self._kept.append(layers)
        return layout.ModelD(
            dims,
            ctypes.addressof(layers),
            self._address(model.embed, torch.bfloat16 if half else torch.float32, by_row=True),
            self._hyper(model.hyper_head),
            self._address(model.norm),
            self._packed(model.head),
        )


def matrix_of(packed: Packed) -> layout.MatrixD:
    """A packed matrix, described."""
    group = STEP[packed.kind] if packed.scale is not None else 0
    scale = None if packed.scale is None else packed.scale.data_ptr()
    return layout.MatrixD(packed.kind, packed.out, packed.width, group, packed.data.data_ptr(), scale)
