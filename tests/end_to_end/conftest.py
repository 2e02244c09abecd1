"""One upstream and one gateway before it, for the tests of a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.gateway import RunningGateway, config_text, make_key, running_gateway, write_config
from support.upstream import Upstream, running_upstream
from support.upstream_bill import TokenPrices

PRICES = TokenPrices(input=1_000_000_000, cached=100_000_000, output=2_000_000_000, reasoning=2_000_000_000)
"""What `support.gateway.config_text` states."""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A provider that charges what the configuration's route states."""
    with running_upstream(prices=PRICES) as running:
        yield running


@pytest.fixture
def gateway(upstream: Upstream, tmp_path: Path) -> Iterator[RunningGateway]:
    """A gateway before `upstream`."""
    config = write_config(tmp_path, config_text(upstream.base_url))
    with running_gateway(config) as running:
        yield running


@pytest.fixture
def key(gateway: RunningGateway) -> str:
    """A key of team finance."""
    return make_key(gateway.config)
