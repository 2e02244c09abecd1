"""What an answer costs on each plan, as a person reads it: `c + s*a + x*p` beside premium."""

from fractions import Fraction

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger.plan_costs import ClassCosts, PlanCosts, class_costs
from ledger.report_values import Report
from router.commands.tables import count, plain, print_whole, usd, words

FORMULA = (
    "A plan costs c + s*a + x*p an answer: c cheap, a an audit, p premium; s the share of answers about which the "
    "auditor was asked, x the share that was escalated. At the break-even x it costs what premium costs."
)
_COLUMNS = ("answers", "c", "s", "a", "x", "p", "cost", "break-even x")


def print_plan_costs(console: Console, plans: Report) -> None:
    """Print the costs of the classes in which something was audited; simulated ones apart, and said so."""
    for part, simulated in ((plans.observed, False), (plans.simulated, True)):
        classes = [found for found in class_costs(part) if any(costs.audited for costs in found.plans)]
        if not classes:
            continue
        mark = (("SIMULATED  ", "bold yellow"),) if simulated else ()
        console.print()
        console.print(words(*mark, ("What an answer costs", "bold")))
        print_whole(console, _table(classes))
        for found in classes:
            first = found.plans[0]
            console.print(words((f"{first.team}, {first.task_class}: ", "bold"), found.advice))
        console.print(Text(FORMULA, "dim"))


def _table(classes: list[ClassCosts]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for name in ("team", "class", "plan"):
        table.add_column(name, no_wrap=True)
    for name in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for found in classes:
        for costs in found.plans:
            table.add_row(plain(costs.team), plain(costs.task_class), costs.plan, *_cells(costs))
    return table


def _cells(costs: PlanCosts) -> tuple[str, ...]:
    return (
        count(costs.answers),
        usd(round(costs.cheap)),
        _percent(costs.audited),
        usd(round(costs.audit)) if costs.audited else "-",
        _percent(costs.escalated),
        "-"
        if costs.premium is None
        else f"{'~' if costs.premium_is_estimate else ''}{usd(round(costs.premium))}",
        usd(round(costs.total)),
        "-" if costs.break_even is None else _percent(costs.break_even),
    )


def _percent(share: Fraction) -> str:
    return f"{float(share) * 100:.1f} %"
