"""transformers and llama.cpp on the same weights, each in a process of its own."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from local_model.gguf_convert import TYPES, convert_to_gguf

LLAMA_CPP_CHILD = Path(__file__).resolve().parents[1] / "tests" / "support" / "llama_cpp_child.py"
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


def transformers_seconds(folder: Path, threads: int, prompt: int, steps: int) -> float | None:
    """The median time of its decode step; None, and a line, where it cannot run."""
    command = [sys.executable, "-c", TRANSFORMERS, str(folder), str(threads), str(prompt), str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"transformers: {done.stderr.strip()[-500:]}\n")
        return None
    return float(done.stdout.strip().splitlines()[-1])


def llama_cpp_seconds(folder: Path, type_: str, threads: int, prompt: int, steps: int) -> float:
    """A token's time in its own words, the best of three runs, as it runs if nobody tells it otherwise."""
    ids = torch.randint(256, 512, (prompt,), generator=torch.Generator().manual_seed(1)).tolist()
    asked = {"prompt": ids, "n_predict": steps, "ignore_eos": True, "cache_prompt": False}
    with tempfile.TemporaryDirectory(prefix="steelyard-bench-") as scratch:
        weights = Path(scratch) / f"{type_}.gguf"
        convert_to_gguf(folder, weights, TYPES[type_])
        done = subprocess.run(
            [sys.executable, str(LLAMA_CPP_CHILD), str(weights), "--threads", str(threads)],
            input=f"{json.dumps(asked)}\n" * 3,
            capture_output=True,
            text=True,
            check=True,
        )
    _ready, *answers = done.stdout.splitlines()
    return min(float(json.loads(answer)["timings"]["predicted_per_token_ms"]) for answer in answers) / 1e3
