"""The state of a fixed number of sequences in buffers that never move, as a captured graph needs them.

A row of position p lies in slot p mod R of a ring, so that only positions change from step to step. Rings hold
`ROLLBACK` rows more than a step looks back on: a sequence is cut back by its position alone. Finished rows
lie one after the other, as many as `capacity` tokens make; a step sees those that its position allows.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from local_model.cache import ROLLBACK, CompressorState, Rows, SequenceState, Tail
from local_model.config import LayerKind, V4Config


@dataclass(frozen=True, slots=True)
class Folded:
    """A compressor's: `tail` [B, R, 2 c] of projections, `rows` [B, n, d]; a row is made of `span` tokens."""

    tail: Tensor
    rows: Tensor
    ratio: int
    span: int


@dataclass(frozen=True, slots=True)
class LayerBuffers:
    """A layer's: the window's ring [B, R, d]."""

    window: Tensor
    compressor: Folded | None = None
    indexer: Folded | None = None


class SlotStates:
    """`count` sequences of at most `capacity` tokens each; `like` says dtype and device."""

    def __init__(self, config: V4Config, count: int, capacity: int, like: Tensor) -> None:
        self._config = config
        self.capacity = capacity
        self.lengths = [0] * count
        self._floors = [0] * count
        self.layers = [_buffers(config, kind, count, capacity, like) for kind in config.layers]

    def put(self, slot: int, state: SequenceState) -> None:
        """Copy `state` into a slot; what the MTP block knew is left behind."""
        for buffers, layer in zip(self.layers, state.layers, strict=True):
            _fill_ring(buffers.window[slot], layer.window)
            for folded, part in ((buffers.compressor, layer.compressor), (buffers.indexer, layer.indexer)):
                if folded is not None and part is not None:
                    _fill_ring(folded.tail[slot], part.tail)
                    at = 0
                    for page in part.rows.pages():
                        folded.rows[slot, at : at + page.shape[0]] = page
                        at += page.shape[0]
        self.lengths[slot], self._floors[slot] = state.length, state.floor

    def take(self, slot: int) -> SequenceState:
        """A copy of a slot, to be cloned, saved, or given to `V4Model.forward`; without drafts."""
        state, length = SequenceState.empty(self._config), self.lengths[slot]
        for buffers, layer in zip(self.layers, state.layers, strict=True):
            layer.window.restore(_in_order(buffers.window[slot], length), length)
            for folded, part in ((buffers.compressor, layer.compressor), (buffers.indexer, layer.indexer)):
                if folded is not None and part is not None:
                    _take_folded(folded, slot, part, length)
        state.length, state.floor = length, self._floors[slot]
        return state

    def cut(self, slot: int, length: int) -> bool:
        """Forget the tokens from `length` on; False where they are too many, and nothing is done."""
        if not self._floors[slot] <= length <= self.lengths[slot]:
            return False
        self.lengths[slot] = length
        return True

    def floor(self, slot: int) -> int:
        """The shortest length that a slot can be cut back to."""
        return self._floors[slot]

    def took_one(self, slot: int) -> None:
        """Count a token."""
        self.lengths[slot] += 1
        self._floors[slot] = max(self._floors[slot], self.lengths[slot] - ROLLBACK)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        total = 0
        for layer in self.layers:
            total += layer.window.nbytes
            for folded in (layer.compressor, layer.indexer):
                total += 0 if folded is None else folded.tail.nbytes + folded.rows.nbytes
        return total


def _buffers(config: V4Config, kind: LayerKind, count: int, capacity: int, like: Tensor) -> LayerBuffers:
    window = like.new_zeros(count, config.window + ROLLBACK, config.head_dim)
    if kind is LayerKind.WINDOW:
        return LayerBuffers(window)
    ratio = config.hca_ratio if kind is LayerKind.HCA else config.csa_ratio
    halves = 2 if kind is LayerKind.CSA else 1

    def folded(width: int) -> Folded:
        span = halves * ratio
        tail = like.new_zeros(count, span + ROLLBACK, 2 * halves * width)
        return Folded(tail, like.new_zeros(count, -(-capacity // ratio), width), ratio, span)

    indexer = folded(config.index_head_dim) if kind is LayerKind.CSA else None
    return LayerBuffers(window, folded(config.head_dim), indexer)


def _fill_ring(ring: Tensor, tail: Tail) -> None:
    kept = tail.kept
    if kept is None or not kept.shape[0]:
        return
    kept = kept[-ring.shape[0] :]
    positions = torch.arange(tail.end - kept.shape[0], tail.end, device=ring.device)
    ring[positions % ring.shape[0]] = kept.to(ring.device)


def _in_order(ring: Tensor, length: int) -> Tensor | None:
    """A copy of the rows before position `length`, the oldest first; None where there is none."""
    if not length:
        return None
    positions = torch.arange(max(0, length - ring.shape[0]), length, device=ring.device)
    return ring[positions % ring.shape[0]]


def _take_folded(folded: Folded, slot: int, part: CompressorState, length: int) -> None:
    part.tail.restore(_in_order(folded.tail[slot], length), length)
    rows: Rows = part.rows
    if length // folded.ratio:
        rows.append(folded.rows[slot, : length // folded.ratio])
