"""A report as CSV and as JSON: integers as they were added up, nothing rounded.

The names are those of `ledger.report_values.Measures` in both, and so a contract: they may be
added to, never changed. CSV has no total line, so that a spreadsheet can add up its columns.
"""

import csv
from collections.abc import Sequence
from dataclasses import asdict
from typing import IO

from ledger.accuracy import EstimatedAccuracy
from ledger.clock import to_datetime
from ledger.history_json import JsonObject, JsonValue
from ledger.money import format_usd
from ledger.plan_costs import class_costs
from ledger.report_values import ESTIMATE_METHOD, MEASURES, Measures, Part, Report, ReportRow

DERIVED = ("cost_nano_usd", "baseline_difference_nano_usd", "cost_per_correct_nano_usd")


def write_csv(report: Report, out: IO[str]) -> None:
    """Write a header, then a line a group: its keys, whether it is simulated, then integers."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*report.by, "simulated", *DERIVED, *MEASURES])
    for part, simulated in ((report.observed, "false"), (report.simulated, "true")):
        for row in part.rows:
            numbers = [getattr(row.measures, name) for name in (*DERIVED, *MEASURES)]
            writer.writerow([*row.key, simulated, *("" if number is None else number for number in numbers)])


def report_json(report: Report, plans: Report | None, accuracies: Sequence[EstimatedAccuracy]) -> JsonObject:
    """Give the report as JSON-ready values; money in nano-USD, the cost also as dollars in a string.

    `plans` is the same report by plan, from which the costs of an answer are read; None if nothing
    was audited. `accuracies` are estimated from random samples.
    """
    return {
        "team": report.team,
        "from": _time(report.from_us),
        "to": _time(report.to_us),
        "by": [*report.by],
        "rows": [_row(report, row) for row in report.observed.rows],
        "total": _measures(report.observed.total),
        "estimate": _estimate(report.observed),
        "plan_costs": _plan_costs(plans.observed) if plans is not None else [],
        "accuracies": [{**asdict(each)} for each in accuracies],
        "simulated": {
            "rows": [_row(report, row) for row in report.simulated.rows],
            "total": _measures(report.simulated.total),
            "plan_costs": _plan_costs(plans.simulated) if plans is not None else [],
        },
    }


def _estimate(part: Part) -> JsonObject:
    total = part.total
    return {
        "is_estimate": True,
        "method": ESTIMATE_METHOD,
        "baseline_routes": [*part.baseline_routes],
        "requests_covered": total.baseline_requests,
        "all_premium_nano_usd": total.baseline_estimate_nano_usd,
        "cost_nano_usd": total.baseline_cost_nano_usd,
        "difference_nano_usd": total.baseline_difference_nano_usd,
    }


def _plan_costs(part: Part) -> list[JsonValue]:
    """What an answer costs on each plan: nano-USD rounded half to even, shares as they are."""
    return [
        {
            "team": costs.team,
            "class": costs.task_class,
            "plan": costs.plan,
            "answers": costs.answers,
            "cheap_nano_usd": round(costs.cheap),
            "audited_share": float(costs.audited),
            "audit_nano_usd": round(costs.audit),
            "escalated_share": float(costs.escalated),
            "total_nano_usd": round(costs.total),
            "premium_nano_usd": None if costs.premium is None else round(costs.premium),
            "premium_is_estimate": costs.premium_is_estimate,
            "break_even_share": None if costs.break_even is None else float(costs.break_even),
            "advice": found.advice,
        }
        for found in class_costs(part)
        for costs in found.plans
    ]


def _row(report: Report, row: ReportRow) -> JsonObject:
    key: JsonObject = dict(zip((str(dimension) for dimension in report.by), row.key, strict=True))
    return {"key": key, **_measures(row.measures)}


def _measures(measures: Measures) -> JsonObject:
    return {
        "cost_usd": format_usd(measures.cost_nano_usd),
        **{name: getattr(measures, name) for name in (*DERIVED, *MEASURES)},
        "cost_per_correct_reason": measures.no_cost_per_correct,
    }


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else to_datetime(at_us).isoformat()
