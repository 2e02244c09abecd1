"""Other processes: waiting for one that is no child of ours, and for what changes when one ends; its memory."""

import asyncio
import os
import select
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 30.0


async def end_of(pid: int) -> None:
    """Wait until a process is gone, ours or not."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        if not await asyncio.to_thread(poll.poll, PATIENCE_S * 1_000):
            raise AssertionError(f"process {pid} lives on")
    finally:
        os.close(handle)


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until `condition` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  (another process brings it about, and tells nobody)
            await asyncio.sleep(0.005)
