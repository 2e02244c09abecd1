"""`steelyard members`: people and their roles. The first owner of an organisation is made here."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from router.commands.exit_codes import errors_as_sentences
from router.commands.ledger_file import refusal
from router.commands.state_file import Config, minute, office
from router.commands.tables import print_whole, stdout_console, words
from router.errors import InvalidRequestError
from router.settings import CONFIG_NAME, load_settings
from router.state.directory import Directory
from router.state.roles import Role

app = typer.Typer(no_args_is_help=True, help="Members, who have a role in the organisation or in a team.")
MemberId = Annotated[str, typer.Argument(help="From `steelyard members list`: mem_...")]
Reason = Annotated[str, typer.Option(help="Why: it stands in the ledger.")]


@app.command(epilog="Example: steelyard members add --name Ada --role owner --organisation 'Acme Ltd'")
def add(
    name: Annotated[str, typer.Option(help="The person's name.")],
    role: Annotated[
        Role, typer.Option(help="owner, auditor: in the organisation; admin, member: in a team.")
    ],
    team: Annotated[str | None, typer.Option(help="The team of a role in one.")] = None,
    organisation: Annotated[
        str | None, typer.Option(help="The organisation's name, with its first owner.")
    ] = None,
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Give a person a role. A key for them: steelyard keys create --member MEMBER_ID.

    Exit codes: 0 done, 1 there is no such team, 2 wrong usage or configuration, 3 the data folder
    cannot be written.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        with office(settings) as opened:
            directory = opened.directory
            directory.ensure_teams(tuple(settings.policies.teams))
            _name_organisation(directory, organisation, role)
            member = directory.add_member(name, role, team)
        where = f"of team '{team}'" if team is not None else "of the organisation"
        typer.echo(f"member '{name}' is {role} {where}; `steelyard keys create` makes their key", err=True)
        typer.echo(member.member_id)


@app.command("list", epilog="Example: steelyard members list")
def list_members(config: Config = Path(CONFIG_NAME)) -> None:
    """List all members.

    Exit codes: 0 listed, 1 there are none, 2 wrong usage or configuration, 3 they cannot be read.
    """
    with errors_as_sentences():
        with office(load_settings(config)) as opened:
            found = opened.directory.members()
        if not found:
            raise refusal(
                "there is no member yet; make the first owner with: steelyard members add --role owner"
            )
        table = Table("member", "name", "role", "team", "since", "removed", box=None)
        for member in found:
            table.add_row(
                member.member_id,
                words(member.name),
                member.role.value,
                words(member.team or ""),
                minute(member.created_at_us),
                minute(member.removed_at_us),
            )
        print_whole(stdout_console(), table)


@app.command(
    epilog="Example: steelyard members role mem_01M8ARWEC617FDQQPCKHQY1XT7 admin --reason 'leads now'"
)
def role(
    member_id: MemberId,
    role: Annotated[Role, typer.Argument(help="The new role.")],
    reason: Reason = "",
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Give a member another role in the same place.

    Exit codes: 0 done, 1 there is no such member, 2 wrong usage or configuration, 3 the data folder
    cannot be written.
    """
    with errors_as_sentences():
        with office(load_settings(config)) as opened:
            opened.directory.change_role(member_id, role, reason)
        typer.echo(f"{member_id} is {role}")


@app.command(epilog="Example: steelyard members remove mem_01M8ARWEC617FDQQPCKHQY1XT7 --reason left")
def remove(member_id: MemberId, reason: Reason = "", config: Config = Path(CONFIG_NAME)) -> None:
    """Remove a member: their keys open nothing any more. The last owner stays.

    Exit codes: 0 removed, 1 there is no such member, 2 wrong usage or configuration, 3 the data folder
    cannot be written.
    """
    with errors_as_sentences():
        with office(load_settings(config)) as opened:
            opened.directory.remove_member(member_id, reason)
        typer.echo(f"{member_id} is removed")


def _name_organisation(directory: Directory, name: str | None, role: Role) -> None:
    known = directory.organisation()
    if name is not None and known not in (None, name):
        raise InvalidRequestError(f"the organisation is '{known}' already; leave --organisation out")
    if name is not None:
        directory.found_organisation(name)
    elif known is None and role is Role.OWNER:
        raise InvalidRequestError("this is the first owner; name the organisation with --organisation NAME")
