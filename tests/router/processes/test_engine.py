"""An engine's supervisor with real children, well behaved and not."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import orjson
import pytest

from router.json_types import JsonValue
from router.processes import engine
from router.processes.engine import EngineProcess, ProcessStartError, ProcessState
from support.processes import end_of, until

CHILD = "tests.support.engine_child"
ROOT = Path(__file__).parents[3]
Make = Callable[..., EngineProcess]


@pytest.fixture
async def make(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Make supervisors of children that do what is said; all are stopped."""
    monkeypatch.setattr(engine, "BACKOFF_FIRST_S", 0.01)
    made: list[EngineProcess] = []

    def new(do: str = "serve", **more: JsonValue) -> EngineProcess:
        process = EngineProcess(CHILD, orjson.dumps({"do": do, **more}).decode() + "\n")
        made.append(process)
        return process

    yield new
    for process in made:
        await process.stop()


def pid_of(process: EngineProcess) -> int:
    assert process.pid is not None
    return process.pid


async def test_a_child_greets_serves_and_ends_with_its_input(make: Make) -> None:
    process = make()
    assert process.state is ProcessState.STOPPED
    greeting = await process.start()
    pid = pid_of(process)
    assert greeting == process.greeting == {"pid": pid}
    assert await process.start() == greeting, "it is started once"
    assert (process.state, process.restarts) == (ProcessState.READY, 0)
    await process.stop()
    await end_of(pid)
    assert (process.state, process.pid) == (ProcessState.STOPPED, None)


async def test_a_stopped_child_can_be_started_again(make: Make) -> None:
    process = make()
    first = await process.start()
    await process.stop()
    assert await process.start() != first


async def test_the_last_words_of_a_child_that_cannot_start_are_the_error(make: Make) -> None:
    process = make("fail")
    with pytest.raises(ProcessStartError, match=r"^last words$"):
        await process.start()
    assert (process.state, process.detail) == (ProcessState.FAILED, "last words")
    with pytest.raises(ProcessStartError, match="last words"):
        await process.start()


async def test_a_child_that_dies_without_a_word_is_said_to_be_killed(make: Make) -> None:
    with pytest.raises(ProcessStartError, match="ended by SIGKILL"):
        await make("die").start()


async def test_a_module_that_does_not_exist_is_said_so() -> None:
    process = EngineProcess("tests.support.no_such_child", "{}\n")
    with pytest.raises(ProcessStartError, match="no_such_child"):
        await process.start()
    await process.stop()


@pytest.mark.parametrize(
    "line", ["hello", "[1]", "", "x" * 200_000], ids=["text", "a list", "nothing", "long"]
)
async def test_a_first_line_that_is_no_greeting_is_an_error_and_ends_the_child(make: Make, line: str) -> None:
    process = make("say", line=line)
    with pytest.raises(ProcessStartError, match="first line"):
        await process.start()
    assert process.pid is None


async def test_a_child_that_says_nothing_is_given_up(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "START_DEADLINE_S", 0.2)
    with pytest.raises(ProcessStartError, match=r"not ready in 0\.2 s"):
        await make("be silent").start()


async def test_a_child_may_write_as_much_as_it_likes(make: Make) -> None:
    """A full pipe would stop it before its last words."""
    process = make("be noisy")
    await process.start()
    await until(lambda: process.restarts > 0)
    assert "all was written" in process.detail or process.state is ProcessState.STARTING


async def test_a_killed_child_is_noticed_and_another_takes_its_place(make: Make) -> None:
    process = make()
    await process.start()
    first = pid_of(process)
    os.kill(first, signal.SIGKILL)
    await end_of(first)
    await until(lambda: process.state is ProcessState.READY and process.pid not in (None, first))
    assert process.restarts == 1
    assert process.greeting == {"pid": process.pid}


async def test_between_two_children_it_is_said_why_the_first_ended(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BACKOFF_FIRST_S", 3_600)
    monkeypatch.setattr(engine, "BACKOFF_MAX_S", 3_600)
    process = make()
    await process.start()
    os.kill(pid_of(process), signal.SIGKILL)
    await until(lambda: process.state is ProcessState.STARTING)
    assert process.detail == "the engine's process ended: it was ended by SIGKILL"
    assert process.pid is None


async def test_a_child_that_dies_again_and_again_is_given_up(make: Make) -> None:
    process = make()
    await process.start()
    for died in range(1, engine.FAILURES_MAX + 1):
        await until(lambda: process.state is ProcessState.READY)
        os.kill(pid_of(process), signal.SIGKILL)
        await until(lambda: process.state is not ProcessState.READY)
        assert process.restarts == min(died, engine.FAILURES_MAX - 1)
    assert process.state is ProcessState.FAILED


async def test_a_child_that_was_stable_does_not_count_its_earlier_deaths(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "STABLE_S", 0.0)
    process = make()
    await process.start()
    for _ in range(engine.FAILURES_MAX + 1):
        await until(lambda: process.state is ProcessState.READY)
        os.kill(pid_of(process), signal.SIGKILL)
        await until(lambda: process.state is not ProcessState.READY)
    assert process.state is ProcessState.STARTING


async def test_who_waits_for_a_start_hears_of_the_stop(make: Make) -> None:
    process = make("be silent")
    waiting = asyncio.create_task(process.start())
    await until(lambda: process.pid is not None)
    await process.stop()
    with pytest.raises(ProcessStartError, match="stopped before it was ready"):
        await waiting
    assert process.state is ProcessState.STOPPED


async def test_a_child_that_ignores_its_input_and_sigterm_is_killed(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "STOP_S", 0.1)
    process = make("be stubborn")
    await process.start()
    pid = pid_of(process)
    await process.stop()
    await end_of(pid)
    assert process.state is ProcessState.STOPPED


async def test_settings_are_on_no_command_line_and_in_no_environment(make: Make) -> None:
    process = make(secret="canary-key")
    await process.start()
    folder = Path("/proc") / str(process.pid)
    for name in ("cmdline", "environ"):
        assert b"canary-key" not in (folder / name).read_bytes()


PARENT = """
import asyncio, sys
from router.processes.engine import EngineProcess

async def main():
    process = EngineProcess("tests.support.engine_child", '{"do": "serve"}\\n')
    await process.start()
    print(process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_the_child_ends_with_a_gateway_that_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdout=PIPE, cwd=ROOT)
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    assert (Path("/proc") / str(child)).exists()
    parent.kill()
    await parent.wait()
    await end_of(child)
