"""Where an Engram layer's rows come from: memory, or the file with the rows of late kept in memory.

Both answer a question with a future, so that rows can be asked for as soon as the tokens are known, long before
the layer that wants them. Both give the same bytes.
"""

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import torch
from torch import Tensor

from local_model.engram_table import TableFile


class RowSource(Protocol):
    """Rows by number."""

    @property
    def about(self) -> str:
        """Where they are and what memory they take, for a log."""
        ...

    def ask(self, rows: Tensor) -> "Future[Tensor]":
        """Begin to fetch rows int64 [...]; uint8 [..., row_bytes]. The future may raise WeightsError."""
        ...


class RowsInMemory:
    """All of a table, checked as it is read."""

    def __init__(self, file: TableFile) -> None:
        self._rows = file.read_all()

    @property
    def about(self) -> str:
        """What memory they take."""
        return f"in memory, {self._rows.nbytes} bytes"

    def ask(self, rows: Tensor) -> "Future[Tensor]":
        """There at once."""
        found: Future[Tensor] = Future()
        found.set_result(self._rows[rows])
        return found


class RowsOnDisk:
    """A table that stays on disk. One thread of its own reads; the `cache_rows` rows wanted last are kept."""

    def __init__(self, file: TableFile, cache_rows: int) -> None:
        self._file = file
        self.hot = HotRows(cache_rows, file.row_bytes)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix=f"engram {file.path.name}")

    @property
    def about(self) -> str:
        """What of them is kept in memory."""
        return f"on disk, {self.hot.capacity} rows kept in {self.hot.nbytes} bytes"

    def ask(self, rows: Tensor) -> "Future[Tensor]":
        """Read by the thread: what is not kept, in the order in which it lies."""
        return self._reader.submit(self._fetch, rows)

    def _fetch(self, rows: Tensor) -> Tensor:
        different, places = torch.unique(rows, return_inverse=True)
        numbers: list[int] = different.tolist()
        data = bytearray(len(numbers) * self._file.row_bytes)
        found = torch.frombuffer(data, dtype=torch.uint8).view(len(numbers), self._file.row_bytes)
        missing = self.hot.take(numbers, found)
        if len(missing) > 1:
            for place in missing:
                self._file.read_soon(numbers[place])
        view, size = memoryview(data), self._file.row_bytes
        for place in missing:
            self._file.read_row(numbers[place], view[place * size : (place + 1) * size])
        if missing:
            self._file.check_rows(numbers, found)
            self.hot.keep(numbers, missing, found)
        return found[places]


class HotRows:
    """The `capacity` rows that were asked for last. Not thread-safe: one thread asks."""

    def __init__(self, capacity: int, size: int) -> None:
        self.capacity = capacity
        self._rows = torch.empty(capacity, size, dtype=torch.uint8)
        self._slots: OrderedDict[int, int] = OrderedDict()
        self.hits = 0
        """Rows that were here, a row that is asked for twice at once counted once."""
        self.misses = 0
        """Rows that were not."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory when it is full."""
        return self._rows.nbytes

    def take(self, numbers: list[int], into: Tensor) -> list[int]:
        """Copy the rows that are here to their places `into` [n, size]; return the places of the others."""
        slots = [self._slots.get(number, -1) for number in numbers]
        here = [place for place, slot in enumerate(slots) if slot >= 0]
        missing = [place for place, slot in enumerate(slots) if slot < 0]
        for place in here:
            self._slots.move_to_end(numbers[place])
        if here:
            into[torch.tensor(here)] = self._rows[torch.tensor([slots[place] for place in here])]
        self.hits += len(here)
        self.misses += len(missing)
        return missing

    def keep(self, numbers: list[int], places: list[int], rows: Tensor) -> None:
        """Keep the rows [n, size] at `places`, as many of the last as there is room for."""
        kept = places[max(0, len(places) - self.capacity) :]
        slots: list[int] = []
        for place in kept:
            full = len(self._slots) == self.capacity
            slot = self._slots.popitem(last=False)[1] if full else len(self._slots)
            self._slots[numbers[place]] = slot
            slots.append(slot)
        if kept:
            self._rows[torch.tensor(slots)] = rows[torch.tensor(kept)]
