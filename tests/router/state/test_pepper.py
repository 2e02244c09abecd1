"""The pepper: made once, readable by its owner alone, or from the environment."""

from pathlib import Path

import pytest

from router.errors import UnavailableError
from router.state.pepper import load_pepper


def test_it_is_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "data" / "pepper"
    first = load_pepper(path, None)
    assert len(first) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_pepper(path, None) == first


def test_the_environment_wins_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "pepper"
    assert load_pepper(path, "e" * 32) == b"e" * 32
    assert not path.exists()


def test_a_short_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="at least 32"):
        load_pepper(tmp_path / "pepper", "short")
    path = tmp_path / "torn"
    path.write_text("torn")
    path.chmod(0o600)
    with pytest.raises(UnavailableError, match="too short; restore it"):
        load_pepper(path, None)


def test_one_that_others_can_read_is_refused_with_what_to_type(tmp_path: Path) -> None:
    path = tmp_path / "pepper"
    load_pepper(path, None)
    path.chmod(0o644)
    with pytest.raises(UnavailableError, match=f"chmod 600 {path}"):
        load_pepper(path, None)
