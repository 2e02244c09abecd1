"""A sequence's state: what a forward pass must know of the tokens before.

A layer holds a tail of its window's rows; with a compressor also the finished compressed rows and a tail
of the projections that are not yet, or only just, folded into one; with an indexer both once more, narrower.

Finished rows lie in pages of `PAGE_ROWS`. A clone shares full pages and copies the last one, so clones cost
little however long their past is. A state can be cut back by `ROLLBACK` tokens: so many rows more than a
forward pass needs are kept in each tail, which is what a refused draft asks for. Further back there is
nothing to go to: clone before, or compute anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from local_model.config import LayerKind, V4Config
from local_model.errors import CacheError

PAGE_ROWS = 128
ROLLBACK = 64
"""Tokens that a state can be cut back by."""
SPARE = 128
"""Rows that a tail has room for before it moves."""


class Tail:
    """The last rows of a sequence, [n, width], in a buffer with room for more; `end` is the position behind the last."""

    def __init__(self, keep: int, width: int) -> None:
        self._keep = keep + ROLLBACK
        self._width = width
        self.buffer: Tensor | None = None
        self.base = 0
        """The position of the buffer's first row."""
        self.end = 0

    def with_new(self, rows: Tensor, first: int) -> Tensor:
        """Append `rows` and return all from position `first`; keep what later calls and a cut may want."""
        whole = self.room(rows.shape[0], rows)
        whole[self.end - self.base : self.end - self.base + rows.shape[0]] = rows
        self.end += rows.shape[0]
        seen = whole[max(first - self.base, 0) : self.end - self.base]
        if self.end - self.base > self._keep + SPARE:
            self._move(SPARE, rows)
        return seen

    def room(self, count: int, like: Tensor) -> Tensor:
        """The buffer, after making room in it for `count` rows more, with the dtype and device of `like`."""
        if self.buffer is None or self.end - self.base + count > self.buffer.shape[0]:
            return self._move(max(count, SPARE), like)
        return self.buffer

    def _move(self, spare: int, like: Tensor) -> Tensor:
        """Into a new buffer; what was seen of the old one stays as it is."""
        kept = min(self.end - self.base, self._keep)
        moved = like.new_zeros(kept + spare, self._width)
        if self.buffer is not None:
            moved[:kept] = self.buffer[self.end - self.base - kept : self.end - self.base]
        self.buffer, self.base = moved, self.end - kept
        return moved

    def took(self, end: int) -> bool:
        """Count rows up to `end` that were written into the room; whether the buffer moved, since it had become too long."""
        self.end = end
        if self.buffer is None or end - self.base <= self._keep + SPARE:
            return False
        self._move(SPARE, self.buffer)
        return True

    def cut(self, length: int) -> None:
        """Forget the rows from position `length` on."""
        self.end = min(self.end, length)
        self.base = min(self.base, length)

    def clone(self) -> "Tail":
        """An independent copy."""
        copy = Tail(0, self._width)
        copy._keep, copy.base, copy.end = self._keep, self.base, self.end
        copy.buffer = None if self.buffer is None else self.buffer.clone()
        return copy

    @property
    def kept(self) -> Tensor | None:
        """The rows that are kept."""
        return None if self.buffer is None else self.buffer[: self.end - self.base]

    def restore(self, rows: Tensor | None, end: int) -> None:
        """Take what `kept` gave when `end` was as told."""
        self.buffer, self.end = rows, end
        self.base = end if rows is None else end - rows.shape[0]

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return 0 if self.buffer is None else self.buffer.nbytes


class Rows:
    """Finished rows [n, width] in pages; full pages are never written again, so clones share them."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._pages: list[Tensor] = []
        self.count = 0

    def room(self, count: int, like: Tensor) -> list[Tensor]:
        """The pages, after making room for `count` rows more, with the dtype and device of `like`."""
        while len(self._pages) * PAGE_ROWS < self.count + count:
            self._pages.append(like.new_zeros(PAGE_ROWS, self._width))
        return self._pages

    def append(self, rows: Tensor) -> None:
        """Add rows behind the last."""
        self.room(rows.shape[0], rows)
        while rows.shape[0]:
            page, filled = divmod(self.count, PAGE_ROWS)
            taken = rows[: PAGE_ROWS - filled]
            self._pages[page][filled : filled + taken.shape[0]] = taken
            self.count += taken.shape[0]
            rows = rows[taken.shape[0] :]

    def pages(self) -> Iterator[Tensor]:
        """The pages that have rows, the last one as far as it is filled."""
        for number, page in enumerate(self._pages[: -(-self.count // PAGE_ROWS)]):
            yield page[: self.count - number * PAGE_ROWS]

    def whole(self) -> Tensor | None:
        """All rows as one tensor; None where there is none."""
        return torch.cat(tuple(self.pages())) if self.count else None

    def cut(self, count: int) -> None:
        """Forget the rows from `count` on; a page that is opened again is copied, since clones may share it."""
        if count >= self.count:
            return
        self.count = count
        del self._pages[-(-count // PAGE_ROWS) :]
        if count % PAGE_ROWS:
            self._pages[-1] = self._pages[-1].clone()

    def clone(self) -> "Rows":
        """A copy that shares the full pages."""
        copy = Rows(self._width)
        copy.count, copy._pages = self.count, self._pages[: -(-self.count // PAGE_ROWS)]
        if copy.count % PAGE_ROWS:
            copy._pages[-1] = copy._pages[-1].clone()
        return copy

    def shared_pages(self, other: "Rows") -> int:
        """How many pages are the very same memory."""
        return sum(a.data_ptr() == b.data_ptr() for a, b in zip(self.pages(), other.pages(), strict=False))

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return sum(page.nbytes for page in self._pages)


@dataclass(slots=True)
class CompressorState:
    """Finished rows of width d, and the tail of projections [2 * width of the projection: values, then gates]."""

    ratio: int
    rows: Rows
    tail: Tail

    def cut(self, length: int) -> None:
        """As it was when the sequence had `length` tokens."""
        self.rows.cut(length // self.ratio)
        self.tail.cut(length)

    def clone(self) -> "CompressorState":
        """A copy that shares the finished rows."""
        return CompressorState(self.ratio, self.rows.clone(), self.tail.clone())


@dataclass(slots=True)
class LayerState:
    """One layer's part."""

    window: Tail
    compressor: CompressorState | None = None
    indexer: CompressorState | None = None

    @property
    def parts(self) -> "Iterator[Tail | CompressorState]":
        """All that must be cut and cloned."""
        yield self.window
        for part in (self.compressor, self.indexer):
            if part is not None:
                yield part

    def clone(self) -> "LayerState":
        """A copy that shares the finished rows."""
        compressor, indexer = self.compressor, self.indexer
        return LayerState(
            self.window.clone(),
            compressor.clone() if compressor is not None else None,
            indexer.clone() if indexer is not None else None,
        )

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return sum(
            part.nbytes if isinstance(part, Tail) else part.rows.nbytes + part.tail.nbytes
            for part in self.parts
        )


