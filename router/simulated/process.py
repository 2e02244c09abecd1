"""Run scripted models in a process of their own for a while."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from router.errors import UnavailableError
from router.simulated.script import Script

END_S = 20.0


@contextmanager
def running_scripted(script: Script) -> Iterator[str]:
    """Give the address of the server of `script`; it ends with the block, or with this process.

    Raises UnavailableError with the server's own sentence if it does not start.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "router.simulated.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C in a terminal is for us; its end is ours to order
    )
    with child:
        if child.stdin is None or child.stdout is None or child.stderr is None:
            raise UnavailableError("the scripted models have no pipes to speak through")
        try:
            child.stdin.write(script.to_line())
            child.stdin.flush()
            line = child.stdout.readline()
            if not line:
                raise UnavailableError(f"the scripted models did not start: {child.stderr.read().strip()}")
            yield json.loads(line)["address"]
        finally:
            child.stdin.close()
            try:
                child.wait(END_S)
            except subprocess.TimeoutExpired:
                child.kill()
