"""Paths are the configuration's, not the shell's; `~` is home."""

from pathlib import Path

import pytest

from policies.document import parse_bytes
from policies.errors import PolicyError
from router.config_paths import configured_path, weights_folder
from router.errors import InvalidRequestError


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("data: rows\n", "/etc/steelyard/rows"),
        ("data: ../rows\n", "/etc/rows"),
        ("data: /var/rows\n", "/var/rows"),
        ("data: ~/rows\n", str(Path.home() / "rows")),
        ("other: 1\n", "/etc/steelyard/usual"),
    ],
    ids=["beside it", "above it", "absolute", "at home", "left out"],
)
def test_a_path_is_relative_to_the_configuration(written: str, expected: str) -> None:
    section = parse_bytes(written.encode(), "f.yaml")
    assert configured_path(section, "data", "usual", Path("/etc/steelyard")) == Path(expected)


def test_a_path_is_absolute_although_the_configuration_was_named_relatively(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    section = parse_bytes(b"data: rows\n", "f.yaml")
    assert configured_path(section, "data", "usual", Path()) == tmp_path.resolve() / "rows"


def test_a_home_that_is_not_there_is_refused_at_its_line() -> None:
    section = parse_bytes(b"# a\ndata: ~nobody-of-that-name/rows\n", "f.yaml")
    with pytest.raises(PolicyError, match="line 2: data names a home folder that is not there"):
        configured_path(section, "data", "usual", Path("/"))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"STEELYARD_MODELS": "/srv/models", "XDG_DATA_HOME": "/srv"}, Path("/srv/models")),
        ({"XDG_DATA_HOME": "/srv"}, Path("/srv/steelyard/models")),
        ({}, Path.home() / ".local/share/steelyard/models"),
        ({"STEELYARD_MODELS": "", "XDG_DATA_HOME": ""}, Path.home() / ".local/share/steelyard/models"),
    ],
    ids=["named", "the user's data folder", "neither", "both empty"],
)
def test_weights_are_kept_where_the_environment_says(environment: dict[str, str], expected: Path) -> None:
    assert weights_folder(environment) == expected


def test_a_user_without_a_home_is_told_which_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as for a user that has no entry anywhere
    with pytest.raises(InvalidRequestError, match="name one in STEELYARD_MODELS"):
        weights_folder({})
