"""A state file for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from router.state.keys import KeyStore
from router.state.office import Office
from support.state import OwnState


@pytest.fixture
def state(tmp_path: Path) -> OwnState:
    """A place where nothing is yet."""
    return OwnState(tmp_path)


@pytest.fixture
def office(state: OwnState) -> Iterator[Office]:
    """It, opened to change something."""
    opened = state.open()
    yield opened
    opened.file.close()


@pytest.fixture
def store(state: OwnState) -> Iterator[KeyStore]:
    """It, opened to look keys up."""
    opened = state.store()
    yield opened
    opened.close()
