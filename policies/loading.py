"""Read the policy files of a folder: one team a file, one for the organisation, nothing unknown, nothing unread."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from policies.document import parse_bytes
from policies.errors import DocumentError, PolicyError
from policies.files import read_file, rule_files
from policies.nodes import Mapping, Scalar
from policies.organisation import Organisation, read_organisation
from policies.route_facts import RouteFacts
from policies.rule_reading import Known
from policies.rulebook import Rulebook
from policies.team import TeamPolicy
from policies.team_reading import read_policy


@dataclass(frozen=True, slots=True)
class Policies:
    """All that is in force: each team's policy, and the same compiled; by team."""

    teams: dict[str, TeamPolicy]
    rulebooks: dict[str, Rulebook] = field(compare=False)
    organisation: Organisation | None = None


@dataclass(frozen=True, slots=True)
class _File:
    """A policy file as it was read."""

    content: bytes
    document: Mapping


def load_policies(folder: Path, routes: Sequence[RouteFacts]) -> Policies:
    """Read every policy file of `folder`, but not of folders beneath it, for the routes that there are.

    Raises PolicyError with file, line and what to write instead.
    """
    policies, problems = read_policies(folder, routes)
    if problems:
        raise problems[0]
    return policies


def read_policies(folder: Path, routes: Sequence[RouteFacts]) -> tuple[Policies, list[PolicyError]]:
    """Read the same as far as it can be read, and say of each file the first thing that is wrong with it."""
    problems: list[PolicyError] = []
    files = list(_files(folder, problems))
    organisations = [file for file in files if file.document.has("organisation")]
    team_files = [file for file in files if file not in organisations]
    organisation = _organisation(organisations, team_files, routes, problems, unread=bool(problems))
    teams: dict[str, TeamPolicy] = {}
    for file in team_files:
        in_force = b"".join(each.content for each in (*organisations, file))
        policy_hash = hashlib.sha256(in_force).hexdigest()
        try:
            policy = read_policy(file.document, policy_hash, routes, organisation)
            other = teams.get(policy.team)
            if other is not None:
                raise file.document.error(
                    f"team '{policy.team}' has its rules in {other.file} already; write one file a team",
                    "team",
                )
            teams[policy.team] = policy
        except PolicyError as error:
            problems.append(error)
    if not teams and not problems:
        problems.append(
            DocumentError(
                "no policy file (*.yaml) of a team is here; without one no team may do anything, so write one",
                str(folder),
                None,
            )
        )
    rulebooks = {team: Rulebook(policy, routes) for team, policy in teams.items()}
    return Policies(teams, rulebooks, organisation), problems


def _organisation(
    organisations: Sequence[_File],
    team_files: Sequence[_File],
    routes: Sequence[RouteFacts],
    problems: list[PolicyError],
    *,
    unread: bool,
) -> Organisation | None:
    """The organisation's rules, from its only file; `unread` where another file may be a team's that it names."""
    problems += [
        second.document.error(
            f"the organisation has its rules in {organisations[0].document.file} already; write one file",
            "organisation",
        )
        for second in organisations[1:]
    ]
    try:
        if organisations:
            known = Known(routes, _team_names(team_files), all_read=not unread)
            return read_organisation(organisations[0].document, known)
    except PolicyError as error:
        problems.append(error)
    return None


def _team_names(files: Sequence[_File]) -> set[str]:
    """The teams of files that name one; of the others it is said where each is read."""
    named = (file.document.entries.get("team") for file in files)
    return {node.text for node in named if isinstance(node, Scalar)}


def _files(folder: Path, problems: list[PolicyError]) -> Iterator[_File]:
    if not folder.is_dir():
        problems.append(
            DocumentError(
                "there is no such folder; make it and put one file a team into it", str(folder), None
            )
        )
    for path in rule_files(folder):
        try:
            content = read_file(path)
            yield _File(content, parse_bytes(content, path.name))
        except DocumentError as error:
            problems.append(error)