@dataclass(slots=True, eq=False, weakref_slot=True)
class SequenceState:
    """All of one sequence, `length` tokens long. Not thread-safe; one forward pass at a time writes it."""

    layers: list[LayerState]
    drafts: list[LayerState] = field(default_factory=list)
    """The MTP block's, where there is one; it is one token behind."""
    streams: Tail = field(default_factory=lambda: Tail(1, 0))
    """What the MTP block goes on from: the last residual streams, flat; of a state without drafts none."""
    lookback: Tail = field(default_factory=lambda: Tail(0, 1))
    """Compressed ids that the next n-grams of an Engram memory reach back to; without one none."""
    length: int = 0
    floor: int = 0
    """The shortest length that it can be cut back to."""
    is_whole: bool = True
    """False while a forward pass writes it, and after one that failed: some parts took the tokens, some did not."""
    version: int = 0
    """Changes when a buffer may have moved."""

    @staticmethod
    def empty(config: V4Config, *, drafts: int = 0) -> "SequenceState":
        """The state before the first token."""
        return SequenceState(
            [_layer(config, kind) for kind in config.layers],
            [_layer(config, LayerKind.WINDOW) for _ in range(drafts)],
            Tail(1, config.streams * config.hidden_size),
            Tail(config.engram.ngram - 1 if config.engram else 0, 1),
        )

    def check(self) -> None:
        """Raise CacheError if a forward pass failed half-way."""
        if not self.is_whole:
            raise CacheError(
                "a forward pass over this state failed half-way; go on from a clone, or compute it anew"
            )

    def advance(self, tokens: int) -> None:
        """Count tokens that every layer has taken."""
        self.length += tokens
        self.floor = max(self.floor, self.length - ROLLBACK)
        self.version += 1

    def took(self, tokens: int) -> None:
        """Count tokens whose rows were written straight into the buffers, where there was room; forget drafts."""
        if self.drafts:
            self.drafts, self.streams = [], Tail(1, 0)
        self.length += tokens
        self.floor = max(self.floor, self.length - ROLLBACK)
        moved = False
        for layer in self.layers:
            moved |= layer.window.took(self.length)
            for part in (layer.compressor, layer.indexer):
                if part is not None:
                    moved |= part.tail.took(self.length)
                    part.rows.count = self.length // part.ratio
        self.version += moved

    def cut(self, length: int) -> None:
        """Forget the tokens from `length` on. Raises CacheError if they are too many."""
        self.check()
        if not self.floor <= length <= self.length:
            raise CacheError(
                f"a state of {self.length} tokens can be cut back to {self.floor} at the least, not to {length}"
            )
        for layer in self.layers:
            for part in layer.parts:
                part.cut(length)
        for layer in self.drafts:
            for part in layer.parts:
                part.cut(max(length - 1, 0))
        self.streams.cut(length)
        self.lookback.cut(length)
        self.length = length
        self.version += 1

    def clone(self) -> "SequenceState":
        """A copy that goes its own way; finished rows are shared, not copied."""
        self.check()
        return SequenceState(
            [layer.clone() for layer in self.layers],
            [layer.clone() for layer in self.drafts],
            self.streams.clone(),
            self.lookback.clone(),
            self.length,
            self.floor,
        )

    @property
    def nbytes(self) -> int:
        """Bytes of memory that it holds, shared pages counted."""
        layers = sum(layer.nbytes for layer in (*self.layers, *self.drafts))
        return layers + self.streams.nbytes + self.lookback.nbytes


def _layer(config: V4Config, kind: LayerKind) -> LayerState:
    state = LayerState(Tail(config.window - 1, config.head_dim))
    if kind is LayerKind.HCA:
        tail = Tail(config.hca_ratio - 1, 2 * config.head_dim)
        state.compressor = CompressorState(config.hca_ratio, Rows(config.head_dim), tail)
    elif kind is LayerKind.CSA:
        # The window before the open one is folded in once more: its first half overlaps.
        ratio, keep = config.csa_ratio, 2 * config.csa_ratio - 1
        state.compressor = CompressorState(ratio, Rows(config.head_dim), Tail(keep, 4 * config.head_dim))
        state.indexer = CompressorState(
            ratio, Rows(config.index_head_dim), Tail(keep, 4 * config.index_head_dim)
        )
    return state
