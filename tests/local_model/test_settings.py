"""What the engine's process is told on its standard input."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_model.errors import SettingsError
from local_model.settings import GgufSettings

SETTINGS = GgufSettings("model.gguf", 512, 2, 4, "canary-key")


def test_settings_come_back_from_their_line() -> None:
    line = SETTINGS.to_line()
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert GgufSettings.from_line(line) == SETTINGS


def test_the_key_is_not_shown() -> None:
    assert "canary-key" not in repr(SETTINGS)


@pytest.mark.parametrize(
    "change",
    [
        {"slots": 0}, {"threads": 0}, {"context_window": 255}, {"slots": "2"}, {"threads": 1.5}, {"weights": ""},
        {"weights": None}, {"api_key": ""}, {"unknown": 1}, {"context_window": None},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(change: dict[str, object]) -> None:
    line = json.dumps({**json.loads(SETTINGS.to_line()), **change})
    with pytest.raises(SettingsError) as refused:
        GgufSettings.from_line(line)
    assert "canary-key" not in str(refused.value)


@given(st.text(max_size=20) | st.recursive(st.none() | st.integers(), st.lists, max_leaves=3).map(json.dumps))
def test_a_line_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(SettingsError):
        GgufSettings.from_line(line)


def test_a_line_that_lacks_something_is_refused() -> None:
    with pytest.raises(SettingsError):
        GgufSettings.from_line('{"weights": "x"}')
