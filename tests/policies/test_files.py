"""What lies in a folder of rules and is no file of rules: one sentence, at once, and nothing is waited for."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from policies.errors import DocumentError
from policies.files import FILE_BYTES_MAX, read_file, rule_files
from policies.loading import read_policies
from support.rules import routes_of

ROUTES = routes_of(["flash"])
TEAM = "team: finance\nmodels: [flash]\n"


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    os.chdir(path.parent)  # a socket's whole path has 108 bytes at most
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(path.name)


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to("gone.yaml")


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def an_endless_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_terabyte(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


NO_FILE = {
    "a folder": (a_folder, "this is a folder, and rules stand in files; rename it, or move its files up"),
    "a pipe": (a_pipe, "this is a pipe, a socket or a device, and rules stand in files; take it away"),
    "a socket": (a_socket, "this is a pipe, a socket or a device, and rules stand in files; take it away"),
    "a device": (an_endless_device, "this is a pipe, a socket or a device, and rules stand in files; take it away"),
    "a link to nothing": (a_link_to_nothing, "this is a link that leads to no file; let it lead to one, or take it away"),
    "a link to itself": (a_link_to_itself, "this is a link that leads to no file; let it lead to one, or take it away"),
    "a terabyte": (a_terabyte, "the file has more than 262144 bytes, and no more are read; shorten it"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "said"), NO_FILE.values(), ids=NO_FILE.keys())
def test_what_is_no_file_of_rules_is_told_beside_the_files_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], said: str
) -> None:
    monkeypatch.chdir(tmp_path)  # and back, whoever goes elsewhere
    (tmp_path / "finance.yaml").write_text(TEAM)
    make(tmp_path / "legal.yaml")
    policies, (problem,) = read_policies(tmp_path, ROUTES)
    assert list(policies.teams) == ["finance"]
    assert str(problem) in (f"legal.yaml: {said}", f"legal.yaml line 1: {said}")


@pytest.mark.parametrize(
    "name", [b"x\ny.yaml", b"x\xff.yaml", b"\x1b[31m.yaml"], ids=["line break", "byte", "escape"]
)
def test_a_file_whose_name_cannot_be_shown_is_told_in_one_line(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_text(TEAM)
    with pytest.raises(
        DocumentError, match="the file's name holds a character that cannot be shown"
    ) as caught:
        read_file(path)
    assert str(caught.value).isprintable()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"^gone.yaml: there is no such file; write it, or name another$"):
        read_file(tmp_path / "gone.yaml")


def test_whatever_the_size_of_a_file_not_much_more_than_the_limit_is_read(tmp_path: Path) -> None:
    a_terabyte(tmp_path / "a.yaml")
    assert len(read_file(tmp_path / "a.yaml")) == FILE_BYTES_MAX + 1


def test_a_file_of_rules_ends_in_yaml_however_it_is_spelt_and_an_editors_own_file_is_none(
    tmp_path: Path,
) -> None:
    """What `ORGANISATION.YAML` says must not be lost without a word; `.#finance.yaml` is Emacs's lock."""
    for name in ("b.yml", "a.YAML", "c.yaml", "README.md", "c.yaml~", "c.yaml.bak", ".c.yaml.swp"):
        (tmp_path / name).write_text(TEAM)
    (tmp_path / ".#c.yaml").symlink_to("somebody@here.4711")
    (tmp_path / "._c.yaml").write_bytes(b"\x00\x05\x16\x07")
    assert [path.name for path in rule_files(tmp_path)] == ["a.YAML", "b.yml", "c.yaml"]
