"""What Sinkhorn's iteration is for: how far 60 mixing matrices, one after the other, can carry what goes through them.

    python bench/sinkhorn.py --json sinkhorn.json --plot docs/sinkhorn.png

Logits are independent and Gaussian, of each sigma; the matrices are composed as a model's layers compose them, 2,000 times.
Shown is the largest row or column sum, which bounds how much a stream can grow, with Sinkhorn's 20 rounds, with a
softmax of rows alone, and unconstrained (the identity and the logits, as hyper-connections have them without a constraint).
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import torch
from matplotlib import pyplot as plt
from torch import Tensor

from bench.machine import machine
from local_model.hyper_connections import sinkhorn

STREAMS, DEPTH, TRIALS, ROUNDS, EPS = 4, 60, 2_000, 20, 1e-6
SIGMAS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
TARGET = 1.6
WAYS: dict[str, Callable[[Tensor], Tensor]] = {
    "Sinkhorn, 20 rounds": lambda logits: sinkhorn(logits, ROUNDS, EPS),
    "softmax of rows": lambda logits: torch.softmax(logits, -1),
    "unconstrained": lambda logits: torch.eye(STREAMS) + logits,
}


def main() -> None:
    """Compose, print a table; draw and write the figures if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--plot", type=Path, help="draw them into this file")
    chosen = parser.parse_args()
    random = torch.Generator().manual_seed(chosen.seed)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    for sigma in SIGMAS:
        logits = sigma * torch.randn(DEPTH, TRIALS, STREAMS, STREAMS, generator=random)
        for name, constrain in WAYS.items():
            found[name].append({"sigma": sigma, **composed(constrain, logits)})
    sys.stdout.write(
        f"largest row or column sum of {DEPTH} composed matrices: median, at most ({TRIALS} trials)\n"
    )
    sys.stdout.write(f"{'sigma':>8}" + "".join(f"{name:>26}" for name in WAYS) + "\n")
    for number, sigma in enumerate(SIGMAS):
        cells = (
            f"{found[name][number]['median']:.3g}, {found[name][number]['at_most']:.3g}" for name in WAYS
        )
        sys.stdout.write(f"{sigma:8}" + "".join(f"{cell:>26}" for cell in cells) + "\n")
    worst = max(each["at_most"] for each in found["Sinkhorn, 20 rounds"])
    sys.stdout.write(f"with Sinkhorn at most {worst:.3f} (our target: {TARGET})\n")
    if chosen.json:
        said = {
            "machine": machine(),
            "peer": "the same matrices unconstrained",
            "seed": chosen.seed,
            "sums": found,
        }
        chosen.json.write_text(json.dumps(said, indent=1) + "\n")
    if chosen.plot:
        draw(found, chosen.plot)


def composed(constrain: Callable[[Tensor], Tensor], logits: Tensor) -> dict[str, float]:
    """The largest sums of the composition, float64 so that what explodes can be told."""
    whole = torch.eye(STREAMS, dtype=torch.float64).expand(TRIALS, STREAMS, STREAMS)
    for each in logits:
        whole = constrain(each).double().transpose(-1, -2) @ whole
    sums = torch.maximum(whole.abs().sum(-1).amax(-1), whole.abs().sum(-2).amax(-1))
    return {"median": float(sums.median()), "at_most": float(sums.max())}


def draw(found: dict[str, list[dict[str, float]]], path: Path) -> None:
    """A line for each way, both axes logarithmic."""
    mpl.use("Agg")
    figure, panel = plt.subplots(figsize=(7, 4.5))
    for name, colour in zip(WAYS, ("tab:green", "tab:orange", "tab:red"), strict=True):
        panel.plot(SIGMAS, [each["at_most"] for each in found[name]], "o-", color=colour, label=name)
    panel.axhline(TARGET, color="tab:gray", linestyle="--", label=f"target {TARGET}")
    panel.set(
        xscale="log", yscale="log", xlabel="sigma of the logits", ylabel="largest row or column sum, at most",
        title=f"{DEPTH} mixing matrices of {STREAMS} streams, composed",
    )  # fmt: skip
    panel.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
