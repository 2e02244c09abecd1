"""A context of a million tokens, really run: memory and time per token of the 2M checkpoint.

    python bench/long_context.py --json long_context.json
    python bench/long_context.py --tokens 65536

In bfloat16 through the native step: a prompt up to 256 tokens before each mark, then a token at a time, of whose times the
median is told; half an hour in all.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from pathlib import Path

import torch

from bench.local_model import SHARED
from bench.machine import machine
from local_model import load_model
from local_model.cache import SequenceState
from local_model.footprint import bytes_per_token, state_bytes
from local_model.native_build import native_library
from local_model.native_step import NativeStep

MARKS = (4_096, 65_536, 262_144, 1_048_576)
STEPS = 256
PIECE = 4_096


def main() -> None:
    """Run, print a line for each mark; with --json also write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=Path, default=SHARED / "official_f32")
    parser.add_argument("--tokens", type=int, default=MARKS[-1])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    model = load_model(chosen.checkpoint, dtype=torch.bfloat16)
    config = model.config
    native = NativeStep(model, chosen.threads, library=native_library())
    state = SequenceState.empty(config)
    ids = torch.randint(0, config.vocab_size, (chosen.tokens,), generator=torch.Generator().manual_seed(1))
    sys.stdout.write(f"{bytes_per_token(config, 2):g} bytes a token in bfloat16 are due\n")
    rows: list[dict[str, float]] = []
    for mark in sorted({mark for mark in MARKS if mark < chosen.tokens} | {chosen.tokens}):
        began, before = time.perf_counter(), state.length
        while state.length < mark - STEPS:
            native.forward(ids[state.length : min(mark - STEPS, state.length + PIECE)], state, wanted=0)
        prompt_s, tokens = time.perf_counter() - began, state.length - before
        times = []
        while state.length < mark:
            one = ids[state.length : state.length + 1]
            began = time.perf_counter()
            native.step([state], one)
            times.append(time.perf_counter() - began)
        row = {
            "tokens": mark,
            "step_ms": round(statistics.median(times) * 1e3, 3),
            "prompt_ms_per_token": round(prompt_s / tokens * 1e3, 3) if tokens else 0.0,
            "state_mb": round(state.nbytes / 1e6, 2),
            "computed_state_mb": round(state_bytes(config, mark) / 1e6, 2),
            "process_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        }
        rows.append(row)
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()
    if chosen.json:
        said = {"machine": machine(), "peer": "none", "rows": rows}
        chosen.json.write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
