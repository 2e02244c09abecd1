"""What safetensors files say that they hold, checked against their sizes; no weight is read, and no torch is needed.

Source: the safetensors format: eight bytes of length, a JSON header, the data without gaps.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_model.errors import WeightsError

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
BITS = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4, "I8": 8, "U8": 8,
    "I16": 16, "I32": 32, "I64": 64, "BOOL": 8,
}  # fmt: skip
_HEADER_LIMIT = 100_000_000


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor in a file."""

    name: str
    dtype: str
    """A key of `BITS`."""
    shape: tuple[int, ...]
    path: Path
    start: int
    """Where its data begins in the file, bytes."""
    nbytes: int


def stored_tensors(folder: Path) -> dict[str, StoredTensor]:
    """By their own names, of all shards. Raises WeightsError with the file and the tensor that are wrong."""
    found: dict[str, StoredTensor] = {}
    places = _places(folder)
    for file in sorted(set(places.values())) if places else [SINGLE]:
        for name, tensor in _header(folder / file).items():
            if name in found:
                raise WeightsError(f"{folder / file}: {name} is in {found[name].path.name} too")
            found[name] = tensor
    for name, file in places.items():
        if name not in found or found[name].path.name != file:
            raise WeightsError(f"{folder / file}: {name} is missing, although {INDEX} says that it is there")
    return found


def _places(folder: Path) -> dict[str, str]:
    """Tensors and their files, as the index has it; empty where there is one file."""
    index = folder / INDEX
    if not index.exists():
        return {}
    try:
        places = dict(json.loads(index.read_bytes())["weight_map"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{index} holds no weight_map: {error}") from error
    for file in places.values():
        if not isinstance(file, str) or Path(file).name != file:
            raise WeightsError(f"{index} names a file outside its folder: {file!r}")
    return places


def _header(path: Path) -> dict[str, StoredTensor]:
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            first = file.read(8)
            length = struct.unpack("<Q", first)[0] if len(first) == 8 else size
            if length > min(size - 8, _HEADER_LIMIT):
                raise WeightsError(
                    f"{path} is no whole safetensors file: {size} bytes cannot hold its header; fetch it again"
                )
            said = json.loads(file.read(length))
    except FileNotFoundError:
        raise WeightsError(f"{path} is not there; a checkpoint has {SINGLE}, or shards and {INDEX}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: its header cannot be read: {error}; fetch it again") from error
    if not isinstance(said, dict):
        raise WeightsError(f"{path}: its header is no object; fetch it again")
    tensors = [
        _tensor(path, 8 + length, name, entry) for name, entry in said.items() if name != "__metadata__"
    ]
    end = 8 + length
    for tensor in sorted(tensors, key=lambda tensor: (tensor.start, tensor.nbytes)):
        if tensor.start != end:
            raise WeightsError(
                f"{path}: {tensor.name} begins at byte {tensor.start}, not at {end}; fetch it again"
            )
        end += tensor.nbytes
        if end > size:
            raise WeightsError(
                f"{path} is no whole safetensors file: {tensor.name} ends at byte {end} of {size}; fetch it again"
            )
    if end != size:
        raise WeightsError(f"{path} has {size - end} bytes that belong to no tensor; fetch it again")
    return {tensor.name: tensor for tensor in tensors}


def _tensor(path: Path, data: int, name: str, said: Any) -> StoredTensor:
    try:
        dtype, shape = str(said["dtype"]), tuple(int(size) for size in said["shape"])
        start, end = (int(offset) for offset in said["data_offsets"])
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: the header's entry of {name} cannot be read: {error}") from error
    if dtype not in BITS:
        raise WeightsError(f"{path}: {name} is {dtype}; known are {', '.join(BITS)}")
    bits = BITS[dtype]
    for size in shape:
        bits *= size
    if min(shape, default=0) < 0 or start < 0 or bits % 8 or bits // 8 != end - start:
        raise WeightsError(
            f"{path}: {name} is {dtype} {list(shape)} in {end - start} bytes, which does not fit"
        )
    return StoredTensor(name, dtype, shape, path, data + start, end - start)
