"""`steelyard policy explain`: what would be decided about a request, and why, without sending anything."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from policies.facts import Label
from router.caller import Caller
from router.commands.exit_codes import errors_as_sentences
from router.commands.explain_json import explanation_json
from router.commands.explain_tables import print_explanation
from router.commands.explained import explained, read_request, rulebook_of
from router.commands.state_file import Config, office
from router.commands.tables import stdout_console
from router.errors import InvalidRequestError, NotFoundError
from router.settings import CONFIG_NAME, Settings, load_settings
from router.state.keys import StoredKey
from router.state.office import STATE_FILE


class Format(StrEnum):
    """How it is printed."""

    TABLE = "table"
    JSON = "json"


def explain_request(
    request: Annotated[Path, typer.Argument(help="A chat request as JSON.", metavar="REQUEST.json")],
    *,
    team: Annotated[str | None, typer.Option(help="Whose request; may be left out if there is one.")] = None,
    key: Annotated[
        str | None,
        typer.Option(
            help="The key that it comes with: its team, project, environment, models.", metavar="ID"
        ),
    ] = None,
    project: Annotated[str | None, typer.Option(help="The project of a key of which you give no id.")] = None,
    environment: Annotated[str | None, typer.Option(help="Its environment.")] = None,
    label: Annotated[Label | None, typer.Option(help="As if the client had declared it.")] = None,
    purpose: Annotated[str | None, typer.Option(help="As if the client had declared it.")] = None,
    model: Annotated[str | None, typer.Option(help="A plan or model in place of the request's.")] = None,
    output: Annotated[
        Format, typer.Option("--format", help="json holds all of it, money in nano-USD.")
    ] = Format.TABLE,
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Say what would be decided about a request, by which rule at which line, and send nothing.

    What is spent is not looked at: a request that is allowed here may find the day's or month's money gone.

    Exit codes: 0 explained, whatever is decided, 1 there is no such key or model, 2 a request, team or
    configuration that cannot be read, 3 the data folder cannot be read.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        caller, notes = _caller(settings, team, key, project, environment)
        asked = read_request(request, model=model, label=label, purpose=purpose)
        found = explained(settings, asked, caller)
        if output is Format.JSON:
            typer.echo(json.dumps(explanation_json(found, notes), indent=2, ensure_ascii=False))
        else:
            print_explanation(stdout_console(), found, request.name, notes)


def _caller(
    settings: Settings, team: str | None, key_id: str | None, project: str | None, environment: str | None
) -> tuple[Caller, tuple[str, ...]]:
    """Who asks, and what is to be said of their key. Raises InvalidRequestError, NotFoundError."""
    if key_id is None:
        rulebook = rulebook_of(settings, team)
        return Caller("", rulebook.policy.team, rulebook, (), project, environment), ()
    if project is not None or environment is not None:
        raise InvalidRequestError(
            "--key says the project and the environment; leave --project and --environment out"
        )
    key = _key(settings, key_id)
    if key.team is None:
        raise InvalidRequestError(f"{key_id} belongs to no team: it administers and cannot spend")
    if team not in (None, key.team):
        raise InvalidRequestError(f"{key_id} belongs to team '{key.team}', not '{team}'; leave --team out")
    rights = key.rights
    models = frozenset(rights.models) if rights.models is not None else None
    rulebook = rulebook_of(settings, key.team)
    notes = (
        ("the key is revoked: it is refused with 401 before any rule",)
        if key.revoked_at_us or key.closed
        else ()
    )
    return Caller(key.key_id, key.team, rulebook, (), rights.project, rights.environment, models), notes


def _key(settings: Settings, key_id: str) -> StoredKey:
    if not (settings.data_dir / STATE_FILE).is_file():  # to look makes no state file
        raise NotFoundError(
            f"there is no key yet in {settings.data_dir}; make one with: steelyard keys create"
        )
    with office(settings) as opened:
        return opened.register.get(key_id)
