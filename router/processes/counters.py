"""The gateway's side of the token counter's process: started at first use, ended when idle."""

import asyncio
import itertools
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

import orjson

IDLE_S = 300.0
DEADLINE_S = 60.0
WAITING_MAX = 64
LINE_BYTES_MAX = 1 << 16


class CounterUnavailableError(Exception):
    """No exact count can be had: the process is busy or gone, or has no such vocabulary."""


class TokenCounter:
    """Counts tokens exactly, in a process of its own."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._process: Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._ids = itertools.count(1)
        self._starting = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None

    async def count(self, encoding: str, texts: Sequence[str]) -> int:
        """Count the tokens of `texts` together. Raises CounterUnavailableError."""
        if len(self._waiting) >= WAITING_MAX:
            raise CounterUnavailableError(f"{WAITING_MAX} counts are waiting")
        process = await self._running()
        number = next(self._ids)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            async with asyncio.timeout(DEADLINE_S):
                if process.stdin is None:
                    raise CounterUnavailableError("the counter has no input")
                process.stdin.write(
                    orjson.dumps({"id": number, "encoding": encoding, "texts": list(texts)}) + b"\n"
                )
                await process.stdin.drain()
                return await future
        except (TimeoutError, ConnectionError) as error:
            raise CounterUnavailableError(f"the counter did not answer ({type(error).__name__})") from error
        finally:
            self._waiting.pop(number, None)
            self._rest()

    async def close(self) -> None:
        """End the process."""
        if self._idle is not None:
            self._idle.cancel()
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            await process.wait()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _running(self) -> Process:
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "router.processes.counter_child",
                    str(self._cache),
                    stdin=PIPE,
                    stdout=PIPE,
                    limit=LINE_BYTES_MAX,
                    cwd=Path(__file__).parent.parent.parent,
                )
                self._reader = asyncio.create_task(self._read(self._process))
            return self._process

    async def _read(self, process: Process) -> None:
        if process.stdout is None:
            return
        async for line in process.stdout:
            answer = orjson.loads(line)
            future = self._waiting.get(answer["id"])
            if future is None or future.done():
                continue
            if "error" in answer:
                future.set_exception(CounterUnavailableError(answer["error"]))
            else:
                future.set_result(answer["count"])
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(CounterUnavailableError("the counter ended"))

    def _rest(self) -> None:
        """End the process once it has had nothing to do for a while."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if not self._waiting and self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process = None
