"""transformers' DeepSeek V4 in a process of its own, the reference that ours is compared with."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file


class Reference:
    """The process, seen from a test."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def logits(self, folder: Path, ids: torch.Tensor, *, save: Path | None = None) -> torch.Tensor:
        """[T, vocabulary], float32; `save`: write the model there under transformers' own names."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"folder": str(folder), "ids": ids.tolist(), "save": str(save) if save else None}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        assert said, "the reference died; its words are above"
        return load_file(json.loads(said)["logits"])["logits"]


@contextmanager
def running_reference() -> Iterator[Reference]:
    """Start it, and end it afterwards."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("v4_reference_child.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Reference(process)
        assert process.stdin is not None
        process.stdin.close()
