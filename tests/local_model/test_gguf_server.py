"""The engine's process by itself: how it starts, what it says when it cannot, how it ends."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_model import gguf_server
from local_model.gguf_server import fingerprint
from local_model.settings import GgufSettings
from local_model.weights import SMOLLM2, SMOLLM2_FILE
from router.settings import models_folder

ROOT = Path(__file__).parents[2]
WEIGHTS = models_folder() / SMOLLM2_FILE
PATIENCE_S = 60


def run(line: str) -> subprocess.CompletedProcess[str]:
    """Start the process with a line, and end its input at once."""
    command = [sys.executable, "-m", "local_model.gguf_server"]
    return subprocess.run(
        command, input=line, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE_S, check=False
    )


def settings(weights: Path) -> str:
    return GgufSettings(str(weights), 256, 1, 1, "canary-key").to_line()


def test_it_says_where_it_serves_and_ends_with_its_input() -> None:
    done = run(settings(WEIGHTS))
    assert done.returncode == 0, done.stderr
    greeting = json.loads(done.stdout)
    assert greeting["address"].startswith("http://127.0.0.1:")
    assert greeting["context_window"] == 256
    assert greeting["fingerprint"] == SMOLLM2.sha256
    assert "canary-key" not in done.stdout + done.stderr


BAD: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "there are no weights at"),
    "empty": (b"", "is not a GGUF file"),
    "something else": (b"PK\x03\x04" + b"\x00" * 100, "is not a GGUF file"),
    "cut off": (b"GGUF\x03\x00\x00\x00", "is the file whole?"),
    "garbage": (b"GGUF" + b"\xff" * 500, "is the file whole?"),
}


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD.keys())
def test_weights_that_cannot_be_run_are_its_last_words(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    weights = tmp_path / "model.gguf"
    if content is not None:
        weights.write_bytes(content)
    done = run(settings(weights))
    assert done.returncode == 1
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert words in last
    assert str(weights) in last
    assert "Traceback" not in done.stderr
    assert "canary-key" not in done.stderr


@pytest.mark.parametrize("line", ["", "\n", "hello\n", "[]\n", '{"weights": "x"}\n'])
def test_settings_that_cannot_be_read_are_its_last_words(line: str) -> None:
    done = run(line)
    assert (done.returncode, done.stdout) == (1, "")
    assert "settings" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_fingerprint_is_kept_until_the_file_changes(tmp_path: Path) -> None:
    weights, kept = tmp_path / "w.gguf", tmp_path / "w.gguf.sha256"
    weights.write_bytes(b"one")
    assert fingerprint(weights) == hashlib.sha256(b"one").hexdigest()
    kept.write_text(kept.read_text()[:-64] + "f" * 64)
    assert fingerprint(weights) == "f" * 64, "it is read, not computed"
    weights.write_bytes(b"another")
    assert fingerprint(weights) == hashlib.sha256(b"another").hexdigest()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.gguf", "w.gguf.sha256"]


def test_a_fingerprint_that_cannot_be_kept_is_computed(tmp_path: Path) -> None:
    weights = tmp_path / "w.gguf"
    weights.write_bytes(b"one")
    (tmp_path / "w.gguf.sha256").mkdir()
    assert fingerprint(weights) == hashlib.sha256(b"one").hexdigest()


def test_it_is_niced() -> None:
    assert os.getpriority(os.PRIO_PROCESS, 0) < gguf_server.NICENESS
