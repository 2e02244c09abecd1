"""llama.cpp's own process, seen from a test: what it says of a GGUF file's model."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

_FORCED = 256 + ord("A")
"""A token that ends no character in its middle: other tokens come back without log-probabilities."""


class LlamaCpp:
    """The process."""

    def __init__(self, process: "subprocess.Popen[str]", vocab_size: int) -> None:
        self._process = process
        self._vocab_size = vocab_size

    def logprobs(self, ids: Sequence[int]) -> torch.Tensor:
        """Of the token after `ids`, [vocabulary], float64."""
        said = self._ask(prompt=list(ids), n_predict=1, n_probs=self._vocab_size, logit_bias=[[_FORCED, 1e6]])
        found = torch.full((self._vocab_size,), float("nan"), dtype=torch.float64)
        for entry in said["choices"][0]["logprobs"]["content"][0]["top_logprobs"]:
            found[entry["id"]] = entry["logprob"]
        return found

    def greedy(self, ids: Sequence[int], count: int, among: Sequence[int]) -> str:
        """The text of `count` tokens after `ids`, each the likeliest of those `among` which it must be."""
        allowed = set(among)
        ban = [[token, False] for token in range(self._vocab_size) if token not in allowed]
        said = self._ask(prompt=list(ids), n_predict=count, n_probs=0, logit_bias=ban)
        text: str = said["choices"][0]["text"]
        return text

    def count(self, text: str) -> int:
        """How many tokens a text is."""
        said: Any = self._ask(prompt=text, n_predict=1, n_probs=0)
        return int(said["usage"]["prompt_tokens"])

    def _ask(self, **asked: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "llama.cpp died; its words are above"
        said = json.loads(line)
        assert "choices" in said, said
        found: dict[str, list[dict[str, object]]] = said
        return found


@contextmanager
def running_llama_cpp(weights: Path, vocab_size: int) -> Iterator[LlamaCpp]:
    """Start it with a float32 cache and without flash attention, and end it afterwards."""
    child = Path(__file__).with_name("llama_cpp_child.py")
    with subprocess.Popen(
        [sys.executable, str(child), str(weights), "--f32"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", f"llama.cpp did not load {weights}"
        yield LlamaCpp(process, vocab_size)
        assert process.stdin is not None
        process.stdin.close()
