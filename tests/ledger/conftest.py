"""A ledger without rows, migrated once: a migration runs in a process of its own and takes its time."""

import shutil
from pathlib import Path

import pytest

from ledger.schema import ensure_schema


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that tests copy; nobody writes it."""
    path = tmp_path_factory.mktemp("empty") / "ledger.sqlite"
    ensure_schema(path)
    return path


@pytest.fixture
def path(empty_ledger: Path, tmp_path: Path) -> Path:
    """A test's own empty ledger."""
    return Path(shutil.copy(empty_ledger, tmp_path / "ledger.sqlite"))
