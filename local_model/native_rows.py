"""Rows of a table on disk by the C++ that is in `native/rows.cpp`: `RowsOnDisk` without Python and the system's cache.

The bytes are the same; what either costs stands in docs/benchmarks.md.
"""

import ctypes
import errno
import logging
import os
import weakref
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from local_model.engram_rows import RowsOnDisk, one_reader
from local_model.engram_table import HEADER_BYTES, TableFile
from local_model.errors import NoNativeStepError
from local_model.native_build import rows_library

_log = logging.getLogger(__name__)


class NativeRowsOnDisk:
    """A table that stays on disk; the `cache_rows` rows wanted last are kept, the others read hundreds at a time.

    A thread reads, one for all tables of a model: what was asked for first, for the layer that comes first, is read first.
    """

    is_awaited = True

    def __init__(
        self,
        file: TableFile,
        cache_rows: int,
        reader: ThreadPoolExecutor | None = None,
        library: ctypes.CDLL | None = None,
    ) -> None:
        """Raises NoNativeStepError, and OSError where the system, or where the file lies, has no such reads."""
        self._file = file
        self._reader = reader or one_reader()
        self._library = library or rows_library()
        code = ctypes.c_int32()
        self._rows = self._library.rows_open(
            os.fsencode(file.path), HEADER_BYTES, file.width, cache_rows, ctypes.byref(code)
        )
        if not self._rows:
            raise OSError(code.value, f"no direct reads of {file.path}: {os.strerror(code.value)}")
        weakref.finalize(self, self._library.rows_close, self._rows)

    @property
    def about(self) -> str:
        """What of them is kept in memory."""
        _, _, capacity, nbytes, to_read = self._told()
        return f"on disk, {capacity} rows kept in {nbytes} bytes, read by way of {to_read}"

    @property
    def counts(self) -> tuple[int, int]:
        """Rows that were kept, and rows that were read; one that was asked for twice at once counts once."""
        hits, misses, *_ = self._told()
        return hits, misses

    def ask(self, rows: Tensor) -> "Future[Tensor]":
        """Read by the thread."""
        return self._reader.submit(self._fetch, rows)

    def _fetch(self, rows: Tensor) -> Tensor:
        rows = rows.contiguous()
        found = torch.empty(*rows.shape, self._file.row_bytes, dtype=torch.uint8)
        code = self._library.rows_fetch(self._rows, rows.data_ptr(), rows.numel(), found.data_ptr())
        if code == errno.ENOMEM:
            raise MemoryError(f"no memory to fetch {rows.numel()} rows of {self._file.path}")
        if code:
            return self._file.read_rows(rows.flatten()).view_as(
                found
            )  # which names the row, and what is wrong
        return found

    def _told(self) -> list[int]:
        told = (ctypes.c_int64 * 5)()
        self._library.rows_told(self._rows, told)
        return list(told)


def rows_on_disk(
    file: TableFile, cache_rows: int, reader: ThreadPoolExecutor | None = None
) -> NativeRowsOnDisk | RowsOnDisk:
    """The rows of a table that stays on disk, natively where that can be."""
    try:
        return NativeRowsOnDisk(file, cache_rows, reader)
    except (NoNativeStepError, OSError) as error:
        _log.info("%s is read row by row, which takes longer: %s", file.path, error)
        return RowsOnDisk(file, cache_rows, reader)
