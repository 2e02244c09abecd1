"""The native step: a model's weights repacked, and a list of sequences taken some tokens further."""

import ctypes
import weakref
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor

from local_model import native_layout as layout
from local_model.cache import CompressorState, LayerState, Rows, SequenceState
from local_model.engram_lookup import Recalled
from local_model.errors import NoNativeStepError
from local_model.footprint import past_elements_read
from local_model.model import V4Model, check_distinct, check_ids
from local_model.native_build import native_library
from local_model.native_weights import NativeWeights, matrix_of
from local_model.out_of_memory import memory_for
from local_model.packing import PANEL, Kind, Packed

ROOM = 64
"""Tokens that a sequence's table of pointers is good for, at the least."""
TOKENS_MAX = 512
"""Tokens of all sequences that go through the layers at once."""
TOKENS_FIRST = 128
"""Tokens of the first pass where rows are read from a disk: the fewer, the sooner they are there, and the others' are read meanwhile."""
STREAMS_MAX = 16
"""As `native/operations.h` has it."""
NO_ROWS = layout.ROWS_OF()


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
        if plain is None:
            plain = Kind.BF16 if model.embed.dtype == torch.bfloat16 else Kind.F32
        self._like = model.embed.new_empty(0)
        self._config = model.config
        self._lookup = model.engram.lookup if model.engram else None
        self._tables: weakref.WeakKeyDictionary[SequenceState, _Table] = weakref.WeakKeyDictionary()
        self._library = library or native_library()
        with memory_for("the weights once more, in panels for the native step"):
            self._weights = NativeWeights(model, plain)
        self._engine = self._library.v4_make(ctypes.byref(self._weights.described), threads)
        if not self._engine:
            raise NoNativeStepError(f"there is no memory left for a native step with {threads} threads")
        self._close = weakref.finalize(self, self._library.v4_free, self._engine)

    @property
    def nbytes(self) -> int:
        """Bytes of all that was made of the weights; without the tables of which a token reads one row."""
        return self._weights.nbytes

    def step(self, states: Sequence[SequenceState], ids: Tensor) -> Tensor:
        """Take token `ids[i]` behind `states[i]`; logits float32 [len(states), vocabulary].

        Raises ValueError for ids that are no tokens or states that are one, CacheError for a state in which an
        earlier pass failed half-way, MemoryError, and WeightsError where a row of an Engram table cannot be read
        (the states are then as they were).
        """
        count = len(states)
        if ids.shape != (count,) or not count:
            raise ValueError(f"a step takes one token for each state, not {list(ids.shape)} for {count}")
        check_ids(ids, self._config.vocab_size)
        for state in states:
            state.check()
        check_distinct(states)
        shares = [
            _Share(number, state, token, 1)
            for number, (state, token) in enumerate(zip(states, ids.split(1), strict=True))  # type: ignore[no-untyped-call]  # torch has no types here
        ]
        read = self._read([shares])[0]
        return self._pass(shares, ids, read, self._ask(read))

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
        check_distinct([state for _, state in batch])
        found: list[list[Tensor]] = [[] for _ in batch]
        is_awaited = self._lookup is not None and self._lookup.is_awaited
        passes = list(_passes(batch, wanted, TOKENS_FIRST if is_awaited else TOKENS_MAX))
        read = self._read(passes)
        asked = self._ask(read[0])
        for number, shares in enumerate(passes):
            ahead = self._ask(read[number + 1]) if number + 1 < len(passes) else {}
            ids = torch.cat([share.ids for share in shares])
            try:
                logits = self._pass(shares, ids, read[number], asked)
            except BaseException:
                for (_, state), parts in zip(batch, found, strict=True):
                    state.is_whole = not parts
                raise
            for share in shares:
                found[share.number].append(logits[: share.wanted])
                logits = logits[share.wanted :]
            asked = ahead
        return [torch.cat(parts) if len(parts) > 1 else parts[0] for parts in found]

    def _read(self, passes: "Sequence[Sequence[_Share]]") -> list[list[Tensor]]:
        """By pass, what an Engram memory reads of each share; without one nothing."""
        if self._lookup is None:
            return [[] for _ in passes]
        of_one = defaultdict[int, list[_Share]](list)
        for share in chain.from_iterable(passes):
            of_one[share.number].append(share)
        read = {
            number: iter(self._lookup.read_ids([share.ids for share in shares], shares[0].state))
            for number, shares in of_one.items()
        }
        return [[next(read[share.number]) for share in shares] for shares in passes]

    def _ask(self, read: list[Tensor]) -> Recalled:
        return self._lookup.ask(read) if self._lookup else {}

    def _pass(self, shares: "Sequence[_Share]", ids: Tensor, read: list[Tensor], asked: Recalled) -> Tensor:
        """The logits that are wanted of all shares, whose `ids` lie one behind the other."""
        ids = ids.to(torch.int64).contiguous()
        logits = torch.empty(sum(share.wanted for share in shares), self._config.vocab_size)
        sequences = (layout.SequenceD * len(shares))()
        for sequence, share in zip(sequences, shares, strict=True):
            state = share.state
            sequence.length, sequence.layers = state.length, self._table(state, len(share.ids)).address
            sequence.tokens, sequence.wanted = len(share.ids), share.wanted
        rows, errors = list[Tensor](), list[BaseException]()

        def rows_of(layer: int) -> int | None:
            try:
                rows.append(asked[layer].result())
            except BaseException as error:  # noqa: BLE001  (raised again behind the native frames)
                errors.append(error)
                return None
            return rows[-1].data_ptr()

        code = self._library.v4_pass(
            self._engine,
            sequences,
            ids.data_ptr(),
            len(shares),
            logits.data_ptr(),
            layout.ROWS_OF(rows_of) if asked else NO_ROWS,
        )
        if errors:
            raise errors[0]
        if code:
            raise MemoryError(f"no memory for a pass over {len(ids)} tokens of {len(shares)} sequences")
        for share in shares:
            share.state.took(len(share.ids))
        if self._lookup:
            for share, of_share in zip(shares, read, strict=True):
                self._lookup.note(of_share, share.state)
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
        return round(self.nbytes - self._weights.expert_nbytes * (1 - share)) + past

    def _table(self, state: SequenceState, tokens: int) -> "_Table":
        table = self._tables.get(state)
        if table is None or not table.is_good_for(state, tokens):
            table = self._tables[state] = _Table(state, tokens, self._like)
        return table


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


