"""What a spend report says, as values: integers that add up, and nothing that was rounded.

Every measure is a count, so the measures of two groups add to those of both, and a total is the
sum of its rows. Shares, accuracies and dollars are made where they are shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum

from ledger.rows import OutcomeSource

JUDGES = (OutcomeSource.GOLD, OutcomeSource.PERSON)
"""Who may say that an answer is right, the surest first. A check is not among them: it finds what is
doubtful, not what is right. Nor is an auditor, who is asked about doubtful answers: `ledger.accuracy`
has what a premium model says of a random sample."""
COUNTED = (*JUDGES, OutcomeSource.AUDITOR)
"""Whose verdicts are counted."""

ESTIMATE_METHOD = (
    "ESTIMATE, not observed: the input and output tokens of each answer, as its own model counted them, "
    "at the price of the baseline route that its policy names, in force when the request came. A premium "
    "model would have counted, cached and written other tokens. A request that failed is reckoned at its "
    "cost for us and at nothing for premium; a request without a baseline route is left out."
)


class Dimension(StrEnum):
    """What a report can be grouped by.

    An attempt's money, tokens and count stand under the attempt's own model, route, tier, provider and
    place, which are those of its dispatch; a request, its answer, its checks and what is known of its rightness stand under those of the
    attempt that answered, or that was tried last.
    """

    TEAM = "team"
    MODEL = "model"
    DAY = "day"
    """The UTC day on which the request came."""
    ROUTE = "route"
    PLAN = "plan"
    KIND = "kind"
    TIER = "tier"
    """local, hosted or premium."""
    PROVIDER = "provider"
    RUNS = "runs"
    """On whose machines it ran: local, on_premises or hosted."""
    PLACE = "place"
    JURISDICTION = "jurisdiction"
    """Under whose law it ran."""
    ORIGIN = "origin"
    """Who made the weights: a country's code."""
    LICENCE = "licence"
    """That of the weights."""
    CLASS = "class"
    """The task class: requests that behave alike."""
    LABEL = "label"
    """The data classification in force; empty where none was known."""


FACTS = {
    Dimension.RUNS: "runs",
    Dimension.PLACE: "place",
    Dimension.JURISDICTION: "jurisdiction",
    Dimension.ORIGIN: "weights_origin",
    Dimension.LICENCE: "weights_licence",
}
"""What the configuration said of a route, by the column of its attempts that keeps it."""
NOT_STATED = "not stated"
"""The configuration said nothing of it when the attempt was dispatched."""
NOT_RECORDED = "not recorded"
"""The attempt was dispatched by a release that did not write it down."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often one judge found answers and fields right. Unweighted: of those that were judged."""

    source: OutcomeSource
    answers_right: int
    answers_judged: int
    fields_right: int
    fields_judged: int


