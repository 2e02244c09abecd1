"""The native decode step: a model's weights repacked, and a list of sequences taken one token further."""

import ctypes
import weakref
from collections.abc import Sequence

import torch
from torch import Tensor

from local_model import native_layout as layout
from local_model.cache import CompressorState, LayerState, Rows, SequenceState
from local_model.compressor import Compressor
from local_model.config import LayerKind
from local_model.errors import NoNativeStepError
from local_model.footprint import past_elements_read
from local_model.hyper_connections import HyperConnection, HyperHead
from local_model.layer import Layer
from local_model.model import V4Model, check_ids
from local_model.native_build import native_library
from local_model.out_of_memory import memory_for
from local_model.packing import PANEL, STEP, Kind, Packed, pack
from local_model.quantization import Matrix, Plain

ROOM = 64
"""Tokens that a sequence's table of pointers is good for."""
STREAMS_MAX = 16
"""As `native/engine.cpp` has it."""
KINDS = {LayerKind.WINDOW: 0, LayerKind.CSA: 1, LayerKind.HCA: 2}


class NativeStep:
    """`step` is `V4Model.forward` for one token of each of many sequences. Not thread-safe.

    The weights are repacked: INT8 or BF16 or F32 for what lies in a floating dtype, FP8 and FP4 as they are.
    INT8 and FP4 also round what they are multiplied by, to a byte, with a scale for 128 and 32 inputs. The
    model itself is not kept. Nothing is drafted: a state loses what the MTP block knew of it.
    """

    def __init__(
        self,
        model: V4Model,
        threads: int,
        plain: Kind | None = None,
        library: ctypes.CDLL | None = None,
    ) -> None:
        """Repack; `plain` is what floating weights become, by default what they are.

        Raises NoNativeStepError, WeightsError where memory runs out.
        """
        _refuse_what_it_cannot(model)
        half = model.embed.dtype == torch.bfloat16
        self._plain = plain if plain is not None else (Kind.BF16 if half else Kind.F32)
        self._like = model.embed.new_empty(0)
        self._config = model.config
        self._kept: list[object] = []
        self.nbytes = 0
        """Of all that was made of the weights; without the tables of which a token reads one row."""
        self._expert_nbytes = 0
        """Of the experts that are chosen among."""
        self._tables: weakref.WeakKeyDictionary[SequenceState, _Table] = weakref.WeakKeyDictionary()
        self._library = library or native_library()
        with memory_for("the weights once more, in panels for the native step"):
            described = self._model(model, half)
        self._engine = self._library.v4_make(ctypes.byref(described), threads)
        if not self._engine:
            raise NoNativeStepError(f"there is no memory left for a native step with {threads} threads")
        self._close = weakref.finalize(self, self._library.v4_free, self._engine)

    def step(self, states: Sequence[SequenceState], ids: Tensor) -> Tensor:
        """Take token `ids[i]` behind `states[i]`; logits float32 [len(states), vocabulary].

        Raises ValueError for ids that are no tokens or states that are one, CacheError for a state in which an
        earlier pass failed half-way, MemoryError (the states are then as they were).
        """
        count = len(states)
        if ids.shape != (count,) or len(set(map(id, states))) != count or not count:
            raise ValueError(f"a step takes one token for each state, not {list(ids.shape)} for {count}")
        check_ids(ids, self._config.vocab_size)
        ids = ids.to(torch.int64).contiguous()
        logits = torch.empty(count, self._config.vocab_size)
        sequences = (layout.SequenceD * count)()
        for sequence, state in zip(sequences, states, strict=True):
            state.check()
            sequence.length, sequence.layers = state.length, self._table(state).address
        if self._library.v4_step(self._engine, sequences, ids.data_ptr(), count, logits.data_ptr()):
            raise MemoryError(f"no memory for a decode step of {count} sequences")
        for state in states:
            state.took_one()
        return logits

    def read(self, data: Tensor) -> float:
        """The sum of float32 `data`, by the step's own threads: what its speed is measured against."""
        total: float = self._library.v4_read(self._engine, data.data_ptr(), data.numel())
        return total

    def bytes_read(self, length: int) -> int:
        """Bytes that one step of one sequence of `length` tokens must read: active weights, and rows of its past."""
        config = self._config
        past = past_elements_read(config, length) * self._like.element_size()
        share = config.experts_per_token / config.experts
        return round(self.nbytes - self._expert_nbytes * (1 - share)) + past

    def _table(self, state: SequenceState) -> "_Table":
        table = self._tables.get(state)
        if table is None or not table.is_good_for(state):
            table = self._tables[state] = _Table(state, self._like)
        return table

    # the weights

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
        return _matrix(packed)

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

    def _layer(self, layer: Layer, kind: LayerKind) -> layout.LayerD:
        attention, moe, config = layer.attention, layer.moe, self._config
        groups = attention.wo_a.dense(torch.float32).chunk(config.o_groups)
        before = self.nbytes
        experts = [
            self._packed(matrix) for expert in moe.experts for matrix in (expert.w1, expert.w3, expert.w2)
        ]
        self._expert_nbytes += self.nbytes - before
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
        pairs = zip(model.layers, config.layers, strict=True)
        layers = (layout.LayerD * len(model.layers))(*(self._layer(layer, kind) for layer, kind in pairs))
        self._kept.append(layers)
        return layout.ModelD(
            dims,
            ctypes.addressof(layers),
            self._address(model.embed, torch.bfloat16 if half else torch.float32, by_row=True),
            self._hyper(model.hyper_head),
            self._address(model.norm),
            self._packed(model.head),
        )


