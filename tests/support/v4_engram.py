"""Random Engram memories beside a checkpoint, and the same memory once more, in numpy, position by position."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from local_model.engram_table import table_path, write_table
from support.v4_weights import Config, to_fp8

Array = NDArray[Any]
ENGRAM: Mapping[str, object] = {
    "layer_ids": [0, 2],
    "num_embeddings": [434, 606],
    "max_ngram_size": 4,
    "n_heads": 2,
    "head_dim": 64,
    "vocab_size": 60,
    "pad_token_id": 2,
    "compressed_vocab_size": 70,
}
"""Six primes from 60 on for each of two layers."""


def add_engram(folder: Path, seed: int, *, engram: Config | None = None, quantized: bool = False) -> None:
    """Give the checkpoint in `folder` a memory; `quantized`: with its matrices in FP8."""
    said = json.loads((folder / "config.json").read_text())
    said["engram"] = memory = dict(engram or ENGRAM)
    (folder / "config.json").write_text(json.dumps(said))
    random = torch.Generator().manual_seed(seed)
    tensors = load_file(folder / "model.safetensors")
    ids, width = int(str(memory["compressed_vocab_size"])), int(str(memory["head_dim"]))
    tensors["engram.token_map"] = torch.randint(0, ids, (said["vocab_size"],), generator=random).int()
    rows = dict(zip(numbers(memory["layer_ids"]), numbers(memory["num_embeddings"]), strict=True))
    columns = (int(str(memory["max_ngram_size"])) - 1) * int(str(memory["n_heads"])) * width
    streams, hidden = said["hc_mult"], said["hidden_size"]
    for layer, count in rows.items():
        at = f"layers.{layer}.engram."
        matrix = torch.randn((streams + 1) * hidden, columns, generator=random) / columns**0.5
        if quantized:
            tensors[f"{at}wkv.weight"], tensors[f"{at}wkv.scale"], _ = to_fp8(matrix)
        else:
            tensors[f"{at}wkv.weight"] = matrix
        for name in ("q_weight", "k_weight"):
            tensors[f"{at}{name}"] = 1 + 0.3 * torch.randn(streams, hidden, generator=random)
        write_table(table_path(folder, layer), width, random_rows(count, width, random).split(97))  # type: ignore[no-untyped-call]  # torch has no types here
    save_file(tensors, folder / "model.safetensors")


def random_rows(count: int, width: int, random: torch.Generator) -> torch.Tensor:
    """FP8 elements of every kind, scales from 1/16 to 4: uint8 [count, width + width / 32]."""
    elements = torch.randn(count, width, generator=random).to(torch.float8_e4m3fn).view(torch.uint8)
    scales = torch.randint(123, 130, (count, width // 32), generator=random).to(torch.uint8)
    return torch.cat((elements, scales), dim=1)


def numbers(said: object) -> list[int]:
    """A list of whole numbers out of a configuration."""
    return [int(str(value)) for value in said] if isinstance(said, list) else []


@dataclass(frozen=True)
class NaiveEngram:
    """One layer's memory, from the formulas, in float64 and Python's whole numbers."""

    memory: Mapping[str, Any]
    layer: int
    token_map: list[int]
    table: Array
    wkv: Array
    q_weight: Array
    k_weight: Array

    @staticmethod
    def read(folder: Path, layer: int) -> "NaiveEngram":
        """From a checkpoint's folder."""
        said = json.loads((folder / "config.json").read_text())["engram"]
        tensors = load_file(folder / "model.safetensors")
        at, width = f"layers.{layer}.engram.", said["head_dim"]
        count = said["num_embeddings"][said["layer_ids"].index(layer)]
        packed = np.frombuffer(table_path(folder, layer).read_bytes()[4096:], dtype=np.uint8)
        packed = packed[: count * (width + width // 32)].reshape(count, -1)
        return NaiveEngram(
            said,
            layer,
            tensors["engram.token_map"].tolist(),
            np.array([row_of(row, width) for row in packed]),
            *(tensors[f"{at}{name}"].double().numpy() for name in ("wkv.weight", "q_weight", "k_weight")),
        )

    def rows(self, ids: list[int]) -> list[list[int]]:
        """Which rows each token reads."""
        sizes = naive_primes(self.memory)[self.memory["layer_ids"].index(self.layer)]
        heads, longest = self.memory["n_heads"], self.memory["max_ngram_size"]
        bound = max(1, (2**63 - 1) // self.memory["compressed_vocab_size"] // 2)
        drawn = np.random.default_rng(10007 * self.layer).integers(0, bound, longest)
        compressed = [self.token_map[self.memory["pad_token_id"]]] * longest + [
            self.token_map[i] for i in ids
        ]
        found = []
        for place in range(longest, len(compressed)):
            row, of_token = 0, []
            for size in range(2, longest + 1):
                mixed = 0
                for back in range(size):
                    mixed ^= compressed[place - back] * (2 * int(drawn[back]) + 1)
                for head in range(heads):
                    buckets = sizes[(size - 2) * heads + head]
                    of_token.append(row + mixed % buckets)
                    row += buckets
            found.append(of_token)
        return found

    def written(self, streams: torch.Tensor, ids: list[int]) -> torch.Tensor:
        """The streams [T, n, D] after the memory has been written into them."""
        out = streams.double().numpy().copy()
        count, width = out.shape[1:]
        for place, rows in enumerate(self.rows(ids)):
            said = self.wkv @ np.concatenate([self.table[row] for row in rows])
            value = said[count * width :]
            for stream in range(count):
                h, key = out[place, stream].copy(), said[stream * width : (stream + 1) * width]
                h_size, key_size = (np.sqrt((x * x).mean() + 1e-6) for x in (h, key))
                d = (h / h_size * self.q_weight[stream]) @ (key / key_size * self.k_weight[stream])
                d = d / np.sqrt(width)
                root = np.sqrt(max(abs(d), 1e-6)) * (1 if d >= 0 else -1)
                out[place, stream] += value / (1 + np.exp(-root))
        return torch.from_numpy(out).float()


def row_of(packed: Array, width: int) -> Array:
    """What a table's row means, bit by bit."""
    values = []
    for place in range(width):
        byte, scale = int(packed[place]), 2.0 ** (int(packed[width + place // 32]) - 127)
        exponent, fraction = byte >> 3 & 15, byte & 7
        size = fraction / 8 * 2.0**-6 if exponent == 0 else (1 + fraction / 8) * 2.0 ** (exponent - 7)
        values.append((-1 if byte & 128 else 1) * size * scale)
    return np.array(values)


def naive_primes(memory: Mapping[str, Any]) -> list[list[int]]:
    """The sizes of the buckets by layer, from a sieve."""
    base, heads = memory["vocab_size"], memory["n_heads"]
    end = base + 20_000
    is_prime = np.ones(end, dtype=bool)
    is_prime[:2] = False
    for number in range(2, int(end**0.5) + 1):
        is_prime[number * number :: number] = False
    free = [int(prime) for prime in np.nonzero(is_prime)[0] if prime >= base]
    found = []
    for _ in memory["layer_ids"]:
        of_layer: list[int] = []
        for _ in range(memory["max_ngram_size"] - 1):
            of_layer += free[:heads]
            free = free[heads:]
        found.append(of_layer)
    return found
