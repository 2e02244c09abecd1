"""Supervise one engine's process: start, watch, start again with back-off, stop.

It knows a command and a settings line, and nothing of what the engine does: llama.cpp and the
torch engine are started alike. The child ends with its standard input, so it cannot outlive us.
"""

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import orjson

from router.json_types import JsonObject, JsonValue

START_DEADLINE_S = 300.0
STOP_S = 5.0
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 30.0
FAILURES_MAX = 5
STABLE_S = 60.0
WORDS_CHARS_MAX = 300


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

    def __init__(self, module: str, settings_line: str, environment: Mapping[str, str] | None = None) -> None:
        """`environment` is all that the child has of one; None: ours."""
        self._environment = environment
        self._command = (sys.executable, "-m", module)
        self._settings_line = settings_line
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[JsonObject] | None = None
        self._words: deque[str] = deque(maxlen=5)
        self._returncode: int | None = None
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
        if self._watch is None or self._ready is None:
            self._ready = asyncio.get_running_loop().create_future()
            self._watch = asyncio.create_task(self._keep_alive(self._ready))
        return await asyncio.shield(self._ready)

    async def stop(self) -> None:
        """End the child: close its input, then terminate, then kill. Who waits for it hears so."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        await self._end()
        self.state, self.detail = ProcessState.STOPPED, "stopped"
        if self._ready is not None:
            if not self._ready.done():
                self._ready.set_exception(ProcessStartError("the engine was stopped before it was ready"))
            if not self._ready.cancelled():
                self._ready.exception()  # seen: nobody need have waited for it

    async def _keep_alive(self, ready: asyncio.Future[JsonObject]) -> None:
        failures = 0
        while True:
            try:
                lived_s = await self._run_once(ready)
            except ProcessStartError as error:
                failures += 1
                self.detail = str(error)
                if not ready.done():
                    self.state = ProcessState.FAILED
                    ready.set_exception(error)
                    return
            else:
                failures = 1 if lived_s > STABLE_S else failures + 1
                self.detail = f"the engine's process ended: {self._last_words()}"
            if failures >= FAILURES_MAX:
                self.state = ProcessState.FAILED
                return
            self.state = ProcessState.STARTING
            self.restarts += 1
            await asyncio.sleep(min(BACKOFF_FIRST_S * 2 ** (failures - 1), BACKOFF_MAX_S))

    async def _run_once(self, ready: asyncio.Future[JsonObject]) -> float:
        """Start the child, wait until it is ready, then until it ends; return the seconds in between.

        Raises ProcessStartError if it does not become ready.
        """
        self.state, self.detail = ProcessState.STARTING, "starting"
        self._words.clear()
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                cwd=Path(__file__).parent.parent.parent,
                env=self._environment,
            )
        except OSError as error:
            raise ProcessStartError(f"the engine's process cannot be started: {error.strerror}") from error
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ProcessStartError("the engine's pipes could not be made")
        words = asyncio.create_task(self._collect(process.stderr))
        greeted: asyncio.Task[None] | None = None
        try:
            process.stdin.write(self._settings_line.encode())
            with contextlib.suppress(ConnectionError):  # it is gone already: its exit says why
                await process.stdin.drain()
            async with asyncio.timeout(START_DEADLINE_S):
                line = await _first_line(process.stdout)
                if not line:
                    await self._ended(process, words)
                    raise ProcessStartError(self._last_words())
            self.greeting = _greeting(line)
            self.state, self.detail = ProcessState.READY, "ready"
            ready_at = asyncio.get_running_loop().time()
            if not ready.done():
                ready.set_result(self.greeting)
            greeted = asyncio.create_task(_read_away(process.stdout))
            await self._ended(process, words)
            return asyncio.get_running_loop().time() - ready_at
        except TimeoutError as error:
            raise ProcessStartError(f"the engine was not ready in {START_DEADLINE_S:g} s") from error
        finally:
            words.cancel()
            if greeted is not None:
                greeted.cancel()
            await self._end()

    async def _ended(self, process: Process, words: asyncio.Task[None]) -> None:
        self._returncode = await process.wait()
        await words

    async def _collect(self, stderr: asyncio.StreamReader) -> None:
        """Keep the last lines, however long they are: a full pipe would stop the child."""
        line = b""
        while data := await stderr.read(65_536):
            *whole, line = (line + data).split(b"\n")
            line = line[-WORDS_CHARS_MAX:]
            self._keep(whole)
        self._keep([line])

    def _keep(self, lines: list[bytes]) -> None:
        for line in lines:
            words = line.decode(errors="replace").strip()
            if words:
                self._words.append(words[:WORDS_CHARS_MAX])

    def _last_words(self) -> str:
        if self._words:
            return self._words[-1]
        if self._returncode is not None and self._returncode < 0:
            return f"it was ended by {_signal_name(-self._returncode)}"
        return "it said nothing"

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


async def _first_line(stdout: asyncio.StreamReader) -> bytes:
    try:
        return await stdout.readline()
    except ValueError as error:
        raise ProcessStartError("the engine's first line is too long to be its greeting") from error


async def _read_away(stdout: asyncio.StreamReader) -> None:
    """Read what nobody needs: a full pipe would stop the child."""
    while await stdout.read(65_536):
        continue


def _greeting(line: bytes) -> JsonObject:
    try:
        greeting: JsonValue = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ProcessStartError("the engine's first line is not its greeting, but something else") from error
    if not isinstance(greeting, dict):
        raise ProcessStartError("the engine's first line is not its greeting, but something else")
    return greeting


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
