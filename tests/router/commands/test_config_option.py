"""Where a command finds the ledger."""

from pathlib import Path

import pytest

from router.commands.config_option import ledger_path_of
from support.command_line import assert_refused, invoke


def test_a_ledger_that_is_named_wins(tmp_path: Path) -> None:
    assert ledger_path_of(tmp_path / "none.yaml", tmp_path / "other.sqlite") == tmp_path / "other.sqlite"


def test_a_configuration_says_where_its_ledger_lies(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("data: here\nroutes: not read for this\n")
    assert ledger_path_of(tmp_path / "a.yaml", None) == tmp_path / "here" / "ledger.sqlite"


def test_without_any_it_is_looked_for_in_its_usual_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ledger_path_of(None, None) == Path("steelyard-data") / "ledger.sqlite"
    (tmp_path / "steelyard.yaml").write_text("data: elsewhere\n")
    assert ledger_path_of(None, None) == Path("elsewhere").resolve() / "ledger.sqlite"


@pytest.mark.parametrize("command", [("report",), ("show", "req_1")], ids=["report", "show"])
@pytest.mark.parametrize(
    ("name", "said"),
    [("none.yaml", "there is no configuration at none.yaml"), ("bad.yaml", "bad.yaml line "), (".", "at .")],
    ids=["missing", "broken", "folder"],
)
def test_a_configuration_that_cannot_be_read_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text("{")
    assert_refused(invoke(*command, "--config", name), 2, said)
