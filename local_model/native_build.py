"""Builds what is in C++ with the compiler that is there, once for each source and instruction set.

A wheel may carry it built (`make wheel`): then no compiler is asked for. `python -m local_model.native_build FOLDER` builds all
of it, for instruction sets that this processor lacks too.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_model.errors import NoNativeStepError
from local_model.native_layout import declare_rows, declare_step

SOURCES = Path(__file__).parent / "native"
BUILT = SOURCES / "built"
"""Where a wheel has it."""
FLAGS = ("-std=c++20", "-O3", "-fno-math-errno", "-Wno-psabi", "-shared", "-fPIC", "-pthread")
COMPILERS = ("c++", "g++", "clang++")


@dataclass(frozen=True, slots=True)
class InstructionSet:
    """What a build may use: the processor's own names, as Linux lists them, and the compiler's options."""

    name: str
    needs: frozenset[str]
    options: tuple[str, ...]


INSTRUCTION_SETS = (
    InstructionSet(
        "avx512",
        frozenset(("avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vnni", "avx512_bf16")),
        (
            *("-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vnni", "-mavx512bf16"),
            *("-mfma", "-mf16c", "-mprefer-vector-width=512"),
        ),
    ),
    InstructionSet("avx2", frozenset(("avx2", "fma")), ("-mavx2", "-mfma")),
    InstructionSet("plain", frozenset(), ()),
)
"""The best first."""
PLAIN = INSTRUCTION_SETS[-1]


@dataclass(frozen=True, slots=True)
class Part:
    """A library of its own: its source's name, what it is, what there is without it, and what says its functions' types."""

    name: str
    about: str
    instead: str
    declare: Callable[[ctypes.CDLL], ctypes.CDLL]


STEP = Part("engine", "the native step", "the torch reference, which is many times slower", declare_step)
ROWS = Part("rows", "the native reader of tables", "rows that are read one by one", declare_rows)


def instruction_sets() -> list[InstructionSet]:
    """Those that this processor has, the best first."""
    has: set[str] = set()
    told = Path("/proc/cpuinfo")
    if platform.machine() == "x86_64" and told.exists():
        lines = told.read_text(encoding="ascii", errors="replace").splitlines()
        has = set(next((line for line in lines if line.startswith("flags")), "").split())
    return [each for each in INSTRUCTION_SETS if each.needs <= has]


def native_library(folder: Path | None = None, wanted: InstructionSet | None = None) -> ctypes.CDLL:
    """The native step for `wanted`, or for the best that this processor has, from `folder` or built into it.

    Where no folder is named it is the wheel's, if that carries the build, else ~/.cache/steelyard.
    Raises NoNativeStepError.
    """
    return _library(STEP, wanted or instruction_sets()[0], folder)


def rows_library(folder: Path | None = None) -> ctypes.CDLL:
    """What reads an Engram table's rows, as `native_library` is had; no instruction set makes it faster."""
    return _library(ROWS, PLAIN, folder)


def file_name(part: Part, instructions: InstructionSet) -> str:
    """A build's own: the sources and the options decide."""
    sources = [*sorted(SOURCES.glob("*.h")), SOURCES / f"{part.name}.cpp"]
    text = b"".join(source.read_bytes() for source in sources) + repr((FLAGS, instructions.options)).encode()
    return f"{part.name}-{instructions.name}-{hashlib.sha256(text).hexdigest()[:16]}.so"


def _library(part: Part, instructions: InstructionSet, folder: Path | None) -> ctypes.CDLL:
    name = file_name(part, instructions)
    if folder is None:
        folder = BUILT if (BUILT / name).exists() else Path.home() / ".cache" / "steelyard"
    path = folder / name
    if not path.exists():
        _build(path, part, instructions)
    try:
        return part.declare(ctypes.CDLL(str(path)))
    except (OSError, AttributeError) as error:
        raise NoNativeStepError(
            f"{path} cannot be loaded ({error}); delete it, and it is built anew"
        ) from error


def _build(path: Path, part: Part, instructions: InstructionSet) -> None:
    source = SOURCES / f"{part.name}.cpp"
    compiler = next((found for name in COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        raise NoNativeStepError(
            f"{part.about} must be built once, and no C++ compiler is found ({', '.join(COMPILERS)}); "
            f"install one (Debian: g++), or go on with {part.instead}"
        )
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        command = (compiler, *FLAGS, *instructions.options, str(source), "-o", str(beside))
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  a compiler that was found, no shell
        if done.returncode:
            raise NoNativeStepError(f"{compiler} could not build {source}: {done.stderr.strip()[-2000:]}")
        beside.replace(path)
    except OSError as error:
        raise NoNativeStepError(
            f"{part.about} cannot be built into {path.parent} ({error.strerror}); "
            "name a folder that can be written to"
        ) from error


if __name__ == "__main__":
    for each in INSTRUCTION_SETS if platform.machine() == "x86_64" else INSTRUCTION_SETS[-1:]:
        _build(Path(sys.argv[1]) / file_name(STEP, each), STEP, each)
    _build(Path(sys.argv[1]) / file_name(ROWS, PLAIN), ROWS, PLAIN)
