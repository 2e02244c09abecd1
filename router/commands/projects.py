"""`steelyard projects`: parts of a team with keys and a budget of their own."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from router.commands.exit_codes import errors_as_sentences
from router.commands.ledger_file import refusal
from router.commands.state_file import Config, minute, office
from router.commands.tables import print_whole, stdout_console, words
from router.settings import CONFIG_NAME, load_settings

app = typer.Typer(no_args_is_help=True, help="Projects, between a team and its keys.")
OfTeam = Annotated[str, typer.Option(help="The team that the project belongs to.")]
Name = Annotated[str, typer.Argument(help="The project's name.")]


@app.command(epilog="Example: steelyard projects create march --team finance")
def create(project: Name, team: OfTeam, config: Config = Path(CONFIG_NAME)) -> None:
    """Make a project, or open a closed one again.

    Exit codes: 0 made, 1 there is no such team, 2 wrong usage or configuration, 3 the data folder
    cannot be written.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        with office(settings) as opened:
            opened.directory.ensure_teams(tuple(settings.policies.teams))
            opened.directory.create_project(team, project)
        typer.echo(f"project '{project}' of team '{team}' is there")


@app.command("list", epilog="Example: steelyard projects list --team finance")
def list_projects(
    team: Annotated[str | None, typer.Option(help="Only this team's.")] = None,
    config: Config = Path(CONFIG_NAME),
) -> None:
    """List the projects.

    Exit codes: 0 listed, 1 there are none, 2 wrong usage or configuration, 3 they cannot be read.
    """
    with errors_as_sentences():
        with office(load_settings(config)) as opened:
            found = opened.directory.projects(team)
        if not found:
            raise refusal("there is no project; make one with: steelyard projects create NAME --team TEAM")
        table = Table("team", "project", "made", "closed", box=None)
        for project in found:
            table.add_row(
                words(project.team),
                words(project.name),
                minute(project.created_at_us),
                minute(project.closed_at_us),
            )
        print_whole(stdout_console(), table)


@app.command(epilog="Example: steelyard projects close march --team finance")
def close(
    project: Name,
    team: OfTeam,
    reason: Annotated[str, typer.Option(help="Why: it stands in the ledger.")] = "",
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Close a project: its keys open nothing any more.

    Exit codes: 0 closed, 1 there is no such open project, 2 wrong usage or configuration, 3 the data
    folder cannot be written.
    """
    with errors_as_sentences():
        with office(load_settings(config)) as opened:
            opened.directory.close_project(team, project, reason)
        typer.echo(f"project '{project}' of team '{team}' is closed")
