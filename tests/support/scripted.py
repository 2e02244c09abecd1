"""Scripted models as a process: started with a script, asked over HTTP, ended with their input."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.sources import ROOT

from router.simulated.script import Script


@contextmanager
def running_scripted(script: Script) -> Iterator[str]:
    """Run the server of `script`; give its address."""
    child = subprocess.Popen(
        [sys.executable, "-m", "router.simulated.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(script.to_line())
        child.stdin.flush()
        yield json.loads(child.stdout.readline())["address"]
    finally:
        child.stdin.close()
        assert child.wait(20) == 0
        child.stdout.close()


def write_documents(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write the documents that a script knows."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
