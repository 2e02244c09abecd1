"""`steelyard keys`: make, list and revoke keys, beside a running gateway or without one."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ledger.budgets import Scope, ScopeKind, Window
from ledger.clock import system_clock, to_datetime
from ledger.ledger import set_limit
from ledger.money import parse_usd
from router.commands.exit_codes import errors_as_sentences
from router.commands.ledger_file import refusal
from router.commands.state_file import machine_user
from router.commands.tables import print_whole, stdout_console, words
from router.errors import InvalidRequestError
from router.settings import CONFIG_NAME, Settings, load_settings
from router.state.office import place_of
from router.state.register import KeyRegister

app = typer.Typer(no_args_is_help=True, help="Keys, which belong to teams.")
Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]


@app.command(epilog="Example: steelyard keys create --team finance --name invoices --day-usd 2.50")
def create(
    team: Annotated[str, typer.Option(help="The team that the key belongs to; it must have a policy file.")],
    name: Annotated[str, typer.Option(help="What the key is for.")] = "",
    day_usd: Annotated[str | None, typer.Option(help="At most so many US dollars a day.")] = None,
    month_usd: Annotated[str | None, typer.Option(help="At most so many US dollars a month.")] = None,
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Make a key. It is printed once, on stdout, and stored nowhere.

    Exit codes: 0 made, 2 wrong usage or configuration, 3 the data folder cannot be written.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        if team not in settings.policies.teams:
            known = ", ".join(settings.policies.teams)
            raise InvalidRequestError(f"there is no policy for team '{team}'; teams are {known}")
        limits = [
            (window, parse_usd(text))
            for window, text in ((Window.DAY, day_usd), (Window.MONTH, month_usd))
            if text is not None
        ]
        with closing(open_keys(settings)) as keys:
            stored, text = keys.create(team, name)
            for window, amount in limits:
                set_limit(
                    settings.ledger_path,
                    Scope(ScopeKind.KEY, stored.key_id),
                    window,
                    amount,
                    at_us=system_clock(),
                    by=machine_user(),
                    reason="set when the key was made",
                    team=team,
                )
            keys.touch()
        typer.echo(f"key {stored.key_id} of team '{team}'; it is shown this once:", err=True)
        typer.echo(text)


@app.command("list", epilog="Example: steelyard keys list")
def list_keys(config: Config = Path(CONFIG_NAME)) -> None:
    """List all keys; the keys themselves are not stored and so not shown.

    Exit codes: 0 listed, 1 there are none, 2 wrong usage or configuration, 3 they cannot be read.
    """
    with errors_as_sentences():
        with closing(open_keys(load_settings(config))) as keys:
            found = keys.all()
        if not found:
            raise refusal("there is no key yet; make one with: steelyard keys create --team TEAM")
        table = Table("key", "team", "name", "ends in", "made", "revoked", box=None)
        for key in found:
            revoked = _minute(key.revoked_at_us) if key.revoked_at_us is not None else ""
            made = _minute(key.created_at_us)
            table.add_row(key.key_id, *map(words, (key.team or "", key.name, key.hint)), made, revoked)
        print_whole(stdout_console(), table)


@app.command(epilog="Example: steelyard keys revoke key_01M87G5PV3WDGZFCJAST5YYYWW")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, from `steelyard keys list`.")],
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Revoke a key for good; a running gateway refuses it from its next request on.

    Exit codes: 0 revoked, 1 there is no such active key, 2 wrong usage or configuration, 3 the data
    folder cannot be written.
    """
    with errors_as_sentences():
        with closing(open_keys(load_settings(config))) as keys:
            keys.revoke(key_id)
        typer.echo(f"{key_id} is revoked")


def open_keys(settings: Settings) -> KeyRegister:
    """The keys of a configuration, to be closed by the caller."""
    return place_of(settings, system_clock).open(machine_user()).register


def _minute(at_us: int) -> str:
    return to_datetime(at_us).strftime("%Y-%m-%d %H:%M")
