"""Supervise one engine's process: start, watch, start again with back-off, stop.

It knows a command and a settings line, and nothing of what the engine does: llama.cpp and the
torch engine are started alike. The child ends with its standard input, so it cannot outlive us.
"""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from enum import StrEnum
from pathlib import Path

import orjson

from router.json_types import JsonObject

START_DEADLINE_S = 300.0
STOP_S = 5.0
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 30.0
FAILURES_MAX = 5
STABLE_S = 60.0


class ProcessStartError(Exception):
    """The child did not come up; the message is its last words."""


class ProcessState(StrEnum):
    """How the child is."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


class EngineProcess:
    """One child, kept alive."""

    def __init__(self, module: str, settings_line: str) -> None:
        self._command = (sys.executable, "-m", module)
        self._settings_line = settings_line
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[JsonObject] | None = None
        self._errors: deque[str] = deque(maxlen=5)
        self._closed = False
        self.state = ProcessState.STOPPED
        self.restarts = 0
        self.detail = "not started"
        self.greeting: JsonObject = {}
        """The line that the child said when it was ready."""

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> JsonObject:
        """Start the child and wait for its line. Raises ProcessStartError with its last words."""
        if self._watch is None:
            self._ready = asyncio.get_running_loop().create_future()
            self._watch = asyncio.create_task(self._keep_alive())
        if self._ready is None:
            raise ProcessStartError("the engine was stopped")
        return await asyncio.shield(self._ready)

    async def stop(self) -> None:
        """End the child: close its input, then terminate, then kill."""
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        await self._end()
        self.state, self.detail = ProcessState.STOPPED, "stopped"
        if self._ready is not None and self._ready.done() and not self._ready.cancelled():
            self._ready.exception()

    async def _keep_alive(self) -> None:
        failures = 0
        while True:
            started_at = asyncio.get_running_loop().time()
            try:
                await self._run_once()
            except ProcessStartError as error:
                failures += 1
                self.detail = str(error)
                if self._ready is not None and not self._ready.done():
                    self.state = ProcessState.FAILED
                    self._ready.set_exception(error)
                    return
            else:
                lived_s = asyncio.get_running_loop().time() - started_at
                failures = 1 if lived_s > STABLE_S else failures + 1
                self.detail = f"the engine's process ended: {self._last_words()}"
            if failures >= FAILURES_MAX:
                self.state = ProcessState.FAILED
                return
            self.state = ProcessState.STARTING
            self.restarts += 1
            await asyncio.sleep(min(BACKOFF_FIRST_S * 2 ** (failures - 1), BACKOFF_MAX_S))

    async def _run_once(self) -> None:
        """Start the child, wait until it is ready, then until it ends. Raises ProcessStartError."""
        self.state, self.detail = ProcessState.STARTING, "starting"
        self._errors.clear()
        process = self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=Path(__file__).parent.parent.parent
        )
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ProcessStartError("the engine's pipes could not be made")
        errors = asyncio.create_task(self._collect(process.stderr))
        try:
            process.stdin.write(self._settings_line.encode())
            with contextlib.suppress(ConnectionError):  # it is gone already: its exit says why
                await process.stdin.drain()
            async with asyncio.timeout(START_DEADLINE_S):
                line = await process.stdout.readline()
            if not line:
                await errors
                raise ProcessStartError(self._last_words())
            self.greeting = orjson.loads(line)
            self.state, self.detail = ProcessState.READY, "ready"
            if self._ready is not None and not self._ready.done():
                self._ready.set_result(self.greeting)
            await process.wait()
            await errors
        except TimeoutError as error:
            raise ProcessStartError(f"the engine was not ready in {START_DEADLINE_S:g} s") from error
        finally:
            errors.cancel()
            await self._end()

    async def _collect(self, stderr: asyncio.StreamReader) -> None:
        async for line in stderr:
            self._errors.append(line.decode(errors="replace").strip()[:300])

    def _last_words(self) -> str:
        return self._errors[-1] if self._errors else "it said nothing"

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        for end in (process.terminate, process.kill):
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    end()
            else:
                return
        await process.wait()
