"""Copies of the packages that a gateway can be started from, and faults that are planted in them by replacing text."""

import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

from support.sources import PACKAGES, ROOT
from support.upstream import Upstream
from support.upstream_refusals import ONE_MODEL

PLAYED_ENGINE = ROOT / "tests" / "support" / "played_engine.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: what is replaced, in which file, by what."""

    name: str
    file: str
    before: str
    after: str


def copied_packages(folder: Path) -> Path:
    """Copy the five packages to `folder`, where llama.cpp's process is played."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package)
    shutil.copy(PLAYED_ENGINE, folder / "local_model" / "gguf_server.py")
    return folder


def write_played_weights(path: Path, upstream: Upstream) -> None:
    """Write weights without a vocabulary for the played engine, in whose place `upstream` answers."""
    address = upstream.base_url.removesuffix("/v1") + ONE_MODEL.rstrip("/")
    path.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 0, 0) + address.encode())


def plant(mutant: Mutant, tree: Path) -> None:
    """Put the fault in; fail if the text is not where it was."""
    path = tree / mutant.file
    text = path.read_text()
    count = text.count(mutant.before)
    assert count == 1, (
        f"mutant '{mutant.name}': {mutant.file} holds the text to replace {count} times, not once; "
        f"write anew in tests/support/leak_mutants.py what is to be replaced:\n{mutant.before}"
    )
    path.write_text(text.replace(mutant.before, mutant.after))