class _Table:
    """Where a sequence's rows lie, good until one of its buffers moves."""

    def __init__(self, state: SequenceState, like: Tensor) -> None:
        self._until = state.length + ROOM
        self._version = state.version
        self._pages: list[object] = []
        self._layers = (layout.LayerStateD * len(state.layers))(
            *(self._layer(each, like) for each in state.layers)
        )
        self.address = ctypes.addressof(self._layers)

    def is_good_for(self, state: SequenceState) -> bool:
        """Whether nothing has moved since, and there is room for a token more."""
        return state.length < self._until and state.version == self._version

    def _layer(self, state: LayerState, like: Tensor) -> layout.LayerStateD:
        window = state.window.room(ROOM, like)
        return layout.LayerStateD(
            window.data_ptr(),
            state.window.base,
            *self._folded(state.compressor, like),
            *self._folded(state.indexer, like),
        )

    def _folded(self, part: CompressorState | None, like: Tensor) -> tuple[int | None, int, int | None]:
        if part is None:
            return None, 0, None
        tail = part.tail.room(ROOM, like)
        return tail.data_ptr(), part.tail.base, self._addresses(part.rows, ROOM // part.ratio + 1, like)

    def _addresses(self, rows: Rows, count: int, like: Tensor) -> int:
        pages = rows.room(count, like)
        array = (ctypes.c_void_p * len(pages))(*(page.data_ptr() for page in pages))
        self._pages.append(array)
        return ctypes.addressof(array)


def multiply(library: ctypes.CDLL, packed: Packed, x: Tensor) -> Tensor:
    """`x` [T, in] times a packed matrix, in float32 [T, out], as a step does it."""
    rows = x.to(torch.float32).contiguous()
    panels = -(-packed.out // PANEL)
    out = torch.empty(rows.shape[0], panels * PANEL)
    matrix = ctypes.byref(_matrix(packed))
    if library.v4_multiply(matrix, rows.data_ptr(), rows.shape[1], rows.shape[0], out.data_ptr()):
        raise MemoryError(f"no memory for a product of {rows.shape[0]} rows")
    return out[:, : packed.out]


def _refuse_what_it_cannot(model: V4Model) -> None:
    if model.embed.device.type != "cpu":
        raise ValueError(f"the native step runs on the CPU; the model is on {model.embed.device}")
    if model.embed.dtype not in (torch.float32, torch.bfloat16):
        raise ValueError(f"the native step takes float32 and bfloat16, not {model.embed.dtype}")
    if model.engram is not None:
        raise ValueError("the native step has no Engram memory; the torch reference runs this model")
    if model.rounds_as_reference:
        raise ValueError(
            "the native step does not round as the reference does; the torch reference runs this model"
        )
    if model.config.streams > STREAMS_MAX:
        raise ValueError(f"the native step takes {STREAMS_MAX} residual streams, not {model.config.streams}")


def _matrix(packed: Packed) -> layout.MatrixD:
    group = STEP[packed.kind] if packed.scale is not None else 0
    scale = None if packed.scale is None else packed.scale.data_ptr()
    return layout.MatrixD(packed.kind, packed.out, packed.width, group, packed.data.data_ptr(), scale)
