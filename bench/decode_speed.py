"""One sequence through the native step, a token at a time."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from bench.other_runtimes import transformers_seconds
from local_model import load_model
from local_model.cache import SequenceState
from local_model.model import V4Model
from local_model.native_build import native_library
from local_model.native_step import NativeStep
from local_model.packing import Kind
from support.v4_weights import write_checkpoint

SEED = 1
KINDS = {
    "float32": (torch.float32, Kind.F32),
    "bfloat16": (torch.bfloat16, Kind.BF16),
    "int8": (torch.bfloat16, Kind.INT8),
}
_expected: dict[Path, torch.Tensor] = {}
"""float32's logits by checkpoint, which the others are compared with."""


class Decoder:
    """A model with its native step, a prompt and what comes behind it."""

    def __init__(self, folder: Path, kind: str, threads: int, prompt: int, steps: int) -> None:
        self.folder, self.threads = folder, threads
        dtype, plain = KINDS[kind]
        self.model: V4Model = load_model(folder, dtype=dtype)
        self.native = NativeStep(self.model, threads, plain, native_library())
        self.kind = plain
        ids = torch.randint(
            0, self.model.config.vocab_size, (prompt + steps,), generator=torch.Generator().manual_seed(SEED)
        )
        self.prompt, self.ids = ids[:prompt], ids[prompt:]

    def prefilled(self) -> SequenceState:
        """A state without drafts behind the prompt."""
        return self.native.forward(self.prompt, wanted=0)[1]

    def alternated(self) -> tuple[torch.Tensor, float, float]:
        """Logits; medians of a step's time and of reading as many bytes, one after the other."""
        state = self.prefilled()
        data = torch.ones(self.native.bytes_read(state.length) // 4)
        logits, steps, reads = [], [], []
        for number in range(len(self.ids)):
            one = self.ids[number : number + 1]
            began = time.perf_counter()
            logits.append(self.native.step([state], one))
            between = time.perf_counter()
            self.native.read(data)
            reads.append(time.perf_counter() - between)
            steps.append(between - began)
        return torch.cat(logits), statistics.median(steps), statistics.median(reads)


def decode(decoder: Decoder, theirs: float | None) -> dict[str, float | None]:
    """The figures of one kind of weights; `theirs` are seconds of a step of transformers'."""
    logits, step_s, read_s = decoder.alternated()
    expected = _expected.setdefault(decoder.folder, logits)
    return {
        "step, s": step_s,
        "MB that a step must read": round(decoder.native.bytes_read(len(decoder.prompt)) / 1e6, 1),
        "decode, bound / time": round(read_s / step_s, 3),
        "x transformers float32": round(theirs / step_s, 2) if theirs else None,
        "KL to float32, nats": round(kl(expected, logits), 5),
    }


def fp4_share(folder: Path, chosen: argparse.Namespace) -> float:
    """bound / time with the same dimensions as a release stores them: experts in FP4, matrices in FP8."""
    with tempfile.TemporaryDirectory(prefix="steelyard-bench-") as scratch:
        config = json.loads((folder / "config.json").read_text())
        write_checkpoint(Path(scratch), config, SEED, quantized="fp4")
        decoder = Decoder(Path(scratch), "float32", chosen.threads, chosen.prompt, chosen.steps)
        _, step_s, read_s = decoder.alternated()
    return round(read_s / step_s, 3)


def small(folder: Path, chosen: argparse.Namespace) -> float | None:
    """How many times as fast as transformers on a model of which everything lies in the cache."""
    theirs = transformers_seconds(folder, chosen.threads, chosen.prompt, chosen.steps)
    decoder = Decoder(folder, "float32", chosen.threads, chosen.prompt, chosen.steps)
    _, step_s, _ = decoder.alternated()
    return round(theirs / step_s, 1) if theirs else None


def busy_core(decoder: Decoder) -> float:
    """The median time of a step while another process keeps a core busy, in units of one without."""
    state, token = decoder.prefilled(), torch.tensor([7])
    alone = median_seconds(40, lambda _: decoder.native.step([state], token))
    with subprocess.Popen(
        [sys.executable, "-c", "print('busy', flush=True)\nwhile True: pass"], stdout=-1
    ) as busy:
        assert busy.stdout is not None
        busy.stdout.readline()
        beside = median_seconds(40, lambda _: decoder.native.step([state], token))
        busy.kill()
    return round(beside / alone, 2)


def far(decoder: Decoder) -> float:
    """The time of a step behind 65,536 tokens in units of one behind 1,024, alternating."""
    native, vocabulary = decoder.native, decoder.model.config.vocab_size
    ids = torch.randint(0, vocabulary, (65_536,), generator=torch.Generator().manual_seed(SEED))
    near, token = native.forward(ids[:1_024], wanted=0)[1], torch.tensor([7])
    away = near.clone()
    native.forward(ids[1_024:], away, wanted=0)
    times: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(40):
        for number, state in enumerate((near, away)):
            began = time.perf_counter()
            native.step([state], token)
            times[number].append(time.perf_counter() - began)
    return round(statistics.median(times[1]) / statistics.median(times[0]), 3)


def median_seconds(count: int, run: Callable[[int], object]) -> float:
    """Of `count` runs."""
    times = []
    for number in range(count):
        began = time.perf_counter()
        run(number)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def kl(expected: torch.Tensor, logits: torch.Tensor) -> float:
    """Mean over positions, nats."""
    p, q = expected.log_softmax(-1), logits.log_softmax(-1)
    return float((p.exp() * (p - q)).sum(-1).mean())
