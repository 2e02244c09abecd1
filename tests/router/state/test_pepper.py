"""The pepper: made once, readable by its owner alone, or from the environment."""

from pathlib import Path

import pytest

from router.errors import InvalidRequestError, UnavailableError
from router.state.pepper import load_peppers, rotate_pepper


def test_it_is_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "data" / "pepper"
    first = load_peppers(path, None)
    assert len(first.current.secret) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_peppers(path, None) == first


def test_the_environment_wins_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "pepper"
    assert load_peppers(path, "e" * 32).current.secret == b"e" * 32
    assert not path.exists()


def test_a_short_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="at least 32"):
        load_peppers(tmp_path / "pepper", "short")
    path = tmp_path / "torn"
    path.write_text("torn")
    path.chmod(0o600)
    with pytest.raises(UnavailableError, match="too short; restore it"):
        load_peppers(path, None)


def test_one_that_others_can_read_is_refused_with_what_to_type(tmp_path: Path) -> None:
    path = tmp_path / "pepper"
    load_peppers(path, None)
    path.chmod(0o644)
    with pytest.raises(UnavailableError, match=f"chmod 600 {path}"):
        load_peppers(path, None)


def test_one_that_was_rotated_lies_beside_the_new_one_until_its_overlap_ends(tmp_path: Path) -> None:
    path = tmp_path / "pepper"
    before = load_peppers(path, None).current
    old, new = rotate_pepper(path, now_us=10, until_us=99)
    found = load_peppers(path, None)
    assert (found.current, found.previous) == (new, old)
    assert (old.secret, old.until_us, old.id) == (before.secret, 99, before.id)
    assert new.id != old.id
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    with pytest.raises(InvalidRequestError, match="overlap has not ended"):
        rotate_pepper(path, now_us=98, until_us=200)
    assert rotate_pepper(path, now_us=99, until_us=200)[0].secret == new.secret


def test_its_name_and_its_repr_tell_nothing_of_it(tmp_path: Path) -> None:
    pepper = load_peppers(tmp_path / "pepper", None).current
    assert len(pepper.id) == 12
    assert pepper.secret.decode() not in repr(pepper)
    assert pepper.id not in pepper.secret.decode()


def test_the_environment_may_name_the_one_before(tmp_path: Path) -> None:
    found = load_peppers(tmp_path / "pepper", "n" * 32, "o" * 32)
    assert found.previous is not None
    assert (found.current.secret, found.previous.secret) == (b"n" * 32, b"o" * 32)
    with pytest.raises(UnavailableError, match="STEELYARD_PEPPER_PREVIOUS has 5"):
        load_peppers(tmp_path / "pepper", "n" * 32, "short")
