"""Serve a gateway: one port, one event loop, a graceful end.

uvicorn with uvloop and httptools. The socket is bound before anything else starts, so that a
port in use is one sentence, and `port 0` is known.
"""

import asyncio
import contextlib
import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import uvicorn
import uvloop

from router.app import Gateway, build
from router.errors import UnavailableError
from router.settings import Settings
from router.telemetry import bridge_loggers
from router.transport import refuse_unsafe

BACKLOG = 2_048
GRACE_S = 30
GC_ALLOCATIONS = 20_000
"""Net new objects before the collector looks for cycles; Python's own 700 cost a tenth of a request."""
SWITCH_SECONDS = 0.000_5
"""After this long a thread with other work (a check of a large document) lets the event loop go on; Python's own is ten
times that, and so is what each answer's bytes would wait."""
RUNNING_FILE = "gateway.json"


def bind(host: str, port: int) -> socket.socket:
    """Bind the listening socket. Raises UnavailableError that names what is wrong and what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UnavailableError(
                f"port {port} on {host} is in use; stop what listens there or choose another with --port (0 takes any free one)"
            ) from None
        if error.errno == errno.EACCES:
            raise UnavailableError(f"port {port} needs root; choose one above 1023 with --port") from None
        raise UnavailableError(f"cannot listen on {host} port {port}: {error.strerror}") from None
    listener.set_inheritable(True)
    return listener


def serve(
    settings: Settings, on_ready: Callable[[str], None], *, make: Callable[[Settings], Gateway] = build
) -> None:
    """Run what `make` makes until SIGTERM or SIGINT. `on_ready` gets the URL once requests are answered."""
    refuse_unsafe(settings.host, settings.transport)
    listener = bind(settings.host, settings.port)
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    with listener:
        url = f"{settings.transport.scheme}://{host}:{port}"
        uvloop.run(_serve(settings, listener, url, on_ready, make))


async def _serve(
    settings: Settings,
    listener: socket.socket,
    url: str,
    on_ready: Callable[[str], None],
    make: Callable[[Settings], Gateway],
) -> None:
    gateway = make(settings)
    bridge_loggers(gateway.telemetry)
    server = _Server(
        uvicorn.Config(
            gateway.app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE_S,
            timeout_keep_alive=75,
            ssl_certfile=settings.transport.tls_cert,
            ssl_keyfile=settings.transport.tls_key,
        ),
        lambda: _ready(gateway, settings.data_dir / RUNNING_FILE, url, on_ready),
    )
    _settle_memory()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        gateway.start()
        await server.serve(sockets=[listener])
    finally:
        (settings.data_dir / RUNNING_FILE).unlink(missing_ok=True)
        await gateway.close()


def _settle_memory() -> None:
    """Take what the start made out of the garbage collector's rounds: it lives as long as we do.

    A request's objects are freed by their counts; cycles are rare, so rounds may be too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS)


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it is up."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End gracefully at SIGTERM and SIGINT. uvicorn's own raises the signal again afterwards, which
        would kill us before the ledger has written what is queued."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_started()


def _ready(gateway: Gateway, running_file: Path, url: str, on_ready: Callable[[str], None]) -> None:
    temporary = running_file.with_suffix(".tmp")
    temporary.write_bytes(orjson.dumps({"url": url, "pid": os.getpid()}))
    temporary.replace(running_file)
    gateway.telemetry.event("ready", url=url)
    on_ready(url)


def running_gateway(data_dir: Path) -> str | None:
    """The URL of the gateway that runs on this data folder; None if none does."""
    try:
        found = orjson.loads((data_dir / RUNNING_FILE).read_bytes())
        os.kill(int(found["pid"]), 0)
    except (FileNotFoundError, ProcessLookupError, ValueError, KeyError, TypeError):
        return None
    except PermissionError:
        return str(found["url"])
    return str(found["url"])
