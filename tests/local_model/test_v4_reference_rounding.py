"""The reference's rounding, element by element in plain Python, and in a model that is otherwise the same."""

import math
from pathlib import Path

import pytest
import torch

from local_model import load_model
from local_model.errors import ConfigError
from local_model.native_build import native_library
from local_model.native_step import NativeStep
from local_model.reference_rounding import hadamard, rounded_index, rounded_row
from support.v4_weights import SMALL, write_checkpoint

E2M1 = (0, 0.5, 1, 1.5, 2, 3, 4, 6)
E4M3 = sorted(
    {(1 + m / 8) * 2.0 ** (e - 7) for e in range(1, 16) for m in range(8)} - {480.0}
    | {m / 8 * 2.0**-6 for m in range(8)}
)


def nearest(value: float, grid: tuple[float, ...] | list[float]) -> list[float]:
    """The element or, half-way, the two elements of the grid that are nearest."""
    distance = min(abs(abs(value) - each) for each in grid)
    return [math.copysign(each, value) for each in grid if abs(abs(value) - each) == distance]


def test_rows_are_rounded_in_blocks_of_64_save_what_is_rotated() -> None:
    rows = torch.randn(3, 64 + 20 + 8, generator=torch.Generator().manual_seed(1)) * 10
    found = rounded_row(rows, 8)
    assert torch.equal(found[:, -8:], rows[:, -8:])
    for row, kept in zip(rows[:, :-8].tolist(), found[:, :-8].tolist(), strict=True):
        for block in (slice(0, 64), slice(64, 84)):
            scale = 2.0 ** math.ceil(math.log2(max(map(abs, row[block])) / 448))
            for value, each in zip(row[block], kept[block], strict=True):
                assert each / scale in nearest(value / scale, E4M3)


def test_the_index_is_turned_and_rounded_in_blocks_of_32() -> None:
    rows = torch.randn(3, 64, generator=torch.Generator().manual_seed(2))
    turned = hadamard(rows)
    for row, kept in zip(turned.tolist(), rounded_index(rows).tolist(), strict=True):
        for block in (slice(0, 32), slice(32, 64)):
            scale = 2.0 ** math.ceil(math.log2(max(map(abs, row[block])) / 6))
            for value, each in zip(row[block], kept[block], strict=True):
                assert each / scale in nearest(value / scale, E2M1)


@pytest.mark.parametrize("width", [1, 2, 16, 128])
def test_a_hadamard_matrix_is_orthogonal_and_of_equal_elements(width: int) -> None:
    matrix = hadamard(torch.eye(width, dtype=torch.float64))
    assert torch.allclose(matrix @ matrix.T, torch.eye(width, dtype=torch.float64))
    assert torch.allclose(matrix.abs(), torch.full_like(matrix, width**-0.5))
    assert (matrix[0] > 0).all()
    for row in range(width):
        for column in range(width):
            assert (matrix[row, column] < 0) == ((row & column).bit_count() % 2 == 1)


def test_a_model_rounds_only_if_asked_and_the_same_in_pieces(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, {**SMALL, "head_dim": 72}, 1)
    ids = torch.arange(150) % 96
    plain, _ = load_model(tmp_path).forward(ids)
    model = load_model(tmp_path, reference_rounding=True)
    whole, _ = model.forward(ids)
    assert not torch.equal(plain, whole)
    p, q = plain.log_softmax(-1), whole.log_softmax(-1)
    assert float((p.exp() * (p - q)).sum(-1).mean()) < 0.1
    cache, parts = None, []
    for piece in ids.split(37):  # type: ignore[no-untyped-call]  # torch has no types here
        logits, cache = model.forward(piece, cache)
        parts.append(logits)
    assert ((torch.cat(parts) - whole).abs().max() / whole.abs().max()).item() <= 1e-5


def test_what_cannot_be_rounded_so_is_refused(tmp_path: Path, builds: Path) -> None:
    write_checkpoint(tmp_path, {**SMALL, "index_head_dim": 24}, 1)
    with pytest.raises(ConfigError, match="index_head_dim is 24; reference_rounding wants a power of two"):
        load_model(tmp_path, reference_rounding=True)
    write_checkpoint(tmp_path, dict(SMALL), 1)
    with pytest.raises(ValueError, match="does not round as the reference does"):
        NativeStep(load_model(tmp_path, reference_rounding=True), 1, library=native_library(builds))
    with pytest.raises(ValueError, match="must be a power of two"):
        hadamard(torch.ones(3))
