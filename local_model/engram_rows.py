"""Where an Engram layer's rows come from: memory, or the file with the rows of late kept in memory.

Both answer a question with a future, so that rows can be asked for as soon as the tokens are known, long before
the layer that wants them. Both give the same bytes.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import torch
from torch import Tensor

from local_model.engram_table import TableFile

WAYS = 8
"""Rows that a set has room for: with eight, little is lost to sets that are fuller than others."""


class RowSource(Protocol):
    """Rows by number."""

    @property
    def about(self) -> str:
        """Where they are and what memory they take, for a log."""
        ...

    @property
    def is_awaited(self) -> bool:
        """Whether they take time to come."""
        ...

    def ask(self, rows: Tensor) -> "Future[Tensor]":
        """Begin to fetch rows int64 [...]; uint8 [..., row_bytes]. The future may raise WeightsError."""
        ...


class RowsInMemory:
    """All of a table, checked as it is read.

    Indexed by numpy, in the thread that asks: torch's own threads go on spinning for a while, in the way of the native step's.
    """

    is_awaited = False

    def __init__(self, file: TableFile) -> None:
        self._rows = file.read_all().numpy()

    @property
    def about(self) -> str:
        """What memory they take."""
        return f"in memory, {self._rows.nbytes} bytes"

    def ask(self, rows: Tensor) -> "Future[Tensor]":
        """There at once."""
        found: Future[Tensor] = Future()
        found.set_result(torch.from_numpy(self._rows[rows.numpy()]))
        return found


class RowsOnDisk:
    """A table that stays on disk; the `cache_rows` rows wanted last are kept. The reference, and where nothing can be
    compiled the fallback, of `native_rows.py`.

    A thread reads, one for all tables of a model: what was asked for first, for the layer that comes first, is read first.
    """

    is_awaited = True

    def __init__(self, file: TableFile, cache_rows: int, reader: ThreadPoolExecutor | None = None) -> None:
        """`reader` has one thread; without it the table gets its own."""
        self._file = file
        self.hot = HotRows(cache_rows, file.row_bytes)
        self._reader = reader or one_reader()

    @property
    def about(self) -> str:
        """What of them is kept in memory."""
        return f"on disk, {self.hot.capacity} rows kept in {self.hot.nbytes} bytes"

    @property
    def counts(self) -> tuple[int, int]:
        """Rows that were kept, and rows that were read."""
        return self.hot.hits, self.hot.misses

    def ask(self, rows: Tensor) -> "Future[Tensor]":
        """Read by the thread: what is not kept, in the order in which it lies."""
        return self._reader.submit(self._fetch, rows)

    def _fetch(self, rows: Tensor) -> Tensor:
        different, places = torch.unique(rows, return_inverse=True)
        slots = self.hot.find(different)
        found = self.hot.rows[slots]  # what is not kept has some slot's
        missing = (slots < 0).nonzero()[:, 0]
        if missing.shape[0]:
            read = self._file.read_rows(different[missing])
            found[missing] = read
            self.hot.keep(different[missing], read)
        return found[places]


def one_reader() -> ThreadPoolExecutor:
    """A thread that reads tables."""
    return ThreadPoolExecutor(1, thread_name_prefix="engram reader")


class HotRows:
    """At most `capacity` rows, in sets of up to `WAYS`. A row's set follows from its number; the row of it that was wanted
    least lately makes room. Not thread-safe: one thread asks.
    """

    def __init__(self, capacity: int, size: int) -> None:
        self._ways = min(WAYS, capacity)
        self._sets = capacity // WAYS if capacity >= WAYS else min(1, capacity)
        self.capacity = self._sets * self._ways
        """Rows that there is room for."""
        self.rows = torch.empty(max(1, self.capacity), size, dtype=torch.uint8)
        """By slot; one that nobody fills where nothing is kept."""
        self._numbers = torch.full((self._sets, self._ways), -1)
        self._wanted = torch.zeros(self._sets, self._ways, dtype=torch.int64)
        self._now = 0
        self.hits = 0
        """Rows that were here, a row that is asked for twice at once counted once."""
        self.misses = 0
        """Rows that were not."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory, with what is noted of each row."""
        return self.rows.nbytes + self._numbers.nbytes + self._wanted.nbytes

    def find(self, numbers: Tensor) -> Tensor:
        """The slots of the rows `numbers` [n], no two the same; -1 where one is not here."""
        self._now += 1
        if not self.capacity:
            self.misses += numbers.shape[0]
            return torch.full_like(numbers, -1)
        sets = numbers % self._sets
        is_here = self._numbers[sets] == numbers[:, None]
        slots = sets * self._ways + is_here.int().argmax(1)
        here = is_here.any(1)
        self._wanted.view(-1)[slots[here]] = self._now
        self.hits += int(here.sum())
        self.misses += int((~here).sum())
        return slots.where(here, -1)

    def keep(self, numbers: Tensor, rows: Tensor) -> None:
        """Keep `rows` [n, size], none of which is here, as far as their sets have room for them at once."""
        if not self.capacity:
            return
        sets, order = (numbers % self._sets).sort(stable=True)
        place_in_set = torch.arange(sets.shape[0]) - torch.searchsorted(sets, sets)
        fits = place_in_set < self._ways
        sets, order, place_in_set = sets[fits], order[fits], place_in_set[fits]
        least_lately = self._wanted[sets].sort(dim=1, stable=True).indices
        slots = sets * self._ways + least_lately.gather(1, place_in_set[:, None])[:, 0]
        self._numbers.view(-1)[slots] = numbers[order]
        self._wanted.view(-1)[slots] = self._now
        self.rows[slots] = rows[order]
