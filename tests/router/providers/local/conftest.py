"""The real engine with the demo's model, one for the tests of a file."""

from collections.abc import AsyncIterator

import pytest_asyncio

from local_model.weights import SMOLLM2_FILE
from router.providers.local.gguf import GgufEngine
from router.settings import models_folder

CONTEXT_WINDOW = 512
SLOTS = 2


def new_engine(*, slots: int = SLOTS) -> GgufEngine:
    """SmolLM2 in a process of its own, not started yet. `make test` has pulled the weights."""
    weights = str(models_folder() / SMOLLM2_FILE)
    return GgufEngine(weights, context_window=CONTEXT_WINDOW, slots=slots, threads=2)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[GgufEngine]:
    """An engine that is ready."""
    engine = new_engine()
    await engine.load()
    yield engine
    await engine.close()


@pytest_asyncio.fixture(loop_scope="module")
async def own_engine() -> AsyncIterator[GgufEngine]:
    """An engine that a test may hurt; not started yet."""
    engine = new_engine()
    yield engine
    await engine.close()
