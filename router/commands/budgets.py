"""`steelyard budgets`: limits of teams, projects and keys, which are rows of the ledger."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ledger.budgets import Scope, ScopeKind, Window, project_id
from ledger.clock import system_clock
from ledger.ledger import read_budgets, set_limit
from ledger.money import parse_usd
from router.commands.exit_codes import errors_as_sentences
from router.commands.ledger_file import refusal
from router.commands.state_file import Config, machine_user, office
from router.commands.tables import print_whole, stdout_console, usd, words
from router.errors import InvalidRequestError
from router.limits import policy_limits
from router.settings import CONFIG_NAME, load_settings
from router.state.office import Office

app = typer.Typer(no_args_is_help=True, help="Budgets of teams, projects and keys.")


@app.command("set", epilog="Example: steelyard budgets set --team finance --project march --month-usd 200")
def set_budget(
    team: Annotated[str | None, typer.Option(help="The team whose budget it is.")] = None,
    project: Annotated[str | None, typer.Option(help="A project of that team.")] = None,
    key: Annotated[str | None, typer.Option(help="A key instead: key_...", metavar="KEY_ID")] = None,
    day_usd: Annotated[str | None, typer.Option(help='US dollars a day (UTC), or "none" to lift it.')] = None,
    month_usd: Annotated[str | None, typer.Option(help='US dollars a month, or "none" to lift it.')] = None,
    reason: Annotated[str, typer.Option(help="Why: it stands in the ledger.")] = "",
    config: Config = Path(CONFIG_NAME),
) -> None:
    """Set or lift a limit. A limit that the policy file states stands beside it: the tighter one holds.

    Exit codes: 0 set, 1 there is no such team, project or key, 2 wrong usage or configuration, 3 the
    data folder cannot be written.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        limits = [
            (window, None if text == "none" else parse_usd(text))
            for window, text in ((Window.DAY, day_usd), (Window.MONTH, month_usd))
            if text is not None
        ]
        if not limits:
            raise InvalidRequestError("say how much: --day-usd or --month-usd")
        with office(settings) as opened:
            opened.directory.ensure_teams(tuple(settings.policies.teams))
            scope, owner = _scope(opened, team, project, key)
            for window, amount in limits:
                set_limit(
                    settings.ledger_path,
                    scope,
                    window,
                    amount,
                    at_us=system_clock(),
                    by=machine_user(),
                    reason=reason,
                    team=owner,
                )
            opened.register.touch()
        for window, amount in limits:
            said = f"{usd(amount)} a {window}" if amount is not None else f"no limit a {window}"
            typer.echo(f"{scope.kind} '{scope.id}': {said}")


@app.command("list", epilog="Example: steelyard budgets list")
def list_budgets(config: Config = Path(CONFIG_NAME)) -> None:
    """List all limits, those of policy files among them, and what is spent of each.

    Exit codes: 0 listed, 1 there are none, 2 wrong usage or configuration, 3 they cannot be read.
    """
    with errors_as_sentences():
        settings = load_settings(config)
        now_us = system_clock()
        budgets = read_budgets(settings.ledger_path, now_us)
        with office(settings) as opened:
            budgets.add_drawn({key.key_id: key.rights.draws_on for key in opened.register.all()}, now_us)
        budgets.set_policy_limits(policy_limits(settings.policies))
        limits = sorted(budgets.limits(), key=lambda limit: (limit.scope.kind, limit.scope.id, limit.window))
        if not limits:
            raise refusal(
                "there is no limit; set one with: steelyard budgets set --team TEAM --month-usd USD"
            )
        table = Table("of", "name", "window", "limit", "spent", "set by", box=None)
        for limit in limits:
            table.add_row(
                limit.scope.kind.value,
                words(limit.scope.id),
                limit.window.value,
                usd(limit.amount_nano_usd),
                usd(budgets.spent(limit.scope, limit.window, now_us)),
                words(limit.source),
            )
        print_whole(stdout_console(), table)


def _scope(
    opened: Office, team: str | None, project: str | None, key: str | None
) -> tuple[Scope, str | None]:
    """Whose budget is meant, and the team that it is of. Raises NotFoundError, InvalidRequestError."""
    if key is not None and team is None and project is None:
        found = opened.register.get(key)
        return Scope(ScopeKind.KEY, found.key_id), found.team
    if team is None or key is not None:
        raise InvalidRequestError(
            "name whose budget it is: --team TEAM, with --project PROJECT for a part of it, or --key KEY_ID"
        )
    if project is None:
        return Scope(ScopeKind.TEAM, opened.directory.team(team).name), team
    return Scope(ScopeKind.PROJECT, project_id(team, opened.directory.project(team, project).name)), team