class _Share(NamedTuple):
    """A sequence's part in a pass: some tokens [T], the last of them with logits."""

    number: int
    """Of the sequence in its batch."""
    state: SequenceState
    ids: Tensor
    wanted: int


def _passes(
    batch: Sequence[tuple[Tensor, SequenceState]], wanted: int | None, first: int
) -> Iterator[list[_Share]]:
    """Cut prompts into passes of at most `TOKENS_MAX` tokens, the first of at most `first`."""
    shares: list[_Share] = []
    room = first
    for number, (ids, state) in enumerate(batch):
        begin, length = 0, len(ids)
        silent = 0 if wanted is None else max(0, length - wanted)
        while begin < length:
            end = min(length, begin + room)
            shares.append(_Share(number, state, ids[begin:end], max(0, end - max(begin, silent))))
            room -= end - begin
            begin = end
            if not room:
                yield shares
                shares, room = [], TOKENS_MAX
    if shares:
        yield shares


def multiply(library: ctypes.CDLL, packed: Packed, x: Tensor) -> Tensor:
    """`x` [T, in] times a packed matrix, in float32 [T, out], as a step does it."""
    rows = x.to(torch.float32).contiguous()
    panels = -(-packed.out // PANEL)
    out = torch.empty(rows.shape[0], panels * PANEL)
    matrix = ctypes.byref(matrix_of(packed))
    if library.v4_multiply(matrix, rows.data_ptr(), rows.shape[1], rows.shape[0], out.data_ptr()):
        raise MemoryError(f"no memory for a product of {rows.shape[0]} rows")
    return out[:, : packed.out]


def _refuse_what_it_cannot(model: V4Model) -> None:
    if model.embed.device.type != "cpu":
        raise ValueError(f"the native step runs on the CPU; the model is on {model.embed.device}")
    if model.embed.dtype not in (torch.float32, torch.bfloat16):
        raise ValueError(f"the native step takes float32 and bfloat16, not {model.embed.dtype}")
    if model.rounds_as_reference:
        raise ValueError(
            "the native step does not round as the reference does; the torch reference runs this model"
        )
    if model.config.streams > STREAMS_MAX:
        raise ValueError(f"the native step takes {STREAMS_MAX} residual streams, not {model.config.streams}")
