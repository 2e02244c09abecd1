"""The file of an Engram layer's rows: written, opened, checked.

Row after row, so that one read gets one: `width` elements in FP8 e4m3, then their ue8m0 scales, one for every 32.
Before them a header of one page; behind them a checksum (CRC-32) of every `ROWS_CHECKED` rows, and one of these.

Opening checks header, size and the list of checksums; `verify` reads all of it. It is read, not mapped: a mapped
file that shrinks kills the process, a read that comes back short is an error with a sentence.
"""

import os
import struct
import sys
import weakref
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from local_model.engram_config import SCALE_BLOCK
from local_model.errors import WeightsError
from local_model.whole_file import whole_file

MAGIC = b"SYENGRAM"
VERSION = 1
HEADER = struct.Struct("<8sIIQI")
"""Magic, version, width, rows, rows a checksum; a CRC-32 of these follows."""
HEADER_BYTES = 4096
ROWS_CHECKED = 1 << 16
NAN_OF_EIGHT, ONE_OF_EIGHT, SIGN_OF_EIGHT = 0x7F7F7F7F7F7F7F7F, 0x0101010101010101, -0x7F7F7F7F7F7F7F80
"""Eight bytes of 0x7F, an e4m3 element that is no number, its sign aside; of 1; of the sign's bit."""
SCALE_MOST = 246
"""The largest exponent, 127 being 1, at which the largest element, 448, is a float32."""


def table_path(folder: Path, layer: int) -> Path:
    """Where the table of the layer `layer` lies in a checkpoint's folder."""
    return folder / f"engram.{layer}.table"


def row_bytes(width: int) -> int:
    """Bytes of a row of `width` elements."""
    return width + width // SCALE_BLOCK


def unpacked(packed: Tensor, width: int) -> Tensor:
    """Rows, uint8 [..., row_bytes(width)], as float32 [..., width]."""
    weights = packed[..., :width].view(torch.float8_e4m3fn).float()
    scales = packed[..., width:].contiguous().view(torch.float8_e8m0fnu).float()
    return (weights.reshape(*scales.shape, SCALE_BLOCK) * scales[..., None]).flatten(-2)


def no_number(packed: Tensor, width: int) -> int | None:
    """The first of the rows [n, row_bytes(width)] that float32 cannot say: with a NaN, or a scale beyond it.

    Looked at as bytes: unpacking them took half of the time of a read.
    """
    # Eight elements at a time: one that is NaN, and no other, carries into the bit of its sign.
    eights = packed[:, :width].clone(memory_format=torch.contiguous_format).view(torch.int64)
    is_wrong = (((eights & NAN_OF_EIGHT) + ONE_OF_EIGHT) & SIGN_OF_EIGHT).any(1)
    wrong = (is_wrong | (packed[:, width:] > SCALE_MOST).any(1)).nonzero()
    return int(wrong[0]) if wrong.shape[0] else None


def write_table(path: Path, width: int, blocks: Iterable[Tensor]) -> None:
    """Write rows, uint8 [n, row_bytes(width)] a block, through a file beside `path`.

    Raises ValueError for a row that holds something else than finite numbers.
    """
    checksums, count, checked = bytearray(), 0, 0
    with whole_file(path) as file:
        file.write(b"\0" * HEADER_BYTES)
        for block in blocks:
            for part in _cut_at_checksums(block, count):
                wrong = no_number(part, width)
                if wrong is not None:
                    raise ValueError(f"row {count + wrong} of {path} would hold something that is no number")
                data = part.contiguous().numpy().tobytes()
                checked = zlib.crc32(data, checked if count % ROWS_CHECKED else 0)
                file.write(data)
                count += part.shape[0]
                if count % ROWS_CHECKED == 0:
                    checksums += struct.pack("<I", checked)
        if count % ROWS_CHECKED:
            checksums += struct.pack("<I", checked)
        file.write(checksums + struct.pack("<I", zlib.crc32(checksums)))
        header = HEADER.pack(MAGIC, VERSION, width, count, ROWS_CHECKED)
        file.seek(0)
        file.write(header + struct.pack("<I", zlib.crc32(header)))


def _cut_at_checksums(block: Tensor, count: int) -> Iterator[Tensor]:
    while block.shape[0]:
        part = block[: ROWS_CHECKED - count % ROWS_CHECKED]
        yield part
        block, count = block[part.shape[0] :], count + part.shape[0]


