"""Memory that runs out while a checkpoint is loaded is a sentence that names what there was none for."""

import subprocess
import sys
from pathlib import Path

from local_model.native_build import native_library
from support.command_line import environment
from support.v4_weights import SMALL, write_checkpoint

CHILD = Path(__file__).resolve().parents[1] / "support" / "v4_memory_child.py"


def test_too_little_memory_names_the_tensor_until_it_is_enough(tmp_path: Path) -> None:
    refused = loaded_with_ever_more_memory(tmp_path, "float64")
    assert any("model.safetensors: head.weight: there is no memory" in line for line in refused)


def test_too_little_memory_for_a_native_step_is_a_sentence(tmp_path: Path, builds: Path) -> None:
    assert native_library(builds) is not None
    refused = loaded_with_ever_more_memory(tmp_path, "bfloat16", str(builds))
    assert any(line.startswith("WeightsError the weights once more, in panels") for line in refused)


def loaded_with_ever_more_memory(folder: Path, *arguments: str) -> list[str]:
    """What was said before it was enough."""
    write_checkpoint(folder, {**SMALL, "vocab_size": 20_000, "hidden_size": 256}, 1)
    command = [sys.executable, str(CHILD), str(folder), *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    *refused, last = done.stdout.splitlines()
    assert last == "loaded"
    assert refused[0].startswith(f"WeightsError {folder}/model.safetensors: there is no memory left for it; ")
    assert all("there is no memory left for" in line for line in refused)
    return refused
