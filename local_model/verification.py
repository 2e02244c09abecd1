"""Whether a checkpoint is what it should be: every tensor there, of its shape and dtype, readable, and a number throughout.

A bit that flipped in a weight is a number still. Only hashes tell: `SHA256SUMS` beside the weights, in the format of
`sha256sum`, is checked where it is there, and can be written.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from local_model.engram_config import EngramConfig
from local_model.engram_table import TableFile, table_path
from local_model.errors import WeightsError
from local_model.inspection import Inspection, inspect_checkpoint
from local_model.safetensors_header import INDEX, StoredTensor, stored_tensors
from local_model.whole_file import whole_file

SUMS = "SHA256SUMS"
Show = Callable[[str, int, int], None]
_STEP = 1 << 24
_NO_NUMBER: dict[str, tuple[str, int]] = {
    "F32": ("<u4", 0x7F80_0000),
    "F16": ("<u2", 0x7C00),
    "BF16": ("<u2", 0x7F80),
    "F8_E4M3": ("u1", 0x7F),
    "F8_E8M0": ("u1", 0xFF),
}
"""How wide an element is, and the bits that are all set in one that is infinite or not a number."""
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def verify_checkpoint(folder: Path, show: Show = lambda *_: None) -> tuple[list[str], str]:
    """Every problem, each with file and tensor, and a sentence about what was looked at.

    Raises ConfigError or WeightsError where nothing can be looked at.
    """
    inspection = inspect_checkpoint(folder)
    problems, hashed = list(inspection.problems), 0
    if (folder / SUMS).exists():
        wrong, hashed = _wrong_hashes(folder, show)
        problems += wrong
    tensors = stored_tensors(folder)
    total, done = inspection.nbytes, 0
    for tensor in sorted(tensors.values(), key=lambda tensor: (tensor.path, tensor.start)):
        show(tensor.name, done, total)
        problems += _wrong_numbers(tensor)
        if tensor.name.endswith("tid2eid"):
            problems += _wrong_ids(tensor, inspection.config.experts)
        done += tensor.nbytes
    problems += _wrong_tables(folder, inspection.config.engram)
    hashes = (
        f"{hashed} files against {SUMS}"
        if hashed
        else f"no {SUMS}: flipped bits that are numbers still are not seen"
    )
    return problems, f"{len(tensors)} tensors in {inspection.files} file(s), {total / 1e9:.3f} GB; {hashes}"


def write_hashes(folder: Path, show: Show = lambda *_: None) -> int:
    """Write `SHA256SUMS` for what a checkpoint is made of; return how many files."""
    inspection: Inspection = inspect_checkpoint(folder)
    files = {tensor.path for tensor in stored_tensors(folder).values()} | {folder / "config.json"}
    files |= {folder / name for name in (INDEX, "tokenizer.json") if (folder / name).exists()}
    if inspection.config.engram is not None:
        files |= {table_path(folder, number) for number in inspection.config.engram.layers}
    lines = [f"{_sha256(path, show)}  {path.name}\n" for path in sorted(files)]
    with whole_file(folder / SUMS) as out:
        out.write("".join(lines).encode())
    return len(lines)


def _wrong_hashes(folder: Path, show: Show) -> tuple[list[str], int]:
    problems: list[str] = []
    lines = (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None or Path(match[2]).name != match[2]:
            problems.append(f"{folder / SUMS}:{number}: is no line of sha256sum, or names a file elsewhere")
            continue
        path = folder / match[2]
        try:
            if _sha256(path, show) != match[1]:
                problems.append(f"{path}: its sha256 is not that of {SUMS}; fetch it again")
        except OSError as error:
            problems.append(f"{path}: {error.strerror}, although {SUMS} names it")
    return problems, len(lines)


def _sha256(path: Path, show: Show) -> str:
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while piece := file.read(_STEP):
            digest.update(piece)
            done += len(piece)
            show(f"sha256 of {path.name}", done, total)
    return digest.hexdigest()


def _wrong_numbers(tensor: StoredTensor) -> Iterator[str]:
    """Where a tensor cannot be read, or holds what is no number."""
    width, bits = _NO_NUMBER.get(tensor.dtype, ("u1", 0))
    first = 0
    try:
        for piece in _pieces(tensor):
            if bits:
                values: npt.NDArray[np.unsignedinteger] = np.frombuffer(piece, width)
                wrong = np.flatnonzero((values & bits) == bits)
                if wrong.size:
                    yield f"{tensor.path}: {tensor.name} holds no number at element {first + int(wrong[0])}"
                    return
                first += values.size
    except (OSError, WeightsError) as error:
        yield f"{tensor.path}: {tensor.name} cannot be read: {error}"


def _wrong_ids(tensor: StoredTensor, experts: int) -> Iterator[str]:
    """Where a table of experts names one that is not there."""
    for piece in _pieces(tensor):
        values = np.frombuffer(piece, "<i4" if tensor.dtype == "I32" else "<i8")
        if values.size and (values.min() < 0 or values.max() >= experts):
            yield f"{tensor.path}: {tensor.name} names an expert outside 0 to {experts - 1}"
            return


def _pieces(tensor: StoredTensor) -> Iterator[bytes]:
    with tensor.path.open("rb") as file:
        file.seek(tensor.start)
        left = tensor.nbytes
        while left:
            piece = file.read(min(_STEP, left))
            if len(piece) < min(_STEP, left):
                raise WeightsError("the file became shorter")
            left -= len(piece)
            yield piece


def _wrong_tables(folder: Path, engram: EngramConfig | None) -> Iterator[str]:
    if engram is None:
        return
    for number in engram.layers:
        try:
            TableFile(table_path(folder, number), engram.rows(number), engram.width).verify()
        except WeightsError as error:
            yield str(error)
