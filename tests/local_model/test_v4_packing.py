"""Products with packed matrices are products: every kind, every number of rows, ragged panels and groups."""

import ctypes
from pathlib import Path

import pytest
import torch

from local_model.native_build import InstructionSet, instruction_sets, native_library
from local_model.native_step import multiply
from local_model.packing import Kind, pack
from local_model.quantization import Fp4, Fp8, Matrix, Plain
from support.v4_weights import to_fp4, to_fp8

SHAPES = [(1, 1), (16, 128), (17, 129), (5, 31), (100, 260), (64, 96)]
ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 23]
MOST = {Kind.F32: 1e-6, Kind.BF16: 1 / 128, Kind.INT8: 2e-2, Kind.FP8: 1e-6, Kind.FP4: 1e-2}
"""How far a product may be off, as a share of that of all magnitudes: weights are rounded in BF16 and INT8, inputs
to BF16, or to bytes in INT8 and FP4."""


def a_matrix(kind: Kind, rows: int, columns: int) -> Matrix:
    values = torch.randn(rows, columns, generator=torch.Generator().manual_seed(rows * columns))
    if kind is Kind.FP8:
        weight, scale, _ = to_fp8(values)
        return Fp8(weight, scale)
    if kind is Kind.FP4:
        weight, scale, _ = to_fp4(values)
        return Fp4(weight, scale)
    return Plain(values)


@pytest.fixture(scope="module", params=instruction_sets(), ids=lambda each: each.name)
def library(request: pytest.FixtureRequest, builds: Path) -> ctypes.CDLL:
    instructions: InstructionSet = request.param
    return native_library(builds, instructions)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_a_product_is_what_the_weights_say(library: ctypes.CDLL, kind: Kind, shape: tuple[int, int]) -> None:
    rows, columns = shape
    if kind is Kind.FP4:
        columns += -columns % 32
    matrix = a_matrix(kind, rows, columns)
    packed = pack(matrix, kind)
    for count in ROWS:
        x = torch.randn(count, columns, generator=torch.Generator().manual_seed(count))
        weights = matrix.dense(torch.float32).double()
        off = (multiply(library, packed, x) - x.double() @ weights.T).abs()
        assert (off <= MOST[kind] * (x.double().abs() @ weights.abs().T)).all(), (count, off)


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_a_row_has_the_same_bits_whatever_stands_beside_it(library: ctypes.CDLL, kind: Kind) -> None:
    matrix = pack(a_matrix(kind, 100, 288), kind)
    x = torch.randn(23, 288, generator=torch.Generator().manual_seed(1))
    whole = multiply(library, matrix, x)
    for row in range(23):
        assert torch.equal(multiply(library, matrix, x[row : row + 1])[0], whole[row])


@pytest.mark.parametrize("kind", [Kind.INT8, Kind.FP4], ids=lambda kind: kind.name)
def test_what_fits_a_byte_is_multiplied_exactly(library: ctypes.CDLL, kind: Kind) -> None:
    """Inputs that are whole numbers up to 127, 127 among them in each group, lose nothing."""
    generator = torch.Generator().manual_seed(2)
    x = torch.randint(-127, 128, (5, 256), generator=generator).float()
    x[:, ::32] = 127
    weights = torch.randint(-127, 128, (33, 256), generator=generator).float()
    weights[:, ::128] = 127
    matrix = a_matrix(Kind.FP4, 33, 256) if kind is Kind.FP4 else Plain(weights)
    expected = x.double() @ matrix.dense(torch.float32).double().T
    off = (multiply(library, pack(matrix, kind), x) - expected).abs().max() / expected.abs().max()
    assert off <= 1e-6


def test_every_value_of_fp8_and_fp4_is_read(library: ctypes.CDLL) -> None:
    numbers = torch.tensor([byte for byte in range(256) if byte & 127 != 127], dtype=torch.uint8)  # no NaN
    fp8 = Fp8(
        numbers.view(torch.float8_e4m3fn)[:, None].repeat(1, 128),
        torch.tensor([[1.0], [4.0]]).to(torch.float8_e8m0fnu),
    )
    one = torch.zeros(1, 128)
    one[0, 77] = 1
    assert torch.equal(multiply(library, pack(fp8, Kind.FP8), one)[0], fp8.dense(torch.float32)[:, 77])
    pairs = torch.arange(256, dtype=torch.uint8).view(torch.int8)[:, None].repeat(1, 16)
    fp4 = Fp4(pairs, torch.full((256, 1), 0.5).to(torch.float8_e8m0fnu))
    for column in (4, 5):
        one = torch.zeros(1, 32)
        one[0, column] = 127
        product = multiply(library, pack(fp4, Kind.FP4), one)[0] / 127
        assert torch.allclose(product, fp4.dense(torch.float32)[:, column], rtol=1e-6)


def test_a_matrix_of_zeros_gives_zeros(library: ctypes.CDLL) -> None:
    for kind in (Kind.F32, Kind.BF16, Kind.INT8):
        assert not multiply(library, pack(Plain(torch.zeros(20, 140)), kind), torch.randn(3, 140)).any()


@pytest.mark.parametrize(
    ("kind", "expected"), [(Kind.F32, 4.0), (Kind.BF16, 2.0), (Kind.INT8, 1.03125), (Kind.FP8, 1.03125), (Kind.FP4, 0.53125)]
)  # fmt: skip
def test_bytes_that_are_read_for_a_weight(kind: Kind, expected: float) -> None:
    packed = pack(a_matrix(kind, 256, 512), kind)
    assert packed.nbytes / (256 * 512) == expected
