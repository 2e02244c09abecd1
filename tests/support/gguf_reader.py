"""Reads a GGUF file and unpacks its tensors, written after the specification and not after our writer."""

import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], dtype=np.float32)
Array = npt.NDArray[Any]


def read_gguf(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Keys and values, and tensors by name, rows first."""
    with path.open("rb") as file:
        assert file.read(4) == b"GGUF"
        version, tensors, keys = struct.unpack("<IQQ", file.read(20))
        assert version == 3
        said = {}
        for _ in range(keys):
            key = _text(file)
            said[key] = _value(file, _number(file, "I"))
        infos = []
        for _ in range(tensors):
            name, count = _text(file), _number(file, "I")
            shape = struct.unpack(f"<{count}Q", file.read(8 * count))[::-1]
            infos.append((name, shape, _number(file, "I"), _number(file, "Q")))
        start = -(-file.tell() // 32) * 32
        found = {}
        for name, shape, kind, offset in infos:
            assert offset % 32 == 0
            file.seek(start + offset)
            found[name] = _tensor(file, kind, shape)
    return said, found


def _tensor(file: BinaryIO, kind: int, shape: tuple[int, ...]) -> Array:
    count = int(np.prod(shape))
    if kind in (0, 1, 26):
        dtype = {0: "<f4", 1: "<f2", 26: "<i4"}[kind]
        return np.frombuffer(file.read(count * np.dtype(dtype).itemsize), dtype).reshape(shape)
    size = {8: 34, 39: 17}[kind]
    blocks = np.frombuffer(file.read(count // 32 * size), np.uint8).reshape(-1, size)
    if kind == 8:
        values = blocks[:, 2:].view(np.int8) * blocks[:, :2].copy().view("<f2").astype(np.float32)
    else:
        low, high = blocks[:, 1:] & 15, blocks[:, 1:] >> 4
        scale = np.exp2(blocks[:, :1].astype(np.float32) - 127)
        values = np.concatenate([_E2M1[low], _E2M1[high]], 1) * scale
    found: Array = values.reshape(shape)
    return found


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == 8:
        return _text(file)
    if kind == 9:
        inner, count = _number(file, "I"), _number(file, "Q")
        return [_value(file, inner) for _ in range(count)]
    return _number(file, _SCALARS[kind])


def _text(file: BinaryIO) -> str:
    return file.read(_number(file, "Q")).decode()


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack(f"<{form}", file.read(struct.calcsize(form)))[0]
