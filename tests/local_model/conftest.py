"""What all tests of the models share."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tiny matrices are slower on two threads than on one, and far slower on a busy machine."""
    torch.set_num_threads(1)
