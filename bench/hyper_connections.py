"""What hyper-connections cost in a decode step: layers as wide as V4-Flash's, with four streams and with one.

    python bench/hyper_connections.py --json hyper_connections.json

One layer of each kind, with as many experts as a token is sent to, FP8 and FP4 as a release stores them, random; the native
step on the CPU. The share is what four streams take more than one, by kind, and for V4-Flash's 2, 21 and 20 layers.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file

from bench.decode_speed import median_seconds
from bench.machine import machine
from local_model import load_model
from local_model.cache import SequenceState
from local_model.config import LayerKind
from local_model.native_build import instruction_sets, native_library
from local_model.native_step import NativeStep
from local_model.published_models import V4_FLASH
from support.v4_weights import Config, is_quantized, shapes

LAYERS = {LayerKind.WINDOW: 2, LayerKind.CSA: 21, LayerKind.HCA: 20}
PAST, ROUNDS = 300, 40
TARGET = 0.067


def main() -> None:
    """Measure, print a table; with --json also write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    seconds = {kind: layer_seconds(kind, chosen.threads) for kind in LAYERS}
    shares = {kind: 1 - both[1] / both[4] for kind, both in seconds.items()}
    four, one = (sum(LAYERS[kind] * seconds[kind][streams] for kind in LAYERS) for streams in (4, 1))
    for kind, share in shares.items():
        sys.stdout.write(f"{kind.value:32}{share:8.1%} of a step with one such layer\n")
    sys.stdout.write(f"{'43 layers of V4-Flash':32}{1 - one / four:8.1%} (our target: {TARGET:.1%}), CPU\n")
    if chosen.json:
        said = {
            "machine": machine(),
            "instruction_set": instruction_sets()[0].name,
            "peer": "the same layers with one stream",
            "shares": {kind.value: round(share, 4) for kind, share in shares.items()},
            "share_of_43": round(1 - one / four, 4),
        }
        chosen.json.write_text(json.dumps(said, indent=1) + "\n")


def layer_seconds(kind: LayerKind, threads: int) -> dict[int, float]:
    """The median times of a step of a model that is this one layer, by streams; steps alternate."""
    steps = {streams: _stepper(kind, streams, threads) for streams in (4, 1)}
    times: dict[int, list[float]] = {4: [], 1: []}
    for _ in range(ROUNDS):
        for streams, step in steps.items():
            times[streams].append(median_seconds(3, step))
    return {streams: statistics.median(each) for streams, each in times.items()}


def _stepper(kind: LayerKind, streams: int, threads: int) -> Callable[[int], object]:
    dropped = ("compress_ratios", "num_nextn_predict_layers")
    config: Config = {key: value for key, value in V4_FLASH.items() if key not in dropped} | {
        "vocab_size": 64, "num_hidden_layers": 1, "num_hash_layers": 0, "layer_types": [kind.value],
        "compress_rate_csa": 4, "compress_rate_hca": 128, "n_routed_experts": 6, "hc_mult": streams,
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="steelyard-bench-") as scratch:
        write_random(Path(scratch), config)
        model = load_model(scratch, dtype=torch.bfloat16)
        native = NativeStep(model, threads, library=native_library())
    state, token = SequenceState.empty(model.config), torch.tensor([7])
    for _ in range(PAST):
        native.step([state], token)
    return lambda _: native.step([state], token)


def write_random(folder: Path, config: Config) -> None:
    """A checkpoint whose quantised matrices are random bytes: made in seconds, and as fast as any other."""
    random = torch.Generator().manual_seed(1)
    stored: dict[str, torch.Tensor] = {}
    for name, shape in shapes(config).items():
        scale = name.removesuffix("weight") + "scale"
        if not is_quantized(name):
            stored[name] = torch.randn(shape, generator=random) * 0.02
            continue
        rows, width = shape
        is_expert = ".experts." in name
        grid = (rows, width // 32) if is_expert else (-(-rows // 128), -(-width // 128))
        data = torch.randint(0, 120, (rows, width // 2 if is_expert else width), generator=random)
        data = data.to(torch.uint8)
        stored[name] = data.view(torch.int8) if is_expert else data.view(torch.float8_e4m3fn)
        stored[scale] = torch.full(grid, 2.0**-9).to(torch.float8_e8m0fnu)
    (folder / "config.json").write_text(json.dumps(config))
    save_file(stored, folder / "model.safetensors")


if __name__ == "__main__":
    main()
