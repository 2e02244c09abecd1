"""The parity test has teeth: each of a list of likely mistakes moves the logits."""

import shutil
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

import local_model
from local_model import load_model
from support.v4_engram import add_engram
from support.v4_mutants import MUTANTS
from support.v4_weights import SMALL, write_checkpoint

PACKAGE = Path(str(local_model.__file__)).parent
YARN = {"type": "yarn", "factor": 16, "original_max_position_embeddings": 64, "beta_fast": 32, "beta_slow": 1}


def test_every_mutant_is_found(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    write_checkpoint(
        checkpoint, {**SMALL, "rope_scaling": YARN, "hidden_size": 288}, 11, quantized="fp4", mtp=True
    )
    add_engram(checkpoint, 12, quantized=True)
    ids = torch.randint(0, 96, (90,), generator=torch.Generator().manual_seed(1))
    model = load_model(checkpoint)
    first, state = model.forward(ids[:1])
    rest, _ = model.forward(ids[1:], state)
    logits = torch.cat((first, rest, model.draft(5, state)[None]))
    save_file({"ids": ids, "logits": logits}, checkpoint / "expected.safetensors")
    folders = [tmp_path / "none"]
    shutil.copytree(PACKAGE, folders[0] / "local_model")
    for number, mutant in enumerate(MUTANTS):
        folders.append(tmp_path / f"{number}-{mutant.file}")
        shutil.copytree(PACKAGE, folders[-1] / "local_model")
        source = folders[-1] / "local_model" / mutant.file
        text = source.read_text()
        assert text.count(mutant.old) == 1, f"{mutant} no longer finds its place"
        source.write_text(text.replace(mutant.old, mutant.new))
    child = Path(__file__).parents[1] / "support" / "v4_mutants_child.py"
    said = subprocess.run(
        [sys.executable, str(child), str(checkpoint), *map(str, folders)],
        check=True,
        capture_output=True,
        text=True,
    )
    found = {name: float(value) for name, value in (line.split() for line in said.stdout.splitlines())}
    assert found.pop("none") == 0
    assert len(found) == len(MUTANTS)
    assert {name: value for name, value in found.items() if value <= 1e-4} == {}
