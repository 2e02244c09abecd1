"""A decode step with static shapes: on CUDA captured once in a graph and replayed, anywhere else the same code eagerly.

A captured graph is a list of kernels with fixed addresses and shapes. So sequences live in numbered slots, whose buffers
never move, and what a token may see follows from its position, a tensor. One graph is captured for each power of two
that the longest sequence stays below: a short one does not pay for rows that only a long one has.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from local_model.cache import SequenceState
from local_model.config import LayerKind
from local_model.errors import CacheError
from local_model.graph_pieces import Angles, Part, TorchPieces
from local_model.graph_state import LayerBuffers, SlotStates
from local_model.graph_weights import PLAIN, LayerWeights, Stack
from local_model.model import V4Model, check_ids
from local_model.rotary import Rotary

SMALLEST = 1_024
"""Tokens of the first graph."""
WARM_UPS = 2
"""Runs before a capture, in which kernels are compiled and libraries make their handles."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """A step's angles, of the tokens and of the windows that they are in, by kind of layer."""

    here: dict[LayerKind, Angles]
    window: dict[LayerKind, Angles]


class GraphStep:
    """`step` is `V4Model.forward` for one token of each of `slots` sequences of at most `capacity` tokens.

    Large matrices are copied into stacks, as stored; the model itself is kept for its small ones. Sums are made in another order than
    the reference's, so logits agree within rounding. Nothing is drafted. Not thread-safe.
    """

    def __init__(
        self,
        model: V4Model,
        slots: int = 1,
        capacity: int = 4_096,
        *,
        captures: bool | None = None,
    ) -> None:
        """`captures` in a graph: by default where the model is on CUDA.

        Raises ValueError for a model that it cannot run.
        """
        _refuse_what_it_cannot(model)
        on_cuda = model.embed.device.type == "cuda"
        self._model = model
        self._config = model.config
        self._layers = [LayerWeights.of(layer) for layer in model.layers]
        self._head = Stack.of([model.head])
        self._states = SlotStates(model.config, slots, capacity, model.embed.new_empty(0))
        self._pieces = TorchPieces(model.config)
        self._captures = on_cuda if captures is None else captures
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}
        self._ids = torch.zeros(slots, dtype=torch.int64, device=model.embed.device)
        self._positions = torch.zeros_like(self._ids)
        self._logits = torch.zeros(slots, model.config.vocab_size, device=model.embed.device)
        frequencies = [
            Rotary(model.config, compressed=compressed).frequencies for compressed in (False, True)
        ]
        self._frequencies = torch.stack([frequencies[0], *[frequencies[1]] * 3])[:, None].to(
            model.embed.device
        )

    @property
    def lengths(self) -> list[int]:
        """Tokens in each slot."""
        return list(self._states.lengths)

    def put(self, slot: int, state: SequenceState) -> None:
        """Copy a state into a slot, in place of what is there; the state stays as it is, the slot has no drafts.

        Raises CacheError for a state that is too long, or in which a forward pass failed half-way.
        """
        state.check()
        if state.length > self._states.capacity:
            raise CacheError(
                f"a state of {state.length} tokens does not fit a slot of {self._states.capacity}; give the step more capacity"
            )
        self._states.put(slot, state)

    def take(self, slot: int) -> SequenceState:
        """A copy of a slot's state, for `V4Model.forward`, a clone or a file."""
        return self._states.take(slot)

    def cut(self, slot: int, length: int) -> None:
        """Forget a slot's tokens from `length` on. Raises CacheError if they are too many."""
        if not self._states.cut(slot, length):
            raise CacheError(
                f"a slot of {self._states.lengths[slot]} tokens can be cut back to {self._states.floor(slot)} at the"
                f" least, not to {length}"
            )

    def step(self, ids: Tensor, idle: Sequence[int] = ()) -> Tensor:
        """Take token `ids[i]` behind slot i; logits float32 [slots, vocabulary], good until the next step.

        Slots that are `idle` stay as they are, and their logits mean nothing. Ids on the host are checked;
        on the card that would cost a round trip, and what is no token there becomes the nearest that is one.

        Raises ValueError for ids that are no tokens, CacheError where a slot is full: nothing is then done.
        """
        lengths, count = self._states.lengths, self._ids.shape[0]
        if ids.shape != (count,):
            raise ValueError(f"a step takes one token for each slot, not {list(ids.shape)} for {count}")
        if ids.device.type == "cpu":
            check_ids(ids, self._config.vocab_size)
        busy = [slot for slot in range(count) if slot not in idle]
        longest = 1 + max((lengths[slot] for slot in busy), default=0)
        full = [slot for slot in busy if lengths[slot] >= self._states.capacity]
        if full:
            raise CacheError(
                f"slot {full[0]} is full at {self._states.capacity} tokens; give the step more capacity"
            )
        self._ids.copy_(ids.clamp(0, self._config.vocab_size - 1), non_blocking=True)
        # An idle slot may be longer than the graph that the others need sees: what it says means nothing.
        self._positions.copy_(torch.tensor(lengths), non_blocking=True)
        with torch.no_grad():
            self._replay(longest)
        for slot in busy:
            self._states.took_one(slot)
        return self._logits

    def bytes_read(self, length: int, experts: float | None = None) -> int:
        """Bytes that a step must read of weights, and of the past of every slot of `length` tokens.

        `experts`: how many routed ones a layer's tokens choose between them; by default one token's.
        """
        config, element = self._config, self._model.embed.element_size()
        chosen = config.experts_per_token if experts is None else experts
        weights = sum(layer.active_bytes(chosen) for layer in self._layers) + self._head.nbytes
        rows = 0
        for kind in config.layers:
            rows += min(length, config.window) * config.head_dim
            if kind is LayerKind.HCA:
                rows += length // config.hca_ratio * config.head_dim
            elif kind is LayerKind.CSA:
                finished = length // config.csa_ratio
                rows += min(finished, config.index_topk) * config.head_dim
                rows += finished * config.index_head_dim if finished > config.index_topk else 0
        return round(weights + self._model.hyper_head.fn.nbytes) + rows * element * len(self._states.lengths)

    def _replay(self, longest: int) -> None:
        bound = SMALLEST
        while bound < longest:
            bound *= 2
        bound = min(bound, max(self._states.capacity, 1))
        if not self._captures:
            self._run(bound)
            return
        if bound not in self._graphs:
            self._graphs[bound] = self._captured(bound)
        self._graphs[bound].replay()

    def _captured(self, bound: int) -> torch.cuda.CUDAGraph:
        """Record a step; the runs before it write what the replay will write once more."""
        beside = torch.cuda.Stream(self._ids.device)  # type: ignore[no-untyped-call]  # torch has no types here
        beside.wait_stream(torch.cuda.current_stream(self._ids.device))
        with torch.cuda.stream(beside):
            for _ in range(WARM_UPS):
                self._run(bound)
        torch.cuda.current_stream(self._ids.device).wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._run(bound)
        return graph

    # the step itself

    def _run(self, bound: int) -> None:
        pieces, model, turn = self._pieces, self._model, self._turn()
        streams = model.embed[self._ids][:, None].expand(-1, self._config.streams, -1)
        for weights, buffers, kind in zip(
            self._layers, self._states.layers, self._config.layers, strict=True
        ):
            layer = weights.layer
            x, post, mix = pieces.weigh(streams, layer.attn_hc, layer.attn_norm)
            out = self._attention(x, weights, buffers, turn.here[kind], turn.window[kind], bound)
            streams = pieces.join([Part(out[None])], streams, post, mix)
            x, post, mix = pieces.weigh(streams, layer.ffn_hc, layer.ffn_norm)
            streams = pieces.join(self._experts(x, weights), streams, post, mix)
        x = pieces.collapse(streams, model.hyper_head, model.norm)
        self._logits.copy_(pieces.product(x, [self._head], torch.float32))

    def _turn(self) -> _Turn:
        config, at = self._config, self._positions
        windows = [at // ratio * ratio for ratio in (config.csa_ratio, config.hca_ratio)]
        turned = torch.stack((at, at, *windows)).float()[..., None] * self._frequencies
        plain, compressed, csa, hca = zip(turned.cos().unbind(0), turned.sin().unbind(0), strict=True)
        return _Turn(
            {LayerKind.WINDOW: plain, LayerKind.CSA: compressed, LayerKind.HCA: compressed},
            {LayerKind.WINDOW: plain, LayerKind.CSA: csa, LayerKind.HCA: hca},
        )

    def _attention(
        self,
        x: Tensor,
        weights: LayerWeights,
        buffers: LayerBuffers,
        here: Angles,
        window: Angles,
        bound: int,
    ) -> Tensor:
        pieces, config, attention = self._pieces, self._config, weights.layer.attention
        said = pieces.product(x, weights.first, x.dtype)
        latent = pieces.take_in(said, self._positions, here, weights, buffers)
        queries = pieces.product(latent, [weights.wq_b], x.dtype)
        chosen = None
        if buffers.compressor is not None and attention.compressor is not None:
            pieces.close(buffers.compressor, attention.compressor, self._positions, window)
        indexer, folded = attention.indexer, buffers.indexer
        if indexer is not None and folded is not None and weights.index_wq_b is not None:
            pieces.close(folded, indexer.compressor, self._positions, window)
            if bound // folded.ratio > config.index_topk:
                asking = pieces.product(latent, [weights.index_wq_b], x.dtype)
                keys, said_weights = folded.rows[:, : bound // folded.ratio], said[:, -indexer.heads :]
                chosen = pieces.choose(indexer, asking, said_weights, keys, self._positions, here)
        out = pieces.attend(queries, self._positions, here, weights, buffers, bound, chosen)
        out = pieces.product(out, [weights.wo_a], x.dtype, config.o_groups)
        return pieces.product(out, [weights.wo_b], x.dtype)

    def _experts(self, x: Tensor, weights: LayerWeights) -> list[Part]:
        pieces, limit = self._pieces, self._config.swiglu_limit
        logits = pieces.product(x.float(), [weights.gate], torch.float32)
        numbers, share = pieces.route(logits, self._ids, weights.layer)
        shared = pieces.experts(x, weights.shared, numbers.new_zeros(1), None, limit)
        return [pieces.experts(x, weights.routed, numbers, share, limit), shared]


def _refuse_what_it_cannot(model: V4Model) -> None:
    if model.embed.dtype not in PLAIN:
        raise ValueError(f"the graph step takes float32 and bfloat16, not {model.embed.dtype}")
    if model.engram is not None:
        raise ValueError("the graph step has no Engram memory; the torch reference runs this model")
    if model.rounds_as_reference:
        raise ValueError(
            "the graph step does not round as the reference does; the torch reference runs this model"
        )
