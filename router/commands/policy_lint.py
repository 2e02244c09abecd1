"""`steelyard policy lint`: every policy file of the folder and every case, each with what is wrong with it."""

import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from policies.cases import CaseNames, read_cases
from policies.document import read_document
from policies.errors import PolicyError
from policies.files import rule_files
from policies.lint import LintWarning, lint
from policies.loading import Policies, read_policies
from policies.route_facts import RouteFacts
from policies.rule_lint import KnownKeys, lint_rules
from router.commands.exit_codes import USAGE, errors_as_sentences
from router.commands.policy_cases import case_paths
from router.commands.state_file import Config, office
from router.commands.tables import count, plain
from router.settings import CONFIG_NAME, load_settings, policies_source
from router.state.office import STATE_FILE


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"


def lint_files(
    output: Annotated[
        Format, typer.Option("--format", help="text has a line a finding: FILE:LINE: error or warning: ...")
    ] = Format.TEXT,
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Read every policy file and every case; tell all errors, then what is allowed and probably not meant.

    Exit codes: 0 nothing is wrong, with warnings or without, 2 at least one file is, or the configuration,
    3 the data folder cannot be read.
    """
    with errors_as_sentences():
        folder, routes = policies_source(config)
        policies, problems = read_policies(folder, routes)
        files = rule_files(folder)
        if not problems:
            cases = case_paths(folder)
            files += cases
            problems = list(_wrong_cases(cases, CaseNames(tuple(policies.teams), routes)))
        warnings = list(_warnings(config, policies, routes)) if not problems else []
        if output is Format.JSON:
            typer.echo(json.dumps(_json(problems, warnings), indent=2, ensure_ascii=False))
        else:
            _print(problems, warnings, f"{count(len(files), 'file')} in {folder}")
    if problems:
        raise typer.Exit(USAGE)


def _wrong_cases(paths: Sequence[Path], names: CaseNames) -> Iterator[PolicyError]:
    for path in paths:
        try:
            read_cases(read_document(path), names)
        except PolicyError as error:
            yield error


def _warnings(config: Path, policies: Policies, routes: Sequence[RouteFacts]) -> Iterator[LintWarning]:
    for policy in policies.teams.values():
        yield from lint(policy)
    yield from lint_rules(policies, routes, _known_keys(config))


def _known_keys(config: Path) -> KnownKeys | None:
    """The keys and projects that were made, where there is a state file already."""
    settings = load_settings(config)
    if not (settings.data_dir / STATE_FILE).is_file():
        return None
    with office(settings) as opened:
        keys = {str(key.key_id): (key.team, key.rights.project) for key in opened.register.all()}
        projects = {(project.team, project.name) for project in opened.directory.projects()}
    return KnownKeys(projects, keys)


def _print(problems: Sequence[PolicyError], warnings: Sequence[LintWarning], where: str) -> None:
    for error in problems:
        line = f":{error.line}" if error.line is not None else ""
        typer.echo(f"{plain(error.file)}{line}: error: {plain(error.message)}")
    for warning in warnings:
        typer.echo(f"{warning.file}:{warning.line}: warning: {plain(warning.message)}")
    if not problems and not warnings:
        typer.echo(f"{where}: nothing to say")
        return
    typer.echo(f"{where}: {count(len(problems), 'error')}, {count(len(warnings), 'warning')}")


def _json(problems: Sequence[PolicyError], warnings: Sequence[LintWarning]) -> dict[str, object]:
    return {
        "errors": [{"file": each.file, "line": each.line, "message": each.message} for each in problems],
        "warnings": [{"file": each.file, "line": each.line, "message": each.message} for each in warnings],
    }
