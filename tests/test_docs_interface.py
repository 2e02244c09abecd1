"""The documents name what the program has: commands and options, error codes, headers, variables; and links
lead somewhere. So who adds one is told where it is to be documented."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from router import errors
from router.commands.main import NAMES, command_line

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = (ROOT / "docs" / "commands.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
SOURCES = sorted((ROOT / "router").rglob("*.py"))

UNHEARD = {"client_left", "unavailable"}
"""Codes that no caller gets: nobody listens any more; it is the commands' own."""
EVERYWHERE = {"--config", "--ledger", "--help"}
"""Options that are told once for all commands that have them."""
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def options_of(command: object, name: str) -> Iterator[tuple[str, set[str]]]:
    """Every command that does something, by its words, with its options."""
    if isinstance(command, TyperGroup):
        for word, inner in command.commands.items():
            yield from options_of(inner, f"{name} {word}")
    elif isinstance(command, TyperCommand):
        yield name, {option for each in command.params for option in each.opts if option.startswith("--")}


OPTIONS = dict(options_of(get_command(command_line()), "steelyard"))


def sections() -> dict[str, str]:
    """What docs/commands.md says of each command."""
    parts = re.split(r"^## (.*)$", COMMANDS, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_has_its_section_and_every_section_its_command() -> None:
    assert sorted(sections()) == sorted(OPTIONS)
    assert {name.split()[1] for name in OPTIONS} == set(NAMES)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_a_section_names_every_option_and_none_that_is_not_there(name: str) -> None:
    told, known = set(_OPTION.findall(sections()[name])), OPTIONS[name]
    assert known - told <= EVERYWHERE
    assert told - known == set()


def error_codes() -> set[str]:
    """Each `code` of an error's class, and each that is given where one is raised."""
    found = {
        each.code
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.GatewayError)
    }
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call):
                found |= set(_codes_in(node))
    return found - UNHEARD


def _codes_in(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    given = [each.value for each in call.keywords if each.arg == "code"] if name.endswith("Error") else []
    if name.endswith("_invalid"):
        given = call.args[1:]
    yield from (str(each.value) for each in given if isinstance(each, ast.Constant))


def test_the_table_of_errors_has_every_code_and_no_other() -> None:
    told = {
        code
        for line in API.splitlines()
        if re.match(r"\| \d{3} \|", line)
        for code in re.findall(r"`([a-z_]+)`", line.split("|")[2])
    }
    assert told == error_codes() - {"upstream_refused"}, "which stands below, with the provider's own codes"
    assert "`upstream_refused`" in API


def test_each_status_of_an_error_stands_in_the_table_or_is_a_providers_own() -> None:
    told = {int(status) for status in re.findall(r"^\| (\d{3}) \|", API, flags=re.MULTILINE)}
    raised = {
        each.status
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.GatewayError)
    }
    assert raised - {errors.ClientLeftError.status} == told


def test_every_header_that_is_read_or_sent_is_told() -> None:
    code = "\n".join(path.read_text() for path in SOURCES)
    sent = {name.removeprefix("x-steelyard") for name in re.findall(r'b"(x-steelyard-[a-z-]+)"', code)}
    assert sent
    for ending in sent:
        assert f"`{ending}`" in API or f"`x-steelyard{ending}`" in API, ending


def test_every_variable_of_the_environment_is_told() -> None:
    code = "\n".join(path.read_text() for path in SOURCES)
    read = set(re.findall(r'"(STEELYARD_[A-Z_]+|OPENAI_API_KEY)"', code))
    told = set(
        re.findall(r"`(STEELYARD_[A-Z_]+|OPENAI_API_KEY)`", CONFIGURATION.split("## The environment")[1])
    )
    assert read == told


def anchors(path: Path) -> set[str]:
    """What a heading can be linked by."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_a_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        found = path.parent / file if file else path
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target
