"""The native step: a model's weights repacked, and a list of sequences taken some tokens further."""

import ctypes
import weakref
from collections.abc import Iterator, Sequence

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
"""Tokens that a sequence's table of pointers is good for, at the least."""
TOKENS_MAX = 512
"""Tokens of all sequences that go through the layers at once."""
STREAMS_MAX = 16
"""As `native/engine.cpp` has it."""
KINDS = {LayerKind.WINDOW: 0, LayerKind.CSA: 1, LayerKind.HCA: 2}


class NativeStep:
    """`V4Model.forward` natively, for one sequence or for many; `step` for one token of each. Not thread-safe.

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
        if ids.shape != (count,) or not count:
            raise ValueError(f"a step takes one token for each state, not {list(ids.shape)} for {count}")
        check_ids(ids, self._config.vocab_size)
        _check_distinct(states)
        return self._pass([(state, 1, 1) for state in states], ids)

    def forward(
        self, ids: Tensor, cache: SequenceState | None = None, *, wanted: int | None = None
    ) -> tuple[Tensor, SequenceState]:
        """`V4Model.forward`: tokens `ids` [T] behind `cache`, and its state; logits of the last `wanted`, or of all.

        Raises as `forward_batch` does.
        """
        state = cache if cache is not None else SequenceState.empty(self._config)
        return self.forward_batch([(ids, state)], wanted=wanted)[0], state

    def forward_batch(
        self, batch: Sequence[tuple[Tensor, SequenceState]], *, wanted: int | None = None
    ) -> list[Tensor]:
        """Take `ids` [T], each its own T >= 1, behind each state; logits float32 [T, vocabulary] of each.

        With `wanted`, of the last so many alone. The bits hang neither on the company nor on where a
        prompt is cut. Raises as `step` does; where memory runs out in the middle, states that were begun cannot go on.
        """
        for ids, _ in batch:
            check_ids(ids, self._config.vocab_size)
        for _, state in batch:
            state.check()
        _check_distinct([state for _, state in batch])
        found: list[list[Tensor]] = [[] for _ in batch]
        for part in _passes([len(ids) for ids, _ in batch]):
            asked = []
            for number, begin, end in part:
                ids, state = batch[number]
                from_the_end = len(ids) if wanted is None else wanted
                asked.append((state, end - begin, max(0, min(end - begin, from_the_end - (len(ids) - end)))))
            ids = torch.cat([batch[number][0][begin:end] for number, begin, end in part])
            try:
                logits = self._pass(asked, ids)
            except MemoryError:
                for (_, state), parts in zip(batch, found, strict=True):
                    state.is_whole = not parts
                raise
            for (number, _, _), (_, _, count) in zip(part, asked, strict=True):
                found[number].append(logits[:count])
                logits = logits[count:]
        return [torch.cat(parts) if len(parts) > 1 else parts[0] for parts in found]

    def _pass(self, asked: "Sequence[tuple[SequenceState, int, int]]", ids: Tensor) -> Tensor:
        """Each state with its number of tokens and of wanted logits; `ids` of all, and logits of all that are wanted."""
        count = len(asked)
        ids = ids.to(torch.int64).contiguous()
        logits = torch.empty(sum(wanted for _, _, wanted in asked), self._config.vocab_size)
        sequences = (layout.SequenceD * count)()
        for sequence, (state, tokens, wanted) in zip(sequences, asked, strict=True):
            state.check()
            sequence.length, sequence.layers = state.length, self._table(state, tokens).address
            sequence.tokens, sequence.wanted = tokens, wanted
        if self._library.v4_pass(self._engine, sequences, ids.data_ptr(), count, logits.data_ptr()):
            raise MemoryError(f"no memory for a pass over {len(ids)} tokens of {count} sequences")
        for state, tokens, _ in asked:
            state.took(tokens)
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

    def _table(self, state: SequenceState, tokens: int) -> "_Table":
        table = self._tables.get(state)
        if table is None or not table.is_good_for(state, tokens):
            table = self._tables[state] = _Table(state, tokens, self._like)
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

    def __init__(self, state: SequenceState, tokens: int, like: Tensor) -> None:
        self._room = max(tokens, ROOM)
        self._until = state.length + self._room
        self._version = state.version
        self._pages: list[object] = []
        self._layers = (layout.LayerStateD * len(state.layers))(
            *(self._layer(each, like) for each in state.layers)
        )
        self.address = ctypes.addressof(self._layers)

    def is_good_for(self, state: SequenceState, tokens: int) -> bool:
        """Whether nothing has moved since, and there is room for so many tokens more."""
        return state.length + tokens <= self._until and state.version == self._version

    def _layer(self, state: LayerState, like: Tensor) -> layout.LayerStateD:
        window = state.window.room(self._room, like)
        return layout.LayerStateD(
            window.data_ptr(),
            state.window.base,
            *self._folded(state.compressor, like),
            *self._folded(state.indexer, like),
        )

    def _folded(self, part: CompressorState | None, like: Tensor) -> tuple[int | None, int, int | None]:
        if part is None:
            return None, 0, None
        tail = part.tail.room(self._room, like)
        return tail.data_ptr(), part.tail.base, self._addresses(part.rows, self._room // part.ratio + 1, like)

    def _addresses(self, rows: Rows, count: int, like: Tensor) -> int:
        pages = rows.room(count, like)
        array = (ctypes.c_void_p * len(pages))(*(page.data_ptr() for page in pages))
        self._pages.append(array)
        return ctypes.addressof(array)


def _check_distinct(states: Sequence[SequenceState]) -> None:
    if len(set(map(id, states))) != len(states):
        raise ValueError("one state is given twice: each sequence of a batch needs its own, a clone perhaps")


def _passes(lengths: Sequence[int]) -> Iterator[list[tuple[int, int, int]]]:
    """Cut prompts into passes of at most `TOKENS_MAX` tokens: which prompt, from where and to where."""
    part: list[tuple[int, int, int]] = []
    room = TOKENS_MAX
    for number, length in enumerate(lengths):
        begin = 0
        while begin < length:
            end = min(length, begin + room)
            part.append((number, begin, end))
            room -= end - begin
            begin = end
            if not room:
                yield part
                part, room = [], TOKENS_MAX
    if part:
        yield part


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
