"""`steelyard report`: what was spent, on what, how right it was.

Exit codes: 0 a report was printed, 1 nothing to report or no ledger, 2 wrong usage, 3 the ledger
cannot be read.
"""

import difflib
import json
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.accuracy import estimated_accuracies
from ledger.clock import to_us
from ledger.report_values import PLAN_DIMENSIONS, Dimension, Report
from ledger.reports import spend_report
from router.commands.accuracy_tables import print_accuracies
from router.commands.config_option import ledger_path_of
from router.commands.exit_codes import errors_as_sentences
from router.commands.ledger_file import reading, refusal
from router.commands.plan_cost_tables import print_plan_costs
from router.commands.report_tables import period, print_report
from router.commands.tables import stdout_console
from router.report_formats import report_json, write_csv

EPILOG = (
    "Example: steelyard report --team finance --from 2026-11-01 --to 2026-11-30 --by model,day --format csv"
)


class Format(StrEnum):
    """How a report is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def report(
    *,
    team: Annotated[str | None, typer.Option(help="Only this team's requests.")] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", help="From this day (UTC) or time on, e.g. 2026-11-01.", metavar="TIME"),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--to", help="Up to this day, which is included, or until before this time.", metavar="TIME"
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            help=f'Any of {", ".join(Dimension)}; "" for the total alone. label,jurisdiction,origin says where everything went.',
            metavar="LIST",
        ),
    ] = "team,model",
    output: Annotated[
        Format, typer.Option("--format", help="csv and json hold exact integers, money in nano-USD.")
    ] = Format.TABLE,
    ledger: Annotated[Path | None, typer.Option(help="The ledger's file.", metavar="PATH")] = None,
    config: Annotated[
        Path | None, typer.Option(help="The configuration whose ledger is read.", metavar="FILE")
    ] = None,
) -> None:
    """Say what was spent, on what, how right it was, and what premium would have cost (an ESTIMATE).

    Exit codes: 0 printed, 1 nothing to report, 2 wrong usage, 3 the ledger cannot be read.
    """
    if team is not None and not team.isprintable():
        raise typer.BadParameter("a team's name holds printable characters only", param_hint="'--team'")
    dimensions = dimensions_of(by)
    from_us, to_us = moment_of(since, "--from"), moment_of(until, "--to", end_of_day=True)
    if from_us is not None and to_us is not None and from_us >= to_us:
        raise typer.BadParameter(f"it ends ({until}) before it begins ({since})", param_hint="'--to'")
    with errors_as_sentences():
        path = ledger_path_of(config, ledger)
        with reading(path) as engine:
            found = spend_report(engine, team=team, from_us=from_us, to_us=to_us, by=dimensions)
            accuracies = estimated_accuracies(engine, team=team, from_us=from_us, to_us=to_us)
            plans: Report | None = None
            if found.observed.total.audited or found.simulated.total.audited:
                plans = spend_report(engine, team=team, from_us=from_us, to_us=to_us, by=PLAN_DIMENSIONS)
        match output:
            case Format.CSV:
                write_csv(found, sys.stdout)
            case Format.JSON:
                typer.echo(json.dumps(report_json(found, plans, accuracies), indent=2, ensure_ascii=False))
            case Format.TABLE if not found.empty:
                console = stdout_console()
                print_report(console, found)
                if plans is not None:
                    print_plan_costs(console, plans)
                print_accuracies(console, accuracies)
    if found.empty:
        raise refusal(f"the ledger {path} holds no request: {period(found)}")


def dimensions_of(names: str) -> tuple[Dimension, ...]:
    """Read "team,model" as dimensions. Raises BadParameter, with the nearest name, for any other."""
    found: list[Dimension] = []
    for name in filter(None, (part.strip().lower() for part in names.split(","))):
        if name not in [*Dimension]:
            near = difflib.get_close_matches(name, [*Dimension], n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"write any of {', '.join(Dimension)}"
            raise typer.BadParameter(f"a report cannot be grouped by '{name}'; {hint}", param_hint="'--by'")
        found.append(Dimension(name))
    return tuple(dict.fromkeys(found))


def moment_of(text: str | None, option: str, *, end_of_day: bool = False) -> int | None:
    """Read a day or a time, UTC unless it says otherwise, as microseconds since 1970.

    With `end_of_day` a bare day means its end. Raises BadParameter for anything else.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        if end_of_day and len(text.strip()) <= len("2026-11-01"):
            moment += timedelta(days=1)
        return to_us(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"'{text}' is no day and no time; write e.g. 2026-11-01 or 2026-11-01T12:00",
            param_hint=f"'{option}'",
        ) from None
