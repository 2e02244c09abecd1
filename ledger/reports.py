"""Spend reports: what was spent, on what, how right it was, what premium would have cost.

The database sums (`ledger.report_queries`); here its rows are put side by side. A request is
counted on the UTC day on which it came, with all that it cost whenever that was settled.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Connection, Engine

from ledger.report_queries import Scope, Sums, answering, baseline_routes, judging, spending
from ledger.report_values import MEASURES, Dimension, Measures, Part, Report, ReportRow, total_of
from ledger.selectables import snapshot

_Group = tuple[bool, tuple[str, ...]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def spend_report(
    engine: Engine,
    *,
    team: str | None = None,
    from_us: int | None = None,
    to_us: int | None = None,
    by: Sequence[Dimension] = (),
) -> Report:
    """Report what the requests of `[from_us, to_us)` cost, of one team or of all, grouped by `by`.

    Times are microseconds since 1970 in UTC. Without dimensions there is one row, the total.
    """
    scope = Scope(team, from_us, to_us, tuple(dict.fromkeys(by)))
    sums: dict[_Group, Counter[str]] = {}
    with snapshot(engine) as connection:
        for statement in (spending, answering, judging):
            _add(connection, statement(scope), scope, sums)
        routes = tuple(str(route) for route in connection.scalars(baseline_routes(scope)))
    return Report(
        scope.by,
        team,
        from_us,
        to_us,
        _part(sums, simulated=False, baseline_routes=routes),
        _part(sums, simulated=True, baseline_routes=()),
    )


def _add(
    connection: Connection,
    statement: Sums,
    scope: Scope,
    sums: dict[_Group, Counter[str]],
) -> None:
    names = scope.key_names()
    for row in connection.execute(statement).mappings():
        key = tuple(_shown(dimension, row[name]) for dimension, name in zip(scope.by, names, strict=True))
        group = sums.setdefault((bool(row["apart"]), key), Counter())
        for name, value in row.items():
            if name in MEASURES:
                group[name] += int(value or 0)


def _shown(dimension: Dimension, value: object) -> str:
    if dimension is Dimension.DAY and isinstance(value, int):
        return (_EPOCH + timedelta(days=value)).date().isoformat()
    return "" if value is None else str(value)


def _part(sums: dict[_Group, Counter[str]], *, simulated: bool, baseline_routes: tuple[str, ...]) -> Part:
    rows = tuple(
        ReportRow(key, Measures(**counted))
        for (is_simulated, key), counted in sorted(sums.items())
        if is_simulated is simulated
    )
    return Part(rows, total_of(rows), baseline_routes)
