"""How fast the native step decodes: against the memory's own speed, against transformers, by kind of weights.

    python bench/local_model.py --json local_model.json

A model with random weights (216M parameters by default) is made, decodes one token at a time behind a prompt, and
between any two steps the same threads read as many bytes as a step must: active weights, scales, hyper-connections
and the past. bound / time is the share of that rate which a step reaches. transformers decodes the same checkpoint with
as many threads, eager, in float32, in a process of its own. Ratios only: machines of one kind differ.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from bench.machine import machine
from local_model import load_model
from local_model.cache import SequenceState
from local_model.model import V4Model
from local_model.native_build import instruction_sets, native_library
from local_model.native_step import NativeStep
from local_model.packing import Kind
from support.v4_weights import spelled_out, write_checkpoint

ROOT = Path(__file__).resolve().parents[1]
SEED = 1
KINDS = {
    "float32": (torch.float32, Kind.F32),
    "bfloat16": (torch.bfloat16, Kind.BF16),
    "int8": (torch.float32, Kind.INT8),
}
TRANSFORMERS = """
import json, sys, time, torch, transformers
folder, threads, prompt, steps = sys.argv[1], *map(int, sys.argv[2:5])
torch.set_num_threads(threads)
transformers.logging.set_verbosity_error(); transformers.logging.disable_progress_bar()
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
ids = torch.randint(0, model.config.vocab_size, (1, prompt), generator=torch.Generator().manual_seed(1))
times = []
with torch.no_grad():
    out = model(ids, use_cache=True)
    for _ in range(steps):
        next_id = out.logits[:, -1:].argmax(-1)
        began = time.perf_counter()
        out = model(next_id, past_key_values=out.past_key_values, use_cache=True)
        times.append(time.perf_counter() - began)
print(json.dumps(sorted(times)[len(times) // 2]))
"""


@dataclass(frozen=True, slots=True)
class Speed:
    """One kind of weights. Rates are of one sequence, a token a step."""

    megabytes: float
    bound_share: float
    """bound / time, medians."""
    times_transformers: float | None
    batch_16_tokens_a_step_time: float
    """16 sequences: tokens by the time of a step, in units of a single sequence's."""
    at_64k_to_1k: float | None
    """How many times as long a step takes at a context of 64k as at 1k."""
    kl_to_float32: float
    """Mean, in nats, over the steps, each behind the same tokens."""


def main() -> None:
    """Make the checkpoint, measure, print a table; with --json also write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=ROOT.parent / "shared" / "v4" / "small_216m.json")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--contexts", action="store_true", help="also 64k against 1k (minutes)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    with tempfile.TemporaryDirectory(prefix="steelyard-bench-") as scratch:
        folder = Path(scratch)
        write_checkpoint(folder, spelled_out(json.loads(chosen.config.read_text())), SEED)
        theirs = transformers_seconds(folder, chosen.threads, chosen.prompt, chosen.steps)
        speeds = measured(folder, chosen, theirs)
    figures = {
        "machine": machine(),
        "instruction_set": instruction_sets()[0].name,
        "peer": "transformers, eager, float32"
        if theirs
        else "none: transformers could not run this checkpoint",
        "threads": chosen.threads,
        "kinds": {name: asdict(speed) for name, speed in speeds.items()},
    }
    show(figures, speeds)
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n")


def measured(folder: Path, chosen: argparse.Namespace, theirs: float | None) -> dict[str, Speed]:
    """By kind of weights."""
    speeds: dict[str, Speed] = {}
    expected: torch.Tensor | None = None
    for name, (dtype, kind) in KINDS.items():
        model: V4Model = load_model(folder, dtype=dtype)
        native = NativeStep(model, chosen.threads, kind, native_library())
        ids = torch.randint(
            0,
            model.config.vocab_size,
            (chosen.prompt + chosen.steps,),
            generator=torch.Generator().manual_seed(SEED),
        )
        state = prefilled(model, ids[: chosen.prompt])
        logits, step_s, read_s = alternated(native, state, ids[chosen.prompt :])
        expected = logits if expected is None else expected
        speeds[name] = Speed(
            round(native.bytes_read(chosen.prompt) / 1e6, 1),
            round(read_s / step_s, 3),
            round(theirs / step_s, 2) if theirs else None,
            round(16 * step_s / batch_seconds(native, model, ids[: chosen.prompt], chosen.steps // 3), 2),
            long_context(native, model) if chosen.contexts else None,
            round(kl(expected, logits), 5),
        )
    return speeds


def prefilled(model: V4Model, ids: torch.Tensor) -> SequenceState:
    """A state without drafts behind the prompt."""
    return model.forward(ids, SequenceState.empty(model.config))[1]


def alternated(
    native: NativeStep, state: SequenceState, ids: torch.Tensor
) -> tuple[torch.Tensor, float, float]:
    """Logits; medians of a step's time and of reading as many bytes, one after the other."""
    data = torch.ones(native.bytes_read(state.length) // 4)
    logits, steps, reads = [], [], []
    for one in ids.split(1):  # type: ignore[no-untyped-call]  # torch has no types here
        began = time.perf_counter()
        logits.append(native.step([state], one))
        between = time.perf_counter()
        native.read(data)
        reads.append(time.perf_counter() - between)
        steps.append(between - began)
    return torch.cat(logits), statistics.median(steps), statistics.median(reads)


def batch_seconds(native: NativeStep, model: V4Model, prompt: torch.Tensor, steps: int) -> float:
    """The median time of a step of 16 sequences."""
    first = prefilled(model, prompt)
    states = [first, *(first.clone() for _ in range(15))]
    ids = torch.randint(0, model.config.vocab_size, (steps, 16), generator=torch.Generator().manual_seed(2))
    return median_seconds(steps, lambda number: native.step(states, ids[number]))


def long_context(native: NativeStep, model: V4Model) -> float:
    """The time of a step behind 65,536 tokens in units of one behind 1,024; the tokens are the step's own."""
    state = prefilled(model, torch.zeros(1_024, dtype=torch.int64) + 5)
    token = torch.tensor([7])
    short = median_seconds(40, lambda _: native.step([state], token))
    while state.length < 65_536:
        native.step([state], token)
    return round(median_seconds(40, lambda _: native.step([state], token)) / short, 3)


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


def transformers_seconds(folder: Path, threads: int, prompt: int, steps: int) -> float | None:
    """The median time of its decode step; None, and a line, where it cannot run."""
    command = [sys.executable, "-c", TRANSFORMERS, str(folder), str(threads), str(prompt), str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"transformers: {done.stderr.strip()[-500:]}\n")
        return None
    return float(done.stdout.strip().splitlines()[-1])


def show(figures: dict[str, object], speeds: dict[str, Speed]) -> None:
    """A table for people."""
    for name in ("machine", "instruction_set", "threads", "peer"):
        sys.stdout.write(f"{name}: {figures[name]}\n")
    sys.stdout.write(
        f"{'':10}{'MB a step':>12}{'bound/time':>12}{'x transformers':>16}{'batch 16':>10}{'64k/1k':>8}{'KL':>10}\n"
    )
    for name, s in speeds.items():
        theirs = "-" if s.times_transformers is None else f"{s.times_transformers}"
        far = "-" if s.at_64k_to_1k is None else f"{s.at_64k_to_1k}"
        sys.stdout.write(
            f"{name:10}{s.megabytes:12}{s.bound_share:12}{theirs:>16}{s.batch_16_tokens_a_step_time:10}{far:>8}{s.kl_to_float32:10}\n"
        )