@dataclass(frozen=True, slots=True)
class Measures:
    """The sums of one group. Money in nano-USD."""

    requests: int = 0
    answers: int = 0
    failures: int = 0
    left: int = 0
    """Requests whose client closed the connection before its answer was complete."""
    unfinished: int = 0
    """Requests without an answer's row: still running, or cut off by a crash."""
    attempts: int = 0

    settled_nano_usd: int = 0
    estimated_nano_usd: int = 0
    """In suspense: our own count, until usage or an invoice says better."""
    posted_worst_nano_usd: int = 0
    """In suspense, too: the bounds of attempts that may have used more than anybody saw."""
    adjusted_nano_usd: int = 0
    """Later corrections of any of these; may be negative."""
    audited: int = 0
    """Requests about which an auditor was asked."""
    escalated: int = 0
    """Requests that went on to a dearer model after a verdict."""
    audit_nano_usd: int = 0
    """Of all these, what auditors cost."""
    escalation_nano_usd: int = 0
    """Of all these, what answers cost that a dearer model gave after a verdict."""

    input_tokens: int = 0
    cached_tokens: int = 0
    """Of `input_tokens`, those read from a cache."""
    output_tokens: int = 0

    answers_local: int = 0
    answers_hosted: int = 0
    answers_premium: int = 0

    answers_checked: int = 0
    answers_passed: int = 0
    fields_checked: int = 0
    fields_flagged: int = 0

    gold_answers_right: int = 0
    gold_answers_judged: int = 0
    gold_fields_right: int = 0
    gold_fields_judged: int = 0
    person_answers_right: int = 0
    person_answers_judged: int = 0
    person_fields_right: int = 0
    person_fields_judged: int = 0
    auditor_answers_right: int = 0
    auditor_answers_judged: int = 0
    auditor_fields_right: int = 0
    auditor_fields_judged: int = 0

    judged: int = 0
    """Answers judged as a whole by anybody; where several judged, the surest counts."""
    judged_right: int = 0
    judged_cost_nano_usd: int = 0
    """What the requests of those answers cost, failed attempts and audits included."""

    baseline_requests: int = 0
    """Finished requests whose policy names a baseline route: those that the estimate covers."""
    baseline_cost_nano_usd: int = 0
    """What these requests did cost."""
    baseline_estimate_nano_usd: int = 0
    """What they would have cost at the baseline: see `ESTIMATE_METHOD`."""

    def __add__(self, other: "Measures") -> "Measures":
        return Measures(*(getattr(self, name) + getattr(other, name) for name in MEASURES))

    @property
    def cost_nano_usd(self) -> int:
        """All that was spent, compute on this machine included."""
        return (
            self.settled_nano_usd
            + self.estimated_nano_usd
            + self.posted_worst_nano_usd
            + self.adjusted_nano_usd
        )

    @property
    def baseline_difference_nano_usd(self) -> int:
        """Estimate minus cost, over the same requests: what was saved, if positive."""
        return self.baseline_estimate_nano_usd - self.baseline_cost_nano_usd

    @property
    def cost_per_correct_nano_usd(self) -> int | None:
        """What one right answer cost, rounded half to even; None if `no_cost_per_correct` says why."""
        if self.judged_right == 0:
            return None
        return _divide_half_even(self.judged_cost_nano_usd, self.judged_right)

    @property
    def no_cost_per_correct(self) -> str | None:
        """Why there is no cost per correct answer; None if there is one."""
        if self.judged == 0:
            return "no answer was judged by gold or a person"
        if self.judged_right == 0:
            return f"none of the {self.judged} judged answers is right"
        return None

    @property
    def accuracies(self) -> tuple[Accuracy, ...]:
        """What each judge found, the surest first, and last what auditors found, which is no accuracy; who
        judged nothing has zeros."""
        return tuple(
            Accuracy(
                judge,
                getattr(self, f"{judge}_answers_right"),
                getattr(self, f"{judge}_answers_judged"),
                getattr(self, f"{judge}_fields_right"),
                getattr(self, f"{judge}_fields_judged"),
            )
            for judge in COUNTED
        )


MEASURES = tuple(field.name for field in fields(Measures))


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One group: its values in the order of the report's dimensions, and its sums."""

    key: tuple[str, ...]
    measures: Measures


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a report, sorted by their keys, and their total."""

    rows: tuple[ReportRow, ...]
    total: Measures
    baseline_routes: tuple[str, ...]
    """The premium routes at whose prices the estimate is made."""


PLAN_DIMENSIONS = (Dimension.TEAM, Dimension.CLASS, Dimension.PLAN)
"""The grouping from which `ledger.plan_costs` reads what an answer costs on each plan."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was spent, on what, and how right it was. Real and simulated requests stand apart."""

    by: tuple[Dimension, ...]
    team: str | None
    from_us: int | None
    to_us: int | None
    observed: Part
    simulated: Part
    """Requests that a simulated route touched. No estimate is made of them: they save nothing."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to report."""
        return not self.observed.rows and not self.simulated.rows


def total_of(rows: Iterable[ReportRow]) -> Measures:
    """Add up the measures of all rows."""
    total = Measures()
    for row in rows:
        total += row.measures
    return total


def _divide_half_even(amount: int, count: int) -> int:
    whole, rest = divmod(amount, count)
    if rest * 2 > count or (rest * 2 == count and whole % 2):
        whole += 1
    return whole
