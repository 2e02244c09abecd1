"""Logs: one JSON object a line, with the request's id, without prompts, answers or keys.

Lines are collected and written together a few times a second, so that a request pays for
composing its line and not for a system call. An error is logged by its type and the places that
it passed, never by its message: messages may repeat what a client sent.
"""

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Iterable
from traceback import FrameSummary
from typing import IO

import orjson

from ledger.clock import Clock, to_datetime

FLUSH_S = 0.2
FLUSH_BYTES = 64 * 1024


class Telemetry:
    """Writes log lines to a stream, stderr by default."""

    def __init__(self, clock: Clock, stream: IO[bytes] | None = None, *, requests: bool = True) -> None:
        self._clock = clock
        self._stream = stream if stream is not None else sys.stderr.buffer
        self._requests = requests
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._scheduled = False

    def request(
        self,
        *,
        request_id: str,
        method: str,
        path: str,
        status: int,
        team: str | None,
        key_id: str | None,
        duration_us: int,
    ) -> None:
        """Log one request, served or refused."""
        if self._requests:
            self._write(
                {
                    "event": "request",
                    "at": to_datetime(self._clock()).isoformat(),
                    "request_id": request_id,
                    "method": method[:16],
                    "path": path[:120],
                    "status": status,
                    "team": team,
                    "key_id": key_id,
                    "duration_us": duration_us,
                }
            )

    def failure(self, request_id: str, error: BaseException, frames: Iterable[FrameSummary]) -> None:
        """Log an error that is ours: its type and places."""
        places = [
            f"{'/'.join(frame.filename.rsplit('/', 2)[-2:])}:{frame.lineno} {frame.name}" for frame in frames
        ]
        self.event("failure", request_id=request_id, error=type(error).__name__, places=places)

    def event(self, event: str, **fields: str | float | bool | list[str] | None) -> None:
        """Log something that happened to the gateway itself, at once and from any thread."""
        self.flush()
        line = {"event": event, "at": to_datetime(self._clock()).isoformat(), **fields}
        self._stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._stream.flush()

    def flush(self) -> None:
        """Write what was collected."""
        self._scheduled = False
        self._bytes = 0
        lines: list[bytes] = []
        while self._lines:  # popped one by one: another thread may flush too
            lines.append(self._lines.popleft())
        if lines:
            self._stream.write(b"".join(lines))
            self._stream.flush()

    def _write(self, fields: dict[str, object]) -> None:
        line = orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
        self._lines.append(line)
        self._bytes += len(line)
        if self._bytes >= FLUSH_BYTES:
            self.flush()
        elif not self._scheduled:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                self.flush()
                return
            self._scheduled = True
            loop.call_later(FLUSH_S, self.flush)


class LogBridge(logging.Handler):
    """Brings what Python's loggers say into the same stream, one JSON object a line.

    Of others' records only the template is kept and the type of the exception: the values that are put
    into it may hold what a client sent. Our own loggers name ids and states alone.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__(logging.WARNING)
        self._telemetry = telemetry

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        ours = record.name.startswith("steelyard")
        said = record.getMessage() if ours else str(record.msg)
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] is not None else None
        self._telemetry.event(
            "log", logger=record.name, level=record.levelname.lower(), said=said[:500], error=error
        )


def bridge_loggers(telemetry: Telemetry) -> None:
    """Let the root logger write to `telemetry` and to nothing else."""
    root = logging.getLogger()
    root.handlers[:] = [LogBridge(telemetry)]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
