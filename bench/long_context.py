"""A context of a million tokens, really run: memory and time per token of the 2M checkpoint.

    python bench/long_context.py --json long_context.json
    python bench/long_context.py --tokens 65536

Every token goes through the native step in bfloat16. A step's time is the median of the last 1,000; half an hour in all.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections import deque
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
WINDOW = 1_000


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
    times: deque[float] = deque(maxlen=WINDOW)
    for number in range(chosen.tokens):
        began = time.perf_counter()
        native.step([state], ids[number : number + 1])
        times.append(time.perf_counter() - began)
        if state.length in MARKS or state.length == chosen.tokens:
            row = {
                "tokens": state.length,
                "step_ms": round(statistics.median(times) * 1e3, 3),
                "state_mb": round(state.nbytes / 1e6, 2),
                "computed_state_mb": round(state_bytes(config, state.length) / 1e6, 2),
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
