"""The listening socket, and who is found to run."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from router.errors import UnavailableError
from router.server import RUNNING_FILE, bind, running_gateway


def test_a_port_in_use_is_said_with_what_to_do() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UnavailableError, match="is in use; stop what listens there or choose another"),
    ):
        bind("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_that_is_not_ours_is_a_sentence(host: str) -> None:
    with pytest.raises(UnavailableError, match="cannot listen on"):
        bind(host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_any_free_port_can_be_taken(host: str) -> None:
    with bind(host, 0) as listener:
        assert listener.getsockname()[1] > 0


def write(folder: Path, content: bytes) -> None:
    (folder / RUNNING_FILE).write_bytes(content)


def test_a_gateway_that_runs_is_found_by_its_file(tmp_path: Path) -> None:
    write(tmp_path, json.dumps({"url": "http://127.0.0.1:1", "pid": os.getpid()}).encode())
    assert running_gateway(tmp_path) == "http://127.0.0.1:1"


def test_one_that_was_killed_is_not(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    write(tmp_path, json.dumps({"url": "http://127.0.0.1:1", "pid": gone.pid}).encode())
    assert running_gateway(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"url": "x", "pid": "y"}'])
def test_a_torn_file_is_nobody(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, content)
    assert running_gateway(tmp_path) is None


def test_no_file_is_nobody(tmp_path: Path) -> None:
    assert running_gateway(tmp_path) is None
