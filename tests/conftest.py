"""Options of the tests: short forms run by default, long ones by `make`."""

import signal

import pytest
from hypothesis import HealthCheck, settings

# No test asserts a time, and those that draw their examples are no exception.
settings.register_profile("steelyard", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steelyard")

# A shell ignores Ctrl-C in what it starts with `&`, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make kills` ask for more."""
    parser.addoption("--kills", type=int, default=2, help="how often the gateway is killed under load")
    parser.addoption("--requests", type=int, default=1_000, help="how many go over all plans, with faults")
    parser.addoption("--leak-requests", type=int, default=2_000, help="how many carry secrets past the rules")
    parser.addoption("--leak-seed", type=int, default=20261126, help="which, and what fails on their way")
    parser.addoption("--leak-mutants", type=int, default=8, help="how many planted leaks are to be caught")
    parser.addoption("--kill-seed", type=int, default=20261124, help="when it is killed")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often the gateway is killed."""
    return int(request.config.getoption("--kills"))


@pytest.fixture
def kill_seed(request: pytest.FixtureRequest) -> int:
    """Decides after how many answers."""
    return int(request.config.getoption("--kill-seed"))
