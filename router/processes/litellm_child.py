"""litellm in a process of its own: `python -m router.processes.litellm_child`, settings as a line on stdin.

It serves one provider's chat completions to the gateway alone: on loopback, to who shows a random key. It ends
with its standard input, that is with the gateway, however that ended. Before litellm is imported the fence
stands. Nothing that litellm prints or logs goes anywhere.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import BinaryIO

import orjson
import uvicorn

from router.asgi import App
from router.processes.litellm_fence import Fence
from router.processes.litellm_settings import LitellmSettings

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Serve one provider until standard input ends; 1 with one sentence on stderr if that cannot be."""
    _end_with_parent()
    out, words = _take_outputs()
    listener = socket.create_server(("127.0.0.1", 0))
    try:
        app = _app(LitellmSettings.from_line(sys.stdin.readline()))
    except Exception as error:  # noqa: BLE001  the process's boundary: its last words, by type and module alone
        missing = f" {error.name}" if isinstance(error, ModuleNotFoundError) else ""
        words.write(f"litellm cannot be started: {type(error).__name__}{missing}\n".encode())
        return 1
    threading.Thread(target=_end_with_input, daemon=True).start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    out.write(orjson.dumps({"address": address}) + b"\n")
    asyncio.run(_Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="none")).serve([listener]))
    return 0


def _app(settings: LitellmSettings) -> App:
    Fence(settings.host, settings.port).put_up()
    from router.processes.litellm_door import Door  # it imports litellm, so the fence comes first

    return Door(settings)


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves the signals alone: our end is the gateway's to order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none; Ctrl-C in a terminal is for the gateway."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        yield


def _end_with_parent() -> None:
    """On Linux, be ended by the kernel when the gateway is killed, whatever this process is busy with."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)  # at once: what is being answered has nobody left to hear it


def _take_outputs() -> tuple[BinaryIO, BinaryIO]:
    """Keep standard output and error for ourselves: whoever prints from now on prints to nowhere."""
    out, words = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return os.fdopen(out, "wb", buffering=0), os.fdopen(words, "wb", buffering=0)


if __name__ == "__main__":
    sys.exit(main())
