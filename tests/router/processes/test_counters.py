"""The token counter with its real process."""

import asyncio
import os
import select
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.processes import counters
from router.processes.counters import CounterUnavailableError, TokenCounter

PATIENCE_S = 30.0


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[TokenCounter]:
    counter = TokenCounter(tmp_path)
    yield counter
    await counter.close()


def pid_of(counter: TokenCounter) -> int:
    assert counter.pid is not None
    return counter.pid


def runs(counter: TokenCounter) -> bool:
    return counter.pid is not None


async def end_of(pid: int) -> None:
    """Wait until a process is gone, ours or not."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        assert await asyncio.to_thread(poll.poll, PATIENCE_S * 1_000), f"process {pid} lives on"
    finally:
        os.close(handle)


async def test_texts_are_counted_together_in_a_process_started_at_first_use(counter: TokenCounter) -> None:
    assert counter.pid is None
    assert await counter.count("cl100k_base", ["hello world", "", "hello"]) == 3
    assert pid_of(counter) != os.getpid()


async def test_parallel_counts_get_their_own_answers(counter: TokenCounter) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(counter.count("deepseek", ["a b"] * number)) for number in range(20)]
    assert [task.result() for task in tasks] == [2 * number for number in range(20)]


async def test_nothing_is_downloaded(counter: TokenCounter, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{trap.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        for encoding in ("o200k_base", "cl100k_base", "deepseek"):
            assert await counter.count(encoding, ["hello world"]) == 2
        with pytest.raises(BlockingIOError):
            trap.accept()


async def test_an_unknown_encoding_is_an_error_and_the_process_lives_on(counter: TokenCounter) -> None:
    with pytest.raises(CounterUnavailableError, match="encoding 'p50k_base'"):
        await counter.count("p50k_base", ["hello"])
    pid = counter.pid
    assert await counter.count("cl100k_base", ["hello"]) == 1
    assert counter.pid == pid


async def test_half_a_surrogate_pair_is_counted(counter: TokenCounter) -> None:
    assert await counter.count("deepseek", ["a\ud800b"]) == await counter.count("deepseek", ["a\ufffdb"])


async def test_a_text_beyond_every_window_is_refused(
    counter: TokenCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "TEXT_BYTES_MAX", 1_000)
    with pytest.raises(CounterUnavailableError, match="more than are counted"):
        await counter.count("cl100k_base", ["x" * 1_001])
    assert counter.pid is None


async def test_a_process_that_died_fails_what_waits_and_is_started_again(counter: TokenCounter) -> None:
    await counter.count("cl100k_base", ["hello"])
    first = pid_of(counter)
    os.kill(first, signal.SIGSTOP)
    waiting = asyncio.create_task(counter.count("cl100k_base", ["hello"]))
    os.kill(first, signal.SIGKILL)
    with pytest.raises(CounterUnavailableError, match="ended"):
        await waiting
    assert await counter.count("cl100k_base", ["hello"]) == 1
    assert pid_of(counter) != first


async def test_a_process_that_does_not_answer_in_time_is_replaced(counter: TokenCounter) -> None:
    await counter.count("cl100k_base", ["hello"])
    first = pid_of(counter)
    os.kill(first, signal.SIGSTOP)
    counter._deadline_s = 0.05
    with pytest.raises(CounterUnavailableError, match="did not answer"):
        await counter.count("cl100k_base", ["hello"])
    await end_of(first)
    counter._deadline_s = PATIENCE_S
    assert await counter.count("cl100k_base", ["hello"]) == 1


async def test_no_more_than_so_many_counts_wait(
    counter: TokenCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "WAITING_MAX", 3)
    await counter.count("cl100k_base", ["hello"])
    os.kill(pid_of(counter), signal.SIGSTOP)
    waiting = [asyncio.create_task(counter.count("cl100k_base", ["hello"])) for _ in range(3)]
    await asyncio.sleep(0)  # each begins to wait
    with pytest.raises(CounterUnavailableError, match="3 counts are waiting"):
        await counter.count("cl100k_base", ["hello"])
    os.kill(pid_of(counter), signal.SIGCONT)
    assert await asyncio.gather(*waiting) == [1, 1, 1]


async def test_an_idle_process_ends_and_another_takes_its_place(counter: TokenCounter) -> None:
    await counter.count("cl100k_base", ["hello"])
    first = pid_of(counter)
    counter._idle_s = 0.0
    await counter.count("cl100k_base", ["hello"])
    await end_of(first)
    assert not runs(counter)
    assert await counter.count("cl100k_base", ["hello"]) == 1


async def test_closing_fails_what_waits_and_ends_the_process(counter: TokenCounter) -> None:
    await counter.count("cl100k_base", ["hello"])
    pid = pid_of(counter)
    os.kill(pid, signal.SIGSTOP)
    waiting = asyncio.create_task(counter.count("cl100k_base", ["hello"]))
    await asyncio.sleep(0)  # it begins to wait
    await counter.close()
    with pytest.raises(CounterUnavailableError):
        await waiting
    await end_of(pid)
    with pytest.raises(CounterUnavailableError, match="closed"):
        await counter.count("cl100k_base", ["hello"])


PARENT = """
import asyncio, sys
from pathlib import Path
from router.processes.counters import TokenCounter

async def main():
    counter = TokenCounter(Path(sys.argv[1]))
    await counter.count("cl100k_base", ["hello"])
    print(counter.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_the_process_ends_with_a_gateway_that_is_killed(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, str(tmp_path), stdout=PIPE)
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    await end_of(child)
