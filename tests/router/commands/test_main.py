"""Every command has a help with an example that is real."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ledger.schema import ensure_schema
from router.commands.main import NAMES, command_line
from support.command_line import ROOT, invoke
from support.gateway import config_text, write_config

EXPECTED = {
    "serve", "config check", "extract", "report", "show", "quote", "keys create", "keys list", "keys revoke",
    "demo", "local pull", "local list", "local inspect", "local verify", "local plan", "local convert", "outcome", "keys rotate", "keys rotate-pepper",
    "teams create", "teams list", "teams close", "projects create", "projects list", "projects close",
    "policy lint", "policy explain", "policy test", "members add", "members list", "members role", "members remove", "budgets set", "budgets list",
}  # fmt: skip
OPTIONS = {
    "extract": ("--schema", "--team", "FILE..."),
    "report": ("--team", "--from", "--to", "--by", "--format"),
    "show": ("REQUEST_ID", "--format"),
    "quote": ("REQUEST.json", "--team"),
    "policy explain": ("REQUEST.json", "--team", "--key", "--label", "--purpose", "--model", "--format"),
    "policy test": ("[FILE]...",),
    "policy lint": ("--format",),
    "keys create": ("--team",),
    "serve": ("--config", "--host", "--port"),
    "local pull": ("MODEL",),
    "outcome": ("REQUEST_ID", "--right", "--wrong"),
}
ALONE = (
    "config check",
    "report",
    "show",
    "outcome",
    "quote",
    "policy lint",
    "policy explain",
    "policy test",
    "keys create",
    "keys list",
    "keys revoke",
    "keys rotate",
    "keys rotate-pepper",
    "teams create",
    "teams list",
    "teams close",
    "projects create",
    "projects list",
    "projects close",
    "members add",
    "members list",
    "members role",
    "members remove",
    "budgets set",
    "budgets list",
    "local pull",
    "local list",
)
"""Whose examples need no gateway and no model to be run."""


NOTHING_YET = {
    "report", "show", "outcome", "keys list", "keys revoke", "keys rotate", "teams list", "teams close",
    "projects list", "projects close", "members list", "members role", "members remove", "budgets set",
}  # fmt: skip
"""Which find nothing where nothing was made."""


def commands(group: typer.Typer, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every command of the program, with its epilog."""
    for command in group.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback is not None else "")
        yield f"{prefix}{name}", command.epilog or ""
    for sub in group.registered_groups:
        assert sub.typer_instance is not None
        yield from commands(sub.typer_instance, f"{prefix}{sub.name} ")


COMMANDS = dict(commands(command_line()))


def example(name: str) -> list[str]:
    found = re.fullmatch(r"Example: steelyard (.*)", COMMANDS[name])
    assert found is not None, f"{name} has no example"
    return shlex.split(found.group(1).split(" > ")[0])


def test_the_commands_are_those_of_the_documentation() -> None:
    assert set(COMMANDS) == EXPECTED
    page = (ROOT / "docs" / "commands.md").read_text()
    for name in EXPECTED:
        assert f"steelyard {name}" in page, name


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_help_shows_its_options_and_an_example_of_itself(name: str) -> None:
    ran = invoke(*name.split(), "--help")
    assert ran.exit_code == 0
    assert example(name)[: len(name.split())] == name.split()
    assert COMMANDS[name] in " ".join(ran.stdout.split())
    for option in OPTIONS.get(name, ()):
        assert option.lower() in ran.stdout.lower()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_example_is_a_command_line_that_can_be_parsed(name: str) -> None:
    root = typer.main.get_command(command_line())
    arguments = example(name)
    while arguments and hasattr(root, "commands"):
        root = root.commands[arguments.pop(0)]
    root.make_context(name, arguments)  # raises a usage error for an option that is not there
    assert root.name == name.rsplit(maxsplit=1)[-1]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory as the examples take it for granted."""
    write_config(tmp_path, config_text("http://127.0.0.1:1/v1"))
    (tmp_path / "request.json").write_text(
        '{"model": "auto", "messages": [{"role": "user", "content": "x"}]}'
    )
    (tmp_path / "policies" / "tests").mkdir()
    (tmp_path / "policies" / "tests" / "finance.yaml").write_text(
        "cases: [{name: a, request: {team: finance}, expect: {plan: cheap}}]\n"
    )
    ensure_schema(tmp_path / "steelyard-data" / "ledger.sqlite")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ALONE)
def test_an_example_that_needs_no_gateway_runs(place: Path, name: str) -> None:
    ran = invoke(*example(name))
    nothing_there_yet = name in NOTHING_YET
    assert ran.exit_code == (1 if nothing_there_yet else 0), ran.stderr
    assert ran.exception is None or isinstance(ran.exception, SystemExit)
    assert bool(ran.stdout) is (not nothing_there_yet or name == "report")


@pytest.mark.parametrize(
    "group", [(), ("keys",), ("config",), ("local",)], ids=["all", "keys", "config", "local"]
)
def test_a_group_alone_lists_its_commands(group: tuple[str, ...]) -> None:
    ran = CliRunner().invoke(command_line(), list(group))
    prefix = f"{group[0]} " if group else ""
    for name in EXPECTED:
        if name.startswith(prefix):
            assert name.removeprefix(prefix).split()[0] in ran.stdout


def test_every_file_of_a_command_is_in_the_program() -> None:
    files = {path.stem for path in (ROOT / "router" / "commands").glob("*.py") if _has_a_command(path)}
    assert {stem.partition("_")[0] for stem in files} == set(NAMES)


def _has_a_command(path: Path) -> bool:
    return path.stem != "main" and "epilog" in path.read_text().lower()


def test_a_misspelt_command_is_wrong_usage() -> None:
    ran = invoke("reprot")
    assert ran.exit_code == 2
    assert "No such command 'reprot'" in ran.stderr
