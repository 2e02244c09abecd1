"""What all tests of the models share."""

import ctypes
from pathlib import Path

import pytest
import torch

from local_model.native_build import native_library


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tiny matrices are slower on two threads than on one, and far slower on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("native")


@pytest.fixture(scope="session")
def best(builds: Path) -> ctypes.CDLL:
    return native_library(builds)
