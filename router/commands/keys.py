"""`steelyard keys`: make, list, rotate and revoke keys, beside a running gateway or without one."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ledger.budgets import Scope, ScopeKind, Window
from ledger.clock import system_clock
from ledger.ledger import set_limit
from ledger.money import NanoUSD, parse_usd
from router.commands.exit_codes import errors_as_sentences
from router.commands.ledger_file import refusal
from router.commands.state_file import Config, machine_user, minute, office
from router.commands.tables import print_whole, stdout_console, words
from router.errors import InvalidRequestError
from router.settings import CONFIG_NAME, Settings, load_settings
from router.state.keys import StoredKey
from router.state.office import Office, place_of
from router.state.pepper import rotate_pepper
from router.state.register import KeyRegister
from router.state.rights import Rights

DAY_US = 86_400_000_000
HOURS_MAX = 90 * 24
app = typer.Typer(no_args_is_help=True, help="Keys, which belong to teams, or to members.")
KeyId = Annotated[str, typer.Argument(help="The key's id, from `steelyard keys list`.")]


@app.command(epilog="Example: steelyard keys create --team finance --name invoices --day-usd 2.50")
def create(
    team: Annotated[
        str | None, typer.Option(help="The team of an application's key; it must have a policy file.")
    ] = None,
    member: Annotated[
        str | None, typer.Option(help="The member whose key it is, with their role.", metavar="MEMBER_ID")
    ] = None,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "",
    project: Annotated[str | None, typer.Option(help="The team's project that it spends for.")] = None,
    environment: Annotated[
        str | None, typer.Option(help="What it is used in, e.g. production or test: a fact for rules.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Only this model; may be repeated.", metavar="MODEL")
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this path, or with /* at its end all beneath; may be repeated.", metavar="PATH"
        ),
    ] = None,
    expires_days: Annotated[
        int | None, typer.Option(help="It opens nothing after so many days.", min=1)
    ] = None,
    day_usd: Annotated[str | None, typer.Option(help="At most so many US dollars a day.")] = None,
    month_usd: Annotated[str | None, typer.Option(help="At most so many US dollars a month.")] = None,
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Make a key. It is printed once, on stdout, and stored nowhere.

    Exit codes: 0 made, 1 there is no such member or project, 2 wrong usage or configuration, 3 the
    data folder cannot be written.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        rights = Rights(
            tuple(model) if model else None,
            tuple(path) if path else None,
            environment,
            project,
            system_clock() + expires_days * DAY_US if expires_days is not None else None,
        )
        limits = [
            (window, parse_usd(text))
            for window, text in ((Window.DAY, day_usd), (Window.MONTH, month_usd))
            if text is not None
        ]
        with office(settings) as opened:
            whose, place = _holder(opened, settings, team, member)
            stored, text = opened.register.create(place, name, rights, member_id=member)
            _limit(settings, stored, limits)
            opened.register.touch()
        typer.echo(f"key {stored.key_id} of {whose}; it is shown this once:", err=True)
        typer.echo(text)


@app.command("list", epilog="Example: steelyard keys list")
def list_keys(config: Config = Path(CONFIG_NAME)) -> None:
    """List all keys; the keys themselves are not stored and so not shown.

    Exit codes: 0 listed, 1 there are none, 2 wrong usage or configuration, 3 they cannot be read.
    """
    with errors_as_sentences():
        with office(load_settings(config)) as opened:
            found = opened.register.all()
        if not found:
            raise refusal("there is no key yet; make one with: steelyard keys create --team TEAM")
        table = Table(
            "key", "team", "project", "member", "name", "ends in", "environment", "made", "expires", "revoked",
            box=None,
        )  # fmt: skip
        for key in found:
            texts = (key.team, key.rights.project, key.member_id, key.name, key.hint, key.rights.environment)
            times = (key.created_at_us, key.rights.expires_at_us, key.revoked_at_us)
            table.add_row(key.key_id, *(words(text or "") for text in texts), *map(minute, times))
        print_whole(stdout_console(), table)


@app.command(epilog="Example: steelyard keys rotate key_01M87G5PV3WDGZFCJAST5YYYWW --overlap-hours 48")
def rotate(
    key_id: KeyId,
    overlap_hours: Annotated[
        int, typer.Option(help="How long the old text opens it, too; 0: no longer.", min=0, max=HOURS_MAX)
    ] = 24,
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Give a key a new text, which is printed once. The key keeps its rights, its budget and its spend.

    Exit codes: 0 rotated, 1 there is no such active key, 2 wrong usage or configuration, 3 the data
    folder cannot be written.
    """
    with errors_as_sentences():
        with office(load_settings(config)) as opened:
            _, text = opened.register.rotate(key_id, overlap_hours * 3_600)
        typer.echo(
            f"the old text of {key_id} opens it for {overlap_hours} hours more; the new one:", err=True
        )
        typer.echo(text)


