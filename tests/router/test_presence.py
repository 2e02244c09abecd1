"""A gateway lives where somebody holds its lock; a file that one left behind proves nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

from router.presence import ADDRESS_FILE, gateway_lives, take_presence

HOLD = "import sys; from pathlib import Path; from router.presence import take_presence; lock = take_presence(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"


def leave_behind(folder: Path) -> None:
    """What a gateway that was killed leaves, when its process's number is another's by now."""
    (folder / ADDRESS_FILE).write_text(json.dumps({"url": "http://127.0.0.1:1", "pid": os.getpid()}))


def test_nobody_lives_where_nobody_ever_did(tmp_path: Path) -> None:
    assert not gateway_lives(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_gateway_lives_until_it_ends(tmp_path: Path) -> None:
    with take_presence(tmp_path):
        assert gateway_lives(tmp_path)
    assert not gateway_lives(tmp_path)


def test_one_that_was_killed_does_not_live_whoever_has_its_number_now(tmp_path: Path) -> None:
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert held.stdout is not None
    assert held.stdout.readline() == b"held\n"
    leave_behind(tmp_path)
    assert gateway_lives(tmp_path)
    held.kill()
    held.communicate()
    assert not gateway_lives(tmp_path)


def test_the_address_of_the_one_before_is_gone_before_the_next_one_lives(tmp_path: Path) -> None:
    leave_behind(tmp_path)
    with take_presence(tmp_path):
        assert not (tmp_path / ADDRESS_FILE).exists()


def test_who_only_looks_keeps_no_gateway_from_starting(tmp_path: Path) -> None:
    take_presence(tmp_path).close()
    assert not gateway_lives(tmp_path)
    with take_presence(tmp_path):
        assert gateway_lives(tmp_path)