class TableFile:
    """An open table. Raises WeightsError with the file, and what is wrong with it."""

    def __init__(self, path: Path, rows: int, width: int) -> None:
        self.path, self.rows, self.width = path, rows, width
        self.row_bytes = row_bytes(width)
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise WeightsError(
                f"{path} cannot be opened: {error.strerror}; config.json names an Engram layer, whose rows lie there"
            ) from error
        weakref.finalize(self, os.close, self._descriptor)
        if sys.platform == "linux":
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_RANDOM)
        self._check_header()
        self._checksums = self._checked_checksums()

    def read_rows(self, numbers: Tensor) -> Tensor:
        """Read rows int64 [n]; uint8 [n, row_bytes]. Not thread-safe.

        A single row is not held against a checksum; one that no writer wrote is refused.
        """
        size = self.row_bytes
        at = HEADER_BYTES + numbers.numpy() * size
        rows = np.empty((len(at), size), np.uint8)
        if sys.platform == "linux":
            for place in at.tolist():
                os.posix_fadvise(self._descriptor, place, size, os.POSIX_FADV_WILLNEED)
        for place, row in zip(at.tolist(), rows, strict=True):
            self._read(place, row.data)
        read = torch.from_numpy(rows)
        wrong = no_number(read, self.width)
        if wrong is not None:
            raise self._damaged(f"row {int(numbers[wrong])} holds something that is no number")
        return read

    def read_all(self) -> Tensor:
        """Read and check all rows, uint8 [rows, row_bytes]."""
        size = self.rows * self.row_bytes
        try:
            data = bytearray(size)
        except MemoryError:
            raise WeightsError(
                f"{self.path} has rows of {size} bytes, which memory has no room for; leave it on disk"
            ) from None
        view = memoryview(data)
        step = ROWS_CHECKED * self.row_bytes
        for number, expected in enumerate(self._checksums):
            self._check_block(number, view[number * step : (number + 1) * step], expected)
        return torch.frombuffer(data, dtype=torch.uint8).view(self.rows, self.row_bytes)

    def verify(self) -> None:
        """Read the whole file and compare every checksum."""
        step = ROWS_CHECKED * self.row_bytes
        buffer = memoryview(bytearray(step))
        for number, expected in enumerate(self._checksums):
            left = self.rows * self.row_bytes - number * step
            self._check_block(number, buffer[:left], expected)

    def _check_block(self, number: int, into: memoryview, expected: int) -> None:
        self._read(HEADER_BYTES + number * ROWS_CHECKED * self.row_bytes, into)
        if zlib.crc32(into) != expected:
            first = number * ROWS_CHECKED
            last = min(first + ROWS_CHECKED, self.rows) - 1
            raise self._damaged(f"rows {first} to {last} are not what was written")

    def _check_header(self) -> None:
        data = bytearray(HEADER.size + 4)
        self._read(0, memoryview(data))
        magic, version, width, rows, checked = HEADER.unpack_from(data)
        if magic != MAGIC:
            raise WeightsError(f"{self.path} is no Engram table: it begins with {bytes(magic)!r}")
        if zlib.crc32(data[: HEADER.size]) != int.from_bytes(data[HEADER.size :], "little"):
            raise self._damaged("its header is not what was written")
        if (version, checked) != (VERSION, ROWS_CHECKED):
            raise WeightsError(f"{self.path} is a table of version {version}; this runtime reads {VERSION}")
        if (rows, width) != (self.rows, self.width):
            raise WeightsError(
                f"{self.path} has {rows} rows of {width} elements; config.json makes it {self.rows} of {self.width}"
            )

    def _checked_checksums(self) -> tuple[int, ...]:
        count = -(-self.rows // ROWS_CHECKED)
        end = HEADER_BYTES + self.rows * self.row_bytes
        size = os.fstat(self._descriptor).st_size
        if size != end + 4 * count + 4:
            raise self._damaged(f"it has {size} bytes, not {end + 4 * count + 4}")
        data = bytearray(4 * count + 4)
        self._read(end, memoryview(data))
        *checksums, whole = struct.unpack(f"<{count + 1}I", data)
        if zlib.crc32(data[:-4]) != whole:
            raise self._damaged("its checksums are not what was written")
        return tuple(checksums)

    def _read(self, at: int, into: memoryview) -> None:
        done = 0
        while done < len(into):
            try:
                got = os.preadv(self._descriptor, [into[done:]], at + done)
            except OSError as error:
                raise self._damaged(f"byte {at + done} cannot be read: {error.strerror}") from error
            if not got:
                size = os.fstat(self._descriptor).st_size
                raise self._damaged(f"it ends at byte {size}, before byte {at + done}")
            done += got

    def _damaged(self, what: str) -> WeightsError:
        return WeightsError(f"{self.path} is damaged: {what}; fetch it again")
