"""The HTTP client is tested on both loops: uvloop serves in earnest, and they differ in what a timer and a
transport can do."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

_ON_BOTH = frozenset({"test_addresses.py", "test_connection.py", "test_pool.py"})


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Say which loops a test runs on."""
    del config
    asyncios = {"asyncio": asyncio.new_event_loop}
    return asyncios | {"uvloop": uvloop.new_event_loop} if item.path.name in _ON_BOTH else asyncios
