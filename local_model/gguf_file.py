"""Writes a GGUF file, version 3: keys, then what the tensors are, then the tensors, one after the other.

Nothing is held but the tensor that is being written. The file has another name until it is whole.

Source: the GGUF specification of ggml.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

from local_model.whole_file import whole_file

ALIGNMENT = 32
Value = bool | int | float | str | Sequence[int] | Sequence[float] | Sequence[str]
Show = Callable[[str, int, int], None]
"""What is written, bytes done, bytes in all."""


class GgufType(IntEnum):
    """How a tensor's elements lie; ggml's numbers."""

    F32 = 0
    F16 = 1
    Q8_0 = 8
    I32 = 26
    MXFP4 = 39


BLOCK = {
    GgufType.F32: (1, 4),
    GgufType.F16: (1, 2),
    GgufType.Q8_0: (32, 34),
    GgufType.I32: (1, 4),
    GgufType.MXFP4: (32, 17),
}
"""Elements of a block, and its bytes."""


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor, and where its bytes come from."""

    name: str
    shape: tuple[int, ...]
    """Rows first, as torch has it; the file has it the other way round."""
    type: GgufType
    parts: Callable[[], Iterator[bytes]]

    @property
    def nbytes(self) -> int:
        """Bytes in the file, padding not counted."""
        elements, size = BLOCK[self.type]
        count = 1
        for length in self.shape:
            count *= length
        return count // elements * size


def write_gguf(
    path: Path, keys: Mapping[str, Value], tensors: Sequence[GgufTensor], show: Show = lambda *_: None
) -> None:
    """Write the file; `show` is told how far it is. Raises OSError."""
    total = sum(tensor.nbytes for tensor in tensors)
    with whole_file(path) as file:
        file.write(_head(keys, tensors))
        _pad(file)
        done = 0
        for tensor in tensors:
            show(tensor.name, done, total)
            before = file.tell()
            for part in tensor.parts():
                file.write(part)
            written = file.tell() - before
            if written != tensor.nbytes:
                raise ValueError(f"{tensor.name}: {written} bytes were made, {tensor.nbytes} announced")
            done += written
            _pad(file)
        show("done", total, total)


def _head(keys: Mapping[str, Value], tensors: Sequence[GgufTensor]) -> bytes:
    said = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(keys))]
    for key, value in keys.items():
        said += [_text(key), _value(value)]
    offset = 0
    for tensor in tensors:
        dimensions = tensor.shape[::-1]
        said += [
            _text(tensor.name),
            struct.pack(f"<I{len(dimensions)}Q", len(dimensions), *dimensions),
            struct.pack("<IQ", tensor.type, offset),
        ]
        offset += tensor.nbytes + -tensor.nbytes % ALIGNMENT
    return b"".join(said)


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, Sequence):
        return struct.pack("<I", 9) + _array(value)
    code, form = _scalar(value)
    return struct.pack(f"<I{form}", code, value)


def _array(values: Sequence[int] | Sequence[float] | Sequence[str]) -> bytes:
    if not values:
        raise ValueError("an array has no type if it is empty")
    if isinstance(values[0], str):
        return struct.pack("<IQ", 8, len(values)) + b"".join(_text(str(value)) for value in values)
    code, form = _scalar(values[0], element=True)
    return struct.pack(f"<IQ{len(values)}{form}", code, len(values), *values)


def _scalar(value: object, *, element: bool = False) -> tuple[int, str]:
    """The type's number and how it is packed: bool, float32, and whole numbers unsigned, in arrays signed."""
    if isinstance(value, bool):
        return 7, "?"
    if isinstance(value, float):
        return 6, "f"
    return (5, "i") if element else (4, "I")


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _pad(file: BinaryIO) -> None:
    file.write(b"\0" * (-file.tell() % ALIGNMENT))
