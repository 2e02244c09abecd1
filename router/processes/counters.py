"""The gateway's side of the token counter's process: started at first use, ended when idle.

What waits is bounded in number, in bytes and in time. A child that does not answer in time is
killed, and the next count starts another.
"""

import asyncio
import contextlib
import itertools
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from pathlib import Path

import orjson

IDLE_S = 300.0
DEADLINE_S = 60.0
WAITING_MAX = 64
TEXT_BYTES_MAX = 16 * 1024 * 1024
"""At four bytes a token, four times the largest window there is; counting it takes 6 to 14 s."""
LINE_BYTES_MAX = 1 << 16


class CounterUnavailableError(Exception):
    """No exact count can be had: the process is busy or gone, or has no such vocabulary."""


class TokenCounter:
    """Counts tokens exactly, in a process of its own.

    `cache` is a folder that the process may fill with copies of vocabularies (5 MB). Times in seconds.
    """

    def __init__(self, cache: Path, *, idle_s: float = IDLE_S, deadline_s: float = DEADLINE_S) -> None:
        self._cache = cache
        self._idle_s = idle_s
        self._deadline_s = deadline_s
        self._child: _Child | None = None
        self._reading: set[asyncio.Task[None]] = set()
        self._ids = itertools.count(1)
        self._starting = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._waiting = 0
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._child.pid if self._child is not None and self._child.serves else None

    async def count(self, encoding: str, texts: Sequence[str]) -> int:
        """Count the tokens of `texts` together. Raises CounterUnavailableError."""
        if self._waiting >= WAITING_MAX:
            raise CounterUnavailableError(f"{WAITING_MAX} counts are waiting")
        number = next(self._ids)
        line = _line(number, encoding, texts)
        self._waiting += 1
        if self._idle is not None:
            self._idle.cancel()
        child: _Child | None = None
        try:
            async with asyncio.timeout(self._deadline_s):
                child = await self._running()
                return await child.ask(number, line)
        except TimeoutError:
            if child is not None:
                child.kill()
            raise CounterUnavailableError(f"the counter did not answer in {self._deadline_s:g} s") from None
        finally:
            self._waiting -= 1
            if not self._waiting and not self._closed:
                self._idle = asyncio.get_running_loop().call_later(self._idle_s, self._end_idle)

    async def close(self) -> None:
        """End the process; counts that wait fail."""
        self._closed = True
        if self._idle is not None:
            self._idle.cancel()
        async with self._starting:
            if self._child is not None:
                self._child.kill()
        await asyncio.gather(*self._reading)

    async def _running(self) -> "_Child":
        async with self._starting:
            if self._closed:
                raise CounterUnavailableError("the counter is closed")
            if self._child is None or not self._child.serves:
                self._child = _Child(await self._start())
                task = asyncio.create_task(self._child.read())
                self._reading.add(task)
                task.add_done_callback(self._reading.discard)
            return self._child

    async def _start(self) -> Process:
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "router.processes.counter_child",
                str(self._cache),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,  # a traceback could repeat what is counted
                limit=LINE_BYTES_MAX,
                cwd=Path(__file__).parent.parent.parent,
            )
        except OSError as error:
            raise CounterUnavailableError(f"the counter cannot be started ({error.strerror})") from error

    def _end_idle(self) -> None:
        if self._child is not None and not self._waiting:
            self._child.end()


class _Child:
    """One process and the counts that wait for it."""

    def __init__(self, process: Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise CounterUnavailableError("the counter has no pipes")
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self.serves = True
        """Whether it may be asked."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ask(self, number: int, line: bytes) -> int:
        """Send one question and wait for its answer."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._stdin.write(line)
            with contextlib.suppress(ConnectionError):  # its end is told to every future by `read`
                await self._stdin.drain()
            return await future
        finally:
            self._waiting.pop(number, None)

    async def read(self) -> None:
        """Hand out answers until the process ends; whoever still waits then is told so."""
        reason = "the counter's process ended"
        try:
            async for line in self._stdout:
                self._hand_out(line)
        except (ValueError, KeyError) as error:
            reason = f"the counter answered with what is no answer ({type(error).__name__})"
            self.kill()
        self.serves = False
        status = await self._process.wait()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(CounterUnavailableError(f"{reason} (status {status})"))

    def end(self) -> None:
        """Let it end after what it is doing."""
        self.serves = False
        self._stdin.close()

    def kill(self) -> None:
        """End it now."""
        self.serves = False
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            self._process.kill()

    def _hand_out(self, line: bytes) -> None:
        answer = orjson.loads(line)
        future = self._waiting.get(answer["id"])
        if future is None or future.done():
            return  # who asked has gone
        if "error" in answer:
            future.set_exception(CounterUnavailableError(answer["error"]))
        else:
            future.set_result(answer["count"])


def _line(number: int, encoding: str, texts: Sequence[str]) -> bytes:
    """One question on one line. Half a surrogate pair counts as U+FFFD, as tiktoken has it."""
    body = {"id": number, "encoding": encoding, "texts": list(texts)}
    try:
        line = orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        body["texts"] = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts]
        line = orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
    if len(line) > TEXT_BYTES_MAX:
        raise CounterUnavailableError(f"{len(line)} bytes are more than are counted ({TEXT_BYTES_MAX})")
    return line
