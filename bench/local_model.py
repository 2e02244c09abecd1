"""How fast the V4 runtime is on this CPU: against the memory's own speed, the processor's, and two other runtimes.

    python bench/local_model.py --json local_model.json
    python bench/local_model.py --only decode,prefill

A model with random weights (216M parameters by default) is made in a scratch folder. Ratios only: machines differ.

decode    one sequence, a token a step: the share of the rate at which the same threads read as many bytes, alternating;
          beside transformers (eager, float32) and llama.cpp (f16 and q8_0) on the same weights with as many threads;
          the share with experts in FP4 as stored; int8's distance from float32
batch     16 sequences: the sum over matrices of the longer of reading and computing them, by the time of a step
prefill   a prompt of 512: the same matrix products alone, by torch, by the time of the native step, and of the torch reference
small     the 2M checkpoint of ../shared, beside transformers
busy      a step while another process keeps a core busy, in units of one without
far       a step behind 64k tokens in units of one behind 1k (minutes)
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import torch

from bench.batch_speed import batch_share
from bench.decode_speed import KINDS, Decoder, busy_core, decode, far, fp4_share, small
from bench.machine import machine
from bench.other_runtimes import llama_cpp_seconds, transformers_seconds
from bench.prefill_speed import prefill_shares
from local_model.native_build import instruction_sets
from support.v4_weights import spelled_out, write_checkpoint

SHARED = Path(__file__).resolve().parents[2] / "shared" / "v4"
PARTS = ("decode", "batch", "prefill", "small", "busy", "far")
SEED = 1
Figures = dict[str, dict[str, float | None]]


def main() -> None:
    """Make the checkpoint, measure, print a table; with --json also write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=SHARED / "small_216m.json")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--only", default="decode,batch,prefill,small,busy", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    parts = chosen.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"--only names {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
    torch.set_num_threads(chosen.threads)
    about = {
        "machine": machine(),
        "instruction_set": instruction_sets()[0].name,
        "peers": "transformers 5, eager, float32; llama.cpp (xllamacpp) f16 and q8_0",
        "threads": chosen.threads,
    }
    with tempfile.TemporaryDirectory(prefix="steelyard-bench-") as scratch:
        folder = Path(scratch)
        write_checkpoint(folder, spelled_out(json.loads(chosen.config.read_text())), SEED)
        figures = measured(folder, parts, chosen)
    for name, value in about.items():
        sys.stdout.write(f"{name}: {value}\n")
    show(figures)
    if chosen.json:
        chosen.json.write_text(json.dumps({**about, "kinds": figures}, indent=1) + "\n")


def measured(folder: Path, parts: list[str], chosen: argparse.Namespace) -> Figures:
    """Figures by kind of weights."""
    figures: Figures = {name: {} for name in KINDS}
    theirs = (
        transformers_seconds(folder, chosen.threads, chosen.prompt, chosen.steps)
        if "decode" in parts
        else None
    )
    for name in KINDS:
        found, decoder = figures[name], Decoder(folder, name, chosen.threads, chosen.prompt, chosen.steps)
        if "decode" in parts:
            found |= decode(decoder, theirs)
        if "batch" in parts:
            found["batch 16, bound / time"] = batch_share(decoder)
        if "busy" in parts:
            found["with a core kept busy"] = busy_core(decoder)
        if "far" in parts:
            found["64k / 1k"] = far(decoder)
        if "prefill" in parts and name != "int8":
            natively, reference = prefill_shares(decoder)
            found["prefill, products / time"] = natively
            found["prefill, torch reference"] = reference
    if "decode" in parts:
        step_s = {name: (found.pop("step, s") or 0.0) for name, found in figures.items()}
        for type_, name in (("f16", "bfloat16"), ("q8_0", "int8")):
            seconds = llama_cpp_seconds(folder, type_, chosen.threads, chosen.prompt, chosen.steps)
            figures[name][f"x llama.cpp {type_}"] = round(seconds / step_s[name], 2)
        figures["float32"]["experts as stored in FP4, bound / time"] = fp4_share(folder, chosen)
    if "small" in parts and (SHARED / "official_f32").exists():
        figures["float32"]["2M model, x transformers"] = small(SHARED / "official_f32", chosen)
    return figures


def show(figures: Figures) -> None:
    """A table for people."""
    rows = list(dict.fromkeys(row for found in figures.values() for row in found))
    sys.stdout.write(f"{'':40}" + "".join(f"{name:>12}" for name in figures) + "\n")
    for row in rows:
        cells = (found.get(row) for found in figures.values())
        sys.stdout.write(
            f"{row:40}" + "".join(f"{'-' if cell is None else cell:>12}" for cell in cells) + "\n"
        )


if __name__ == "__main__":
    main()
