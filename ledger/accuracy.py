"""How right a team's class of answers is, estimated from those that chance chose to be judged.

Each judged answer counts with the inverse of the probability with which it was chosen (Hajek's ratio
estimator), so that a sample which grew or shrank over time does not bend the figure. The 95 % interval
is Wilson's with Kish's effective sample size. Verdicts on answers that were chosen because they looked
doubtful are never in it: they would say nothing about the others.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from sqlalchemy import func, select
from sqlalchemy.engine import Engine

from ledger.rows import OutcomeSource
from ledger.selectables import OUTCOME, REQUEST, snapshot

GRADES = ("grade.before", "grade.after")
BEFORE, AFTER = "before the audit", "as it went out"
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class EstimatedAccuracy:
    """The share of answers that are right as a whole, according to one source."""

    team: str
    task_class: str
    source: str
    stage: str
    """`BEFORE` the audit, or `AFTER` it: as the answer went out."""
    judged: int
    right: int
    share: float
    low: float
    high: float
    simulated: bool


def estimated_accuracies(
    engine: Engine, *, team: str | None = None, from_us: int | None = None, to_us: int | None = None
) -> tuple[EstimatedAccuracy, ...]:
    """Estimate the accuracy of each team's task classes over `[from_us, to_us)`, by source and stage."""
    latest = func.row_number().over(
        partition_by=(OUTCOME.c.request_id, OUTCOME.c.source, OUTCOME.c.check_name),
        order_by=OUTCOME.c.seq.desc(),
    )
    told = (
        select(
            REQUEST.c.team,
            REQUEST.c.task_class,
            OUTCOME.c.source,
            OUTCOME.c.check_name,
            OUTCOME.c.outcome,
            OUTCOME.c.propensity,
            OUTCOME.c.simulated,
            latest.label("age"),
        )
        .select_from(OUTCOME.join(REQUEST, REQUEST.c.request_id == OUTCOME.c.request_id))
        .where(
            OUTCOME.c.field == "",
            OUTCOME.c.outcome.in_(("right", "wrong")),
            OUTCOME.c.propensity > 0,
            OUTCOME.c.check_name.in_((*GRADES, OutcomeSource.PERSON.value, OutcomeSource.GOLD.value)),
            *([REQUEST.c.team == team] if team is not None else []),
            *([REQUEST.c.at_us >= from_us] if from_us is not None else []),
            *([REQUEST.c.at_us < to_us] if to_us is not None else []),
        )
        .subquery("told")
    )
    keys = (told.c.team, told.c.task_class, told.c.source, told.c.check_name, told.c.simulated)
    counted = (
        select(*keys, told.c.propensity, told.c.outcome, func.count().label("number"))
        .where(told.c.age == 1)
        .group_by(*keys, told.c.propensity, told.c.outcome)
        .order_by(*keys)
    )
    groups: defaultdict[tuple[object, ...], list[tuple[float, bool, int]]] = defaultdict(list)
    with snapshot(engine) as connection:
        for *key, propensity, outcome, number in connection.execute(counted):
            groups[tuple(key)].append((float(propensity), outcome == "right", int(number)))
    return tuple(_estimate(key, sums) for key, sums in groups.items())


def _estimate(key: tuple[object, ...], sums: Iterable[tuple[float, bool, int]]) -> EstimatedAccuracy:
    team, task_class, source, check, simulated = key
    known = list(sums)
    share, low, high = weighted_share((1 / propensity, right, number) for propensity, right, number in known)
    return EstimatedAccuracy(
        team=str(team),
        task_class=str(task_class),
        source=str(source),
        stage=BEFORE if check == GRADES[0] else AFTER,
        judged=sum(number for _, _, number in known),
        right=sum(number for _, right, number in known if right),
        share=share,
        low=low,
        high=high,
        simulated=bool(simulated),
    )


def weighted_share(weighted: Iterable[tuple[float, bool, int]]) -> tuple[float, float, float]:
    """The share of what is right among (weight, right, how many), and its 95 % interval."""
    known = list(weighted)
    whole = sum(weight * number for weight, _, number in known)
    squares = sum(weight * weight * number for weight, _, number in known)
    share = sum(weight * number for weight, right, number in known if right) / whole
    size = whole * whole / squares
    middle = (share + _Z * _Z / (2 * size)) / (1 + _Z * _Z / size)
    reach = _Z / (1 + _Z * _Z / size) * sqrt(share * (1 - share) / size + _Z * _Z / (4 * size * size))
    return share, max(0.0, middle - reach), min(1.0, middle + reach)
