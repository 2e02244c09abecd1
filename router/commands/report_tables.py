"""A report as a person reads it: a table of groups, then the total in words."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger.clock import to_datetime
from ledger.report_values import ESTIMATE_METHOD, FACTS, Accuracy, Dimension, Measures, Part, Report
from ledger.rows import OutcomeSource
from router.commands.tables import (
    count,
    fitting_width,
    interval,
    plain,
    print_whole,
    share,
    short_count,
    usd,
    words,
)

_COLUMNS = ("requests", "failed", "tokens in", "out", "cost", "passed", "right")
_NARROW = ("requests", "cost", "passed", "right")
_OWN_KEYS = frozenset({Dimension.MODEL, Dimension.ROUTE, Dimension.TIER, Dimension.PROVIDER, *FACTS})


def print_report(console: Console, report: Report) -> None:
    """Print the table and the total; simulated requests apart, below."""
    console.print(words(("Spend report", "bold"), f"  {period(report)}"))
    if report.observed.rows:
        _print_part(console, report, report.observed)
        if report.observed.total.baseline_requests:
            console.print(Text(ESTIMATE_METHOD, "dim"))
    if report.simulated.rows:
        said = "  requests that a scripted model touched: counted in none of the figures above"
        console.print(words(("SIMULATED", "bold yellow"), said))
        _print_part(console, report, report.simulated)


def _print_part(console: Console, report: Report, part: Part) -> None:
    if report.by:
        table = _table(report, part, _COLUMNS)
        narrow = fitting_width(table) > console.width
        print_whole(console, _table(report, part, _NARROW) if narrow else table)
        if narrow:
            console.print(
                Text("A wider terminal also shows failures and tokens; --format csv holds all.", "dim")
            )
        if not _OWN_KEYS.isdisjoint(report.by) and len(part.rows) > 1:
            said = "Money and tokens stand under the model that spent them, requests under the one that answered."
            console.print(Text(said, "dim"))
    console.print(_summary(part))


def period(report: Report) -> str:
    """Whose requests, and of when, in words."""
    team = f"team {plain(report.team)}" if report.team is not None else "all teams"
    begin = f" from {_moment(report.from_us)}" if report.from_us is not None else ""
    end = f" before {_moment(report.to_us)}" if report.to_us is not None else ""
    return f"{team}{begin}{end or (', all time' if not begin else '')}"


def _table(report: Report, part: Part, columns: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_footer=len(part.rows) > 1)
    for place, dimension in enumerate(report.by):
        table.add_column(dimension.value, no_wrap=True, footer="all" if place == 0 else "")
    total = _cells(part.total)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True, footer=total[name])
    for row in part.rows:
        cells = _cells(row.measures)
        table.add_row(*(plain(value) or "-" for value in row.key), *(cells[name] for name in columns))
    return table


def _cells(measures: Measures) -> dict[str, str]:
    right = (
        f"{share(measures.judged_right, measures.judged)} of {measures.judged:,}" if measures.judged else "-"
    )
    return {
        "requests": count(measures.requests),
        "failed": count(measures.failures),
        "tokens in": short_count(measures.input_tokens),
        "out": short_count(measures.output_tokens),
        "cost": usd(measures.cost_nano_usd),
        "passed": share(measures.answers_passed, measures.answers_checked),
        "right": right,
    }


def _summary(part: Part) -> Table:
    total = part.total
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("Requests", _requests(total))
    grid.add_row("Cost", _cost(total))
    grid.add_row(
        "Tokens",
        f"{count(total.input_tokens)} in ({count(total.cached_tokens)} of them from a cache), "
        f"{count(total.output_tokens)} out",
    )
    grid.add_row("Answered by", _origins(total))
    grid.add_row("Checks", _checks(total))
    judged = [accuracy for accuracy in total.accuracies if accuracy.answers_judged or accuracy.fields_judged]
    for accuracy in judged:
        if accuracy.source is OutcomeSource.AUDITOR:
            said = f"{_counts(accuracy)}; of those that looked doubtful: this says nothing of the others"
            grid.add_row("Auditors found right", said)
        else:
            grid.add_row(f"Right, says {accuracy.source.value}", _accuracy(accuracy))
    if not total.judged:
        grid.add_row("Right", "not known: no answer was judged by gold or a person")
    grid.add_row("Per right answer", _per_correct(total))
    if total.baseline_requests:
        grid.add_row("All premium", _estimate(part))
    return grid


def _requests(total: Measures) -> str:
    parts = [f"{count(total.answers)} answered", f"{count(total.failures)} failed"]
    if total.left:
        parts.append(f"{count(total.left)} left by their client")
    if total.unfinished:
        parts.append(f"{count(total.unfinished)} still open")
    return f"{count(total.requests)}: {', '.join(parts)}, in {count(total.attempts, 'attempt')}"


def _cost(total: Measures) -> str:
    parts = [
        f"settled {usd(total.settled_nano_usd)}",
        f"estimated, in suspense {usd(total.estimated_nano_usd)}",
    ]
    parts.append(f"posted at its bound {usd(total.posted_worst_nano_usd)}")
    if total.adjusted_nano_usd:
        parts.append(f"corrections {usd(total.adjusted_nano_usd)}")
    return f"{usd(total.cost_nano_usd)} ({', '.join(parts)}); compute on this machine included"


def _origins(total: Measures) -> str:
    answers = (
        ("local", total.answers_local),
        ("hosted", total.answers_hosted),
        ("premium", total.answers_premium),
    )
    return ", ".join(
        f"{origin} {share(number, total.answers)} ({count(number)})" for origin, number in answers
    )


def _checks(total: Measures) -> str:
    if not total.answers_checked:
        return "no answer could be checked"
    return (
        f"{count(total.answers_passed)} of {count(total.answers_checked, 'checked answer')} passed "
        f"({share(total.answers_passed, total.answers_checked)}); {count(total.fields_flagged)} of "
        f"{count(total.fields_checked, 'field')} flagged ({share(total.fields_flagged, total.fields_checked)})"
    )


def _accuracy(accuracy: Accuracy) -> str:
    pairs = (
        ("answer", accuracy.answers_right, accuracy.answers_judged),
        ("field", accuracy.fields_right, accuracy.fields_judged),
    )
    return "; ".join(
        f"{count(right)} of {count(judged, noun)} ({share(right, judged)}, 95 % interval {interval(right, judged)})"
        for noun, right, judged in pairs
        if judged
    )


def _counts(accuracy: Accuracy) -> str:
    pairs = (
        ("answer", accuracy.answers_right, accuracy.answers_judged),
        ("field", accuracy.fields_right, accuracy.fields_judged),
    )
    return "; ".join(f"{count(right)} of {count(judged, noun)}" for noun, right, judged in pairs if judged)


def _per_correct(total: Measures) -> str:
    each = total.cost_per_correct_nano_usd
    if each is None:
        return f"not known: {total.no_cost_per_correct}"
    return (
        f"{usd(each)} ({usd(total.judged_cost_nano_usd)} for {count(total.judged, 'judged answer')}, "
        f"{count(total.judged_right)} of them right)"
    )


def _estimate(part: Part) -> str:
    total = part.total
    difference = total.baseline_difference_nano_usd
    verdict = f"{usd(difference)} saved" if difference >= 0 else f"{usd(-difference)} dearer than premium"
    return (
        f"ESTIMATE {usd(total.baseline_estimate_nano_usd)} at the price of {plain(', '.join(part.baseline_routes))}, "
        f"for {count(total.baseline_requests, 'request')} that cost {usd(total.baseline_cost_nano_usd)}: {verdict}"
    )


def _moment(at_us: int) -> str:
    text = to_datetime(at_us).strftime("%Y-%m-%d %H:%M:%S")
    return text.removesuffix(" 00:00:00") + " UTC"
