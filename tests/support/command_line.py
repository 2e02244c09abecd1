"""The command line as a user has it: a process of its own, or in this one where only words matter."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from typer.testing import CliRunner, Result

from router.commands.main import command_line

PROGRAM = (sys.executable, "-m", "router.commands.main")
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This environment without what would point a command at somebody's gateway."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("STEELYARD_URL", "STEELYARD_API_KEY", "FORCE_COLOR")
    }
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**kept, "PYTHONPATH": path, **(more or {})}


def start(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a command; its output is piped, and it leads a process group of its own."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment(env),
        start_new_session=True,
    )


def run(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run a command to its end in a process of its own."""
    child = start(*arguments, cwd=cwd, env=env)
    out, err = child.communicate(timeout=PATIENCE_S)
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def invoke(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Result:
    """Run a command in this process."""
    nobodys = {"STEELYARD_URL": None, "STEELYARD_API_KEY": None, "COLUMNS": "200"}
    return CliRunner().invoke(
        command_line(), [str(argument) for argument in arguments], env={**nobodys, **(env or {})}
    )


def assert_refused(ran: "Result | subprocess.CompletedProcess[bytes]", code: int, said: str) -> None:
    """The command ended with `code` and one sentence on stderr that holds `said`, and nothing on stdout."""
    if isinstance(ran, Result):
        found, out, err = ran.exit_code, ran.stdout, ran.stderr
    else:
        found, out, err = ran.returncode, ran.stdout.decode(), ran.stderr.decode()
    assert found == code, err
    assert out == ""
    assert err.startswith("steelyard: "), err
    assert err.count("\n") == 1, err
    assert said in err
