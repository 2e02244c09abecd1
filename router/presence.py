"""Whether a gateway lives on a data folder.

It holds a lock there, which goes with its process however that ends; a process id proves nothing,
since another process may have it by now. `gateway.json`, which says where the gateway answers, is
taken away before the lock is taken and written beneath it: while somebody holds the lock, the file
is that gateway's own.
"""

import contextlib
import fcntl
from pathlib import Path
from typing import IO

ADDRESS_FILE = "gateway.json"
LOCK_FILE = "gateway.lock"


def take_presence(data_dir: Path) -> IO[bytes]:
    """Say that this process is the gateway of `data_dir`, until what is returned is closed.

    Call it with the ledger's lock held: there is no second gateway to wait for then, but only somebody
    who looks.
    """
    (data_dir / ADDRESS_FILE).unlink(missing_ok=True)  # of one that was killed
    lock = (data_dir / LOCK_FILE).open("ab")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def gateway_lives(data_dir: Path) -> bool:
    """Whether a gateway of this folder runs, or begins to."""
    try:
        lock = (data_dir / LOCK_FILE).open("rb")
    except FileNotFoundError:
        return False
    with contextlib.closing(lock):
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
