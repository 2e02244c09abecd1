"""Runs one mutated copy of the package after another: `python v4_mutants_child.py CHECKPOINT FOLDER...`.

A line a folder: the largest difference from the logits, a draft's the last, beside the checkpoint, relative to the largest logit.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

checkpoint, *folders = (Path(argument) for argument in sys.argv[1:])
torch.set_num_threads(1)
expected = load_file(checkpoint / "expected.safetensors")
for folder in folders:
    for name in [name for name in sys.modules if name.partition(".")[0] == "local_model"]:
        del sys.modules[name]
    sys.path[0] = str(folder)
    from local_model import load_model

    model = load_model(checkpoint)
    first, state = model.forward(expected["ids"][:1])
    rest, _ = model.forward(expected["ids"][1:], state)
    logits = torch.cat((first, rest, model.draft(5, state)[None]))
    difference = (logits - expected["logits"]).abs().max() / expected["logits"].abs().max()
    sys.stdout.write(f"{folder.name} {difference.item()}\n")
