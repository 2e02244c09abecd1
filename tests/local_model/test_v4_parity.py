"""Our logits are transformers' logits, on random configurations of every kind."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_model import load_model
from support.v4_configs import configs
from support.v4_reference import Reference, running_reference
from support.v4_weights import Config, write_checkpoint

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    with running_reference() as process:
        yield process


@settings(
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    config=configs(),
    seed=st.integers(0, 2**31),
    length=st.integers(1, 150),
    table=st.sampled_from([torch.int32, torch.int64]),
)
def test_logits_are_the_references(
    reference: Reference,
    tmp_path_factory: pytest.TempPathFactory,
    config: Config,
    seed: int,
    length: int,
    table: torch.dtype,
) -> None:
    folder = tmp_path_factory.mktemp("v4")
    write_checkpoint(folder, config, seed, table=table)
    ids = torch.randint(
        0, int(str(config["vocab_size"])), (length,), generator=torch.Generator().manual_seed(seed)
    )
    theirs = folder / "transformers"
    expected = reference.logits(folder, ids, save=theirs)
    for path in (folder, theirs):
        logits, _ = load_model(path).forward(ids)
        assert_close(logits, expected)


def assert_close(logits: torch.Tensor, expected: torch.Tensor) -> None:
    assert logits.shape == expected.shape
    assert ((logits - expected).abs().max() / expected.abs().max()).item() <= TOLERANCE
