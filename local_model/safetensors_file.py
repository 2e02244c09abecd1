"""Writes tensors as safetensors in shards, each streamed: nothing is held but the part that is being written.

Source: the safetensors format: the length of a JSON header, the header, the data.
"""

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_model.whole_file import whole_file

SHARD_BYTES = 5_000_000_000
BYTES = {
    "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E8M0": 1, "I8": 1, "U8": 1, "I32": 4, "I64": 8,
}  # fmt: skip
Show = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class NewTensor:
    """One tensor, and where its bytes come from."""

    name: str
    dtype: str
    """A key of `BYTES`."""
    shape: tuple[int, ...]
    parts: Callable[[], Iterator[bytes]]

    @property
    def nbytes(self) -> int:
        """Bytes of data."""
        size = BYTES[self.dtype]
        for length in self.shape:
            size *= length
        return size


def write_shards(
    folder: Path, tensors: Sequence[NewTensor], show: Show, shard_bytes: int = SHARD_BYTES
) -> int:
    """Write `model.safetensors`, or shards and their index; return how many files. Raises OSError."""
    shards = _shards(tensors, shard_bytes)
    total, done = sum(tensor.nbytes for tensor in tensors), 0
    places: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        one = "model.safetensors"
        file = one if len(shards) == 1 else f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        with whole_file(folder / file) as out:
            out.write(_header(shard))
            for tensor in shard:
                show(tensor.name, done, total)
                before = out.tell()
                for part in tensor.parts():
                    out.write(part)
                if out.tell() - before != tensor.nbytes:
                    raise ValueError(
                        f"{tensor.name}: {out.tell() - before} bytes were made of {tensor.nbytes}"
                    )
                done += tensor.nbytes
                places[tensor.name] = file
    if len(shards) > 1:
        index = {"metadata": {"total_size": total}, "weight_map": places}
        with whole_file(folder / "model.safetensors.index.json") as out:
            out.write(json.dumps(index, indent=1).encode())
    show("done", total, total)
    return len(shards)


def _shards(tensors: Sequence[NewTensor], limit: int) -> list[list[NewTensor]]:
    shards: list[list[NewTensor]] = [[]]
    size = 0
    for tensor in tensors:
        if shards[-1] and size + tensor.nbytes > limit:
            shards.append([])
            size = 0
        shards[-1].append(tensor)
        size += tensor.nbytes
    return shards


def _header(shard: Sequence[NewTensor]) -> bytes:
    said: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in shard:
        said[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + tensor.nbytes],
        }
        offset += tensor.nbytes
    text = json.dumps(said, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text
