"""The repository's own files, as values: what the tidy rules read.

What a `.gitignore`d tool leaves behind is not ours; everything else that is present counts, tracked
or not, so that a rule speaks before a commit.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("router", "verifiers", "local_model", "policies", "ledger")
PYTHON_FOLDERS = (*PACKAGES, "tests", "bench")
_LEFT_BEHIND = frozenset({"__pycache__", "build", "dist", "out", "steelyard-data"})
_HIDDEN_BUT_OURS = frozenset({".ci", ".github"})


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file. `path` is relative to the repository's root."""

    path: PurePosixPath
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The first folder: `router`, ..., `tests` or `bench`."""
        return self.path.parts[0]

    @property
    def lines(self) -> int:
        """How many lines the file has."""
        return len(self.text.splitlines())


@dataclass(frozen=True, slots=True)
class Finding:
    """What is untidy, where, and what to do."""

    path: PurePosixPath
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def source_of(path: str, text: str) -> Source:
    """Parse `text` as the file `path`."""
    return Source(PurePosixPath(path), text, ast.parse(text, path))


@lru_cache(maxsize=1)
def python_sources() -> tuple[Source, ...]:
    """Every Python file of the five packages, the tests and the benchmarks."""
    return tuple(
        source_of(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for folder in PYTHON_FOLDERS
        for path in _files_under(ROOT / folder)
        if path.suffix == ".py"
    )


def text_files() -> Iterator[tuple[PurePosixPath, str]]:
    """Every text file of the repository with its path; what is not UTF-8 is not text."""
    for path in _files_under(ROOT):
        content = path.read_bytes()
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            yield PurePosixPath(path.relative_to(ROOT).as_posix()), text


def folders_with_python(folder: str) -> Iterator[Path]:
    """Every folder at or under `folder` that holds a Python file, directly or deeper."""
    found = {path.parent for path in _files_under(ROOT / folder) if path.suffix == ".py"}
    top = ROOT / folder
    yield from sorted(
        {up for path in found for up in (path, *path.parents) if up == top or top in up.parents}
    )


def _files_under(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if not _is_left_behind(path.name):
                yield from _files_under(path)
        elif path.is_file() and not path.name.startswith(".coverage"):
            yield path


def _is_left_behind(folder: str) -> bool:
    hidden = folder.startswith(".") and folder not in _HIDDEN_BUT_OURS
    return hidden or folder in _LEFT_BEHIND or folder.endswith(".egg-info")
