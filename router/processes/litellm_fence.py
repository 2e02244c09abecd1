"""The fence around litellm's process: it reaches one server and nothing else.

Python's audit hook, put up before litellm is imported, cannot be taken down again. It refuses what litellm,
or whatever it imports, may try from Python: another address, another name's lookup, a port to listen at,
another program, a library loaded by hand.
"""

import socket
import sys
from typing import Any

_REFUSED = frozenset(
    [
        "socket.bind", "socket.gethostbyname", "socket.gethostbyaddr", "subprocess.Popen", "os.system",
        "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn", "ctypes.dlopen",
    ]
)  # fmt: skip
_SENDS = frozenset(["socket.connect", "socket.sendto", "socket.sendmsg"])
_look_up = socket.getaddrinfo


class EgressRefusedError(PermissionError):
    """Something was reached for that the fence does not let through."""


class Fence:
    """Lets `host`:`port` through: whatever addresses that name has."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._addresses = {host}  # an address is its own name, and is not looked up

    def put_up(self) -> None:
        """Hold this process to it from now on."""
        socket.getaddrinfo = self._looked_up
        sys.addaudithook(self._judge)

    def _looked_up(self, host: bytes | str | None, *args: Any, **options: Any) -> list[Any]:
        found = _look_up(host, *args, **options)
        self._addresses.update(str(each[4][0]) for each in found)  # of our host: the hook refuses any other
        return found

    def _judge(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            if _text(args[0]) != self._host:
                raise EgressRefusedError(f"looking up '{_text(args[0])[:253]}' is refused")
        elif event in _SENDS:
            self._judge_address(args[-1])
        elif event in _REFUSED:
            raise EgressRefusedError(f"{event} is refused")

    def _judge_address(self, address: object) -> None:
        if address is None:
            return  # a message on a connected socket, whose connecting was judged
        if isinstance(address, tuple) and address[1] == self._port and address[0] in self._addresses:
            return
        shown = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else "a socket of this machine"
        raise EgressRefusedError(f"connecting to {shown} is refused")


def _text(host: object) -> str:
    return host.decode("latin-1") if isinstance(host, bytes) else str(host)
