"""The reference's process: a request a line in, an answer a line out.

In: {"folder": ..., "ids": [...], "save": folder or null}; out: {"logits": file}. `torch.topk` is made stable
(ties go to the lowest index), which nothing outside this process must see.
"""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from safetensors.torch import save_file


class _TopK(NamedTuple):
    values: torch.Tensor
    indices: torch.Tensor


def _stable_topk(
    x: torch.Tensor,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,  # noqa: A002  torch's name
) -> _TopK:
    values, indices = torch.sort(x, dim=dim, descending=largest, stable=True)
    return _TopK(values.narrow(dim, 0, k), indices.narrow(dim, 0, k))


def _serve() -> None:
    for place in (torch, torch.Tensor):
        setattr(place, "topk", _stable_topk)  # noqa: B010  it has another type
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # it has no types
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it has no types
    for line in sys.stdin:
        asked = json.loads(line)
        loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
            asked["folder"],
            dtype=torch.float32,
            attn_implementation="eager",
            experts_implementation="eager",
            output_loading_info=True,
        )
        model, info = loaded
        assert not info["missing_keys"], info
        assert not info["unexpected_keys"], info
        with torch.no_grad():
            logits = model(torch.tensor([asked["ids"]]), use_cache=False).logits[0]
        if asked["save"]:
            model.save_pretrained(asked["save"], save_original_format=False)
        path = Path(asked["folder"]) / "reference_logits.safetensors"
        save_file({"logits": logits.float().contiguous()}, path)
        sys.stdout.write(json.dumps({"logits": str(path)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
