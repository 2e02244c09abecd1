"""`steelyard policy test`: the cases beside the rules, run against the rules as they stand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from policies.cases import Case, CaseNames, read_cases
from policies.decision import Deny
from policies.document import read_document
from policies.explanation import Explanation
from policies.facts import Facts
from policies.files import rule_files
from policies.rules import Rule
from policies.trying import Difference, differences
from router.caller import Caller
from router.classification import classify, facts_of
from router.commands.exit_codes import NOTHING, errors_as_sentences
from router.commands.explained import facts_explained, read_request
from router.commands.ledger_file import refusal
from router.commands.state_file import Config
from router.commands.tables import count, stdout_console, words
from router.errors import InvalidRequestError
from router.settings import CONFIG_NAME, Settings, load_settings

FOLDER = "tests"
"""Beneath the policies' folder, where no policy file is looked for."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A case, what was decided, and what of it is not as expected."""

    case: Case
    found: Explanation
    differences: tuple[Difference, ...]


def run_cases(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files of cases; all of the folder tests beside the policies if left out.",
            metavar="[FILE]...",
        ),
    ] = None,
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Run the cases beside the rules; say what is not as expected, and which rules no case makes hold.

    Exit codes: 0 all are as expected, 1 at least one is not, or there are no cases, 2 a case, policy or
    configuration that cannot be read.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        paths = files or case_paths(settings.policies_dir)
        if not paths:
            raise refusal(
                f"there are no cases in {settings.policies_dir / FOLDER}; write some, as docs/policies.md shows, "
                "or name a file"
            )
        tried = [each for path in paths for each in _tried(settings, path)]
        console = stdout_console()
        for each in tried:
            _print_case(console, each)
        failed = _print_summary(console, tried, _unreached(settings, tried, everybody=not files))
    if failed:
        raise typer.Exit(NOTHING)


def case_paths(policies: Path) -> list[Path]:
    """The files of cases beside a folder of policies, in order."""
    return rule_files(policies / FOLDER)


def case_names(settings: Settings) -> CaseNames:
    """What cases may name."""
    return CaseNames(tuple(settings.policies.teams), settings.route_facts)


def _tried(settings: Settings, path: Path) -> Iterator[Tried]:
    for case in read_cases(read_document(path), case_names(settings)):
        found = facts_explained(settings, _facts(settings, case, path.parent))
        yield Tried(case, found, differences(case.expected, found))


def _facts(settings: Settings, case: Case, folder: Path) -> Facts:
    """A case's facts; those of its request file, if it names one, found as the gateway finds them."""
    if case.request_file is None:
        return case.facts
    said = case.facts
    try:
        request = read_request(
            folder / case.request_file, model=case.named_model, label=said.label, purpose=said.purpose
        )
    except InvalidRequestError as error:
        raise InvalidRequestError(f"{case.file} line {case.line}: {error}") from error
    rulebook = settings.policies.rulebooks[said.team]
    caller = Caller(said.key_id or "", said.team, rulebook, (), said.project, said.environment)
    facts = facts_of(request, classify(request, said.team, b"case"), caller)
    return replace(facts, key_id=said.key_id)


def _print_case(console: Console, tried: Tried) -> None:
    case = tried.case
    if not tried.differences:
        console.print(words(("ok    ", "green"), case.name))
        return
    console.print(words(("FAIL  ", "bold red"), (case.name, "bold"), f"  {case.place}"))
    width = max(len(each.what) for each in tried.differences)
    for each in tried.differences:
        console.print(
            words(f"        {each.what:<{width}}  expected  ", (each.expected, "green")), soft_wrap=True
        )
        console.print(words(f"        {'':<{width}}  found     ", (each.found, "red")), soft_wrap=True)
    decision = tried.found.decision
    if isinstance(decision, Deny):
        console.print(words((f"        {decision.reason}", "dim")), soft_wrap=True)
        return
    for told in tried.found.routes:
        for rule, why in told.falls:
            said = f"        route '{told.facts.name}' falls by rule {rule.id} ({rule.place}): {why}"
            console.print(words((said, "dim")), soft_wrap=True)


def _print_summary(console: Console, tried: Sequence[Tried], unreached: Sequence[Rule]) -> int:
    failed = sum(bool(each.differences) for each in tried)
    as_expected = f"{len(tried) - failed} of {count(len(tried), 'case')} as expected"
    console.print(words((as_expected, "bold red" if failed else "bold green")))
    if unreached:
        console.print(words(f"no case makes {count(len(unreached), 'rule')} hold:"))
        for rule in unreached:
            console.print(words(f"      {rule.id}  {rule.place}"))
    return failed


def _unreached(settings: Settings, tried: Sequence[Tried], *, everybody: bool) -> tuple[Rule, ...]:
    """The rules that no case makes hold: of the organisation and of each team, or of those that cases are about."""
    reached = {rule.id for each in tried for rule in each.found.applying}
    teams = settings.policies.teams if everybody else {each.case.facts.team for each in tried}
    rules = {rule.id: rule for team in teams for rule in settings.policies.teams[team].rules}
    return tuple(rule for rule in rules.values() if rule.id not in reached)
