"""`steelyard teams`: make, list and close teams, beside a running gateway or without one."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from router.commands.exit_codes import errors_as_sentences
from router.commands.ledger_file import refusal
from router.commands.state_file import Config, minute, office
from router.commands.tables import print_whole, stdout_console, words
from router.settings import CONFIG_NAME, load_settings

app = typer.Typer(no_args_is_help=True, help="Teams, which have policies, projects, members and keys.")
Reason = Annotated[str, typer.Option(help="Why: it stands in the ledger.")]


@app.command(epilog="Example: steelyard teams create legal")
def create(
    team: Annotated[str, typer.Argument(help="The team's name, as its policy file has it.")],
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Make a team, or open a closed one again. What it may do says its policy file.

    Exit codes: 0 made, 2 wrong usage or configuration, 3 the data folder cannot be written.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        with office(settings) as opened:
            opened.directory.create_team(team)
        typer.echo(f"team '{team}' is there")
        if team not in settings.policies.teams:
            typer.echo("it has no policy file yet, so nothing is allowed to it", err=True)


@app.command("list", epilog="Example: steelyard teams list")
def list_teams(config: Config = Path(CONFIG_NAME)) -> None:
    """List all teams.

    Exit codes: 0 listed, 1 there are none, 2 wrong usage or configuration, 3 they cannot be read.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        with office(settings) as opened:
            found = opened.directory.teams()
        if not found:
            raise refusal("there is no team yet; make one with: steelyard teams create TEAM")
        table = Table("team", "policy", "made", "closed", box=None)
        for team in found:
            policy = settings.policies.teams.get(team.name)
            table.add_row(
                words(team.name),
                words(policy.file if policy is not None else "none"),
                minute(team.created_at_us),
                minute(team.closed_at_us),
            )
        print_whole(stdout_console(), table)


@app.command(epilog="Example: steelyard teams close legal --reason 'now part of finance'")
def close(
    team: Annotated[str, typer.Argument(help="The team's name.")],
    reason: Reason = "",
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Close a team: its keys, and those of its members, open nothing any more.

    Exit codes: 0 closed, 1 there is no such open team, 2 wrong usage or configuration, 3 the data
    folder cannot be written.
    """
    with errors_as_sentences():
        with office(load_settings(config)) as opened:
            opened.directory.close_team(team, reason)
        typer.echo(f"team '{team}' is closed")
