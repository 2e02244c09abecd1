"""Train V4-nano from nothing, or go on where a run was stopped.

    python -m training.train RUN --tokens 30e6

RUN holds the vocabulary, `state.pt`, `log.jsonl` and, at the end of each part, a checkpoint in `model/`. The same seed on the
same machine gives the same model; a run that is killed loses the minutes since its last state.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import torch
from torch import Tensor
from torch.nn import functional

from training import checkpoint, tokenizer
from training.batches import Batch, Batches
from training.documents.samples import snippet
from training.model import V4
from training.optimizer import Optimizer

SEED = 20261128
BATCH_TOKENS = 3072
SNIPPETS, SHORT, SHORT_TOKENS = 0.1, 0.2, 320
"""Copying is learnt from snippets, in so much of all training, then, as far as the second share, from short samples."""
LONGEST = 1024
BALANCE_RATE = 1e-3
WARM_UP = 100
SAVE_S = 300


@dataclass
class Progress:
    """Where a run is."""

    step: int = 0
    tokens: int = 0
    next_seed: int = 0
    seconds: float = 0.0


def main() -> None:
    """Train, with a line of progress every few seconds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="a folder; it is made, or its run goes on")
    parser.add_argument("--tokens", type=float, default=30e6, help="of all samples, prompts and answers")
    parser.add_argument("--batch", type=int, default=BATCH_TOKENS, help="tokens a step, padding included")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    chosen.run.mkdir(parents=True, exist_ok=True)
    vocabulary = chosen.run / "tokenizer.json"
    if not vocabulary.exists():
        tokenizer.main(chosen.run)
    model = V4(checkpoint.config(), SEED).to(chosen.device)
    model.compile_parts()
    optimizer, progress = Optimizer(model), Progress()
    state = chosen.run / "state.pt"
    if state.exists():
        progress = _resumed(state, model, optimizer, chosen.device)
    _run(chosen, Batches(vocabulary, chosen.batch), model, optimizer, progress)


def _run(
    chosen: argparse.Namespace, batches: Batches, model: V4, optimizer: Optimizer, progress: Progress
) -> None:
    saved = told = time.monotonic()
    losses: list[tuple[float, float]] = []
    with (chosen.run / "log.jsonl").open("a") as log:
        while progress.tokens < chosen.tokens:
            for batch in _group(batches, progress, chosen.tokens):
                started = time.monotonic()
                losses.append(step(batch, model, optimizer, _rate(progress, chosen.tokens), chosen.device))
                progress.step += 1
                progress.tokens += batch.tokens
                progress.seconds += time.monotonic() - started
                if time.monotonic() - told > 10:
                    told = time.monotonic()
                    _tell(log, progress, losses, chosen.tokens)
                    losses.clear()
            progress.next_seed = batch.next_seed
            if time.monotonic() - saved > SAVE_S or progress.tokens >= chosen.tokens:
                saved = time.monotonic()
                _save(chosen.run / "state.pt", model, optimizer, progress)
                checkpoint.write(model, chosen.run / "tokenizer.json", chosen.run / "model")


def _group(batches: Batches, progress: Progress, tokens: float) -> Iterator[Batch]:
    """The next samples, as hard as it is time for."""
    done = progress.tokens / tokens
    if done < SNIPPETS:
        return batches.since(progress.next_seed, LONGEST, snippet)
    return batches.since(progress.next_seed, SHORT_TOKENS if done < SHORT else LONGEST)


def step(batch: Batch, model: V4, optimizer: Optimizer, rate: float, device: str) -> tuple[float, float]:
    """One step; the loss of the answers' tokens, in nats, and the share of them that were the likeliest."""
    ids, weights = batch.ids.to(device), batch.weights[:, 1:].to(device)
    kept = weights > 0
    logits = model.logits(model(ids)[:, :-1][kept])
    wanted, counted = ids[:, 1:][kept], weights[kept]
    losses = functional.cross_entropy(logits, wanted, reduction="none")
    loss: Tensor = (losses * counted).sum() / counted.sum()
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
    optimizer.step(rate)
    model.balance(BALANCE_RATE * min(1.0, rate))
    is_answer = counted == 1
    return losses[is_answer].mean().item(), _right(logits[is_answer], wanted[is_answer])


def _right(logits: Tensor, wanted: Tensor) -> float:
    return (logits.argmax(-1) == wanted).float().mean().item()


def _rate(progress: Progress, tokens: float) -> float:
    """Warm, then even, then down to nothing over the second half."""
    return min(1.0, (progress.step + 1) / WARM_UP, 2 * max(0.01, 1 - progress.tokens / tokens))


def _tell(log: TextIO, progress: Progress, losses: list[tuple[float, float]], tokens: float) -> None:
    loss, right = (math.fsum(values) / len(losses) for values in zip(*losses, strict=True))
    line = {
        "step": progress.step, "tokens": progress.tokens, "seconds": round(progress.seconds),
        "answer_loss": round(loss, 4), "answer_tokens_right": round(right, 4),
    }  # fmt: skip
    log.write(json.dumps(line) + "\n")
    log.flush()
    left = (tokens - progress.tokens) * progress.seconds / max(1, progress.tokens)
    sys.stdout.write(
        f"{progress.tokens / tokens:6.1%}  loss {loss:.4f}  right {right:.2%}  "
        f"{progress.tokens / max(1e-9, progress.seconds):,.0f} tokens/s  {left / 60:.0f} minutes left\n"
    )
    sys.stdout.flush()


def _save(path: Path, model: V4, optimizer: Optimizer, progress: Progress) -> None:
    beside = path.with_suffix(".new")
    said = {"model": model.state_dict(), "optimizer": optimizer.state(), "progress": vars(progress)}
    torch.save(said, beside)
    beside.replace(path)


def _resumed(path: Path, model: V4, optimizer: Optimizer, device: str) -> Progress:
    said = torch.load(path, map_location=device, weights_only=True)
    model.load_state_dict(said["model"])
    optimizer.resume(said["optimizer"])
    return Progress(**said["progress"])


if __name__ == "__main__":
    main()