@app.command("rotate-pepper", epilog="Example: steelyard keys rotate-pepper --overlap-days 30")
def rotate_the_pepper(
    overlap_days: Annotated[
        int, typer.Option(help="How long keys under the old pepper work.", min=1, max=365)
    ] = 30,
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Put a new pepper in force. A key moves to it when it is used; one that is not used meanwhile is void.

    Restart the gateway afterwards: conversations and task classes are hashed under the pepper that it
    started with.

    Exit codes: 0 rotated, 2 wrong usage or configuration, 3 the data folder cannot be written.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        if settings.pepper is not None:
            raise InvalidRequestError(
                "the pepper is in STEELYARD_PEPPER; put another there, and this one into STEELYARD_PEPPER_PREVIOUS"
            )
        now_us = system_clock()
        until_us = now_us + overlap_days * DAY_US
        with office(settings) as opened:
            old, new = rotate_pepper(settings.data_dir / "pepper", now_us=now_us, until_us=until_us)
            with opened.file.changing():
                opened.file.note("rotated", "pepper", new.id, before={"pepper": old.id, "until_us": until_us})
        typer.echo(f"pepper {new.id} is in force; keys under {old.id} work until {minute(until_us)} UTC")


@app.command(epilog="Example: steelyard keys revoke key_01M87G5PV3WDGZFCJAST5YYYWW")
def revoke(
    key_id: KeyId,
    reason: Annotated[str, typer.Option(help="Why: it stands in the ledger.")] = "",
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Revoke a key for good; a running gateway refuses it from its next request on.

    Exit codes: 0 revoked, 1 there is no such active key, 2 wrong usage or configuration, 3 the data
    folder cannot be written.
    """
    with errors_as_sentences():
        with office(load_settings(config)) as opened:
            opened.register.revoke(key_id, reason)
        typer.echo(f"{key_id} is revoked")


def open_keys(settings: Settings) -> KeyRegister:
    """The keys of a configuration, to be closed by the caller."""
    return place_of(settings, system_clock).open(machine_user()).register


def _holder(
    opened: Office, settings: Settings, team: str | None, member_id: str | None
) -> tuple[str, str | None]:
    """Whose key it is, in words, and its team. Raises InvalidRequestError, NotFoundError."""
    if member_id is not None and team is None:
        member = opened.directory.active_member(member_id)
        return f"member '{member.name}' ({member.role})", member.team
    if team is None or member_id is not None:
        raise InvalidRequestError(
            "say whose key it is: --team TEAM for an application, or --member MEMBER_ID"
        )
    if team not in settings.policies.teams:
        known = ", ".join(settings.policies.teams)
        raise InvalidRequestError(f"there is no policy for team '{team}'; teams are {known}")
    return f"team '{team}'", team


def _limit(settings: Settings, key: StoredKey, limits: list[tuple[Window, NanoUSD]]) -> None:
    for window, amount in limits:
        set_limit(
            settings.ledger_path,
            Scope(ScopeKind.KEY, key.key_id),
            window,
            amount,
            at_us=system_clock(),
            by=machine_user(),
            reason="set when the key was made",
            team=key.team,
        )
