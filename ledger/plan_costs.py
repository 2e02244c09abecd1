"""What an answer costs on each plan: `c + s*a + x*p`, from the ledger's own sums.

c is what the cheap model costs an answer, a what an audit costs, p what a premium answer costs; s is
the share of answers about which an auditor was asked, x the share that was escalated. All are per
answer and not per field. An audited plan is dearer than premium once x passes `1 - (c + s*a)/p`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from ledger.money import format_usd
from ledger.report_values import Measures, Part

CHEAP, PREMIUM, AUDITED = "cheap", "premium", "cheap+audit"


@dataclass(frozen=True, slots=True)
class PlanCosts:
    """The costs of one plan for one team's task class. Money is nano-USD an answer, exact."""

    team: str
    task_class: str
    plan: str
    answers: int
    cheap: Fraction
    audit: Fraction
    """Of those answers about which an auditor was asked; 0 if none was."""
    audited: Fraction
    """The share of answers about which an auditor was asked."""
    escalated: Fraction
    """The share of answers that a dearer model gave after a verdict."""
    total: Fraction
    """What an answer did cost, all of it."""
    premium: Fraction | None
    """What a premium answer of this class costs; None if nothing says so."""
    premium_is_estimate: bool
    """No premium answer of this class was seen: the tokens at the baseline's price."""

    @property
    def break_even(self) -> Fraction | None:
        """The share of escalations at which this plan costs what premium costs; None if unknown."""
        if not self.premium:
            return None
        return 1 - (self.cheap + self.audited * self.audit) / self.premium


@dataclass(frozen=True, slots=True)
class ClassCosts:
    """All plans of one team's task class, and a sentence about them."""

    plans: tuple[PlanCosts, ...]
    advice: str


def class_costs(part: Part) -> tuple[ClassCosts, ...]:
    """Read the costs of each team and class out of a part of a report that is grouped by
    `PLAN_DIMENSIONS`."""
    classes: dict[tuple[str, str], dict[str, Measures]] = {}
    for row in part.rows:
        team, task_class, plan = row.key
        if row.measures.answers:
            classes.setdefault((team, task_class), {})[plan] = row.measures
    found = []
    for (team, task_class), plans in classes.items():
        premium, is_estimate = _premium_of(plans)
        costs = tuple(
            _costs(team, task_class, plan, measures, premium, is_estimate=is_estimate)
            for plan, measures in plans.items()
        )
        found.append(ClassCosts(costs, _advice(costs)))
    return tuple(found)


def _costs(
    team: str, task_class: str, plan: str, measures: Measures, premium: Fraction | None, *, is_estimate: bool
) -> PlanCosts:
    cheap = measures.cost_nano_usd - measures.audit_nano_usd - measures.escalation_nano_usd
    return PlanCosts(
        team=team,
        task_class=task_class,
        plan=plan,
        answers=measures.answers,
        cheap=Fraction(cheap, measures.answers),
        audit=Fraction(measures.audit_nano_usd, measures.audited) if measures.audited else Fraction(0),
        audited=Fraction(measures.audited, measures.answers),
        escalated=Fraction(measures.escalated, measures.answers),
        total=Fraction(measures.cost_nano_usd, measures.answers),
        premium=premium,
        premium_is_estimate=is_estimate,
    )


def _premium_of(plans: dict[str, Measures]) -> tuple[Fraction | None, bool]:
    """What a premium answer costs: as seen where the plan was premium or went there, else as estimated."""
    seen = plans.get(PREMIUM)
    answers = sum(measures.escalated for measures in plans.values()) + (seen.answers if seen else 0)
    cost = sum(measures.escalation_nano_usd for measures in plans.values())
    if answers:
        return Fraction(cost + (seen.cost_nano_usd if seen else 0), answers), False
    requests = sum(measures.baseline_requests for measures in plans.values())
    estimate = sum(measures.baseline_estimate_nano_usd for measures in plans.values())
    return (Fraction(estimate, requests), True) if requests else (None, False)


def _advice(plans: Iterable[PlanCosts]) -> str:
    """Say which plan would be cheaper than one that is used, or that none would be."""
    known = {costs.plan: costs for costs in plans}
    audited, premium = known.get(AUDITED), known.get(PREMIUM)
    if audited is not None and audited.premium is not None:
        return _of_audited(audited)
    if audited is None and premium is not None and CHEAP in known:
        return (
            f"cheap costs {_usd(known[CHEAP].total)} an answer and premium {_usd(premium.total)}; no answer was "
            "audited, so what an audited plan would cost is not known"
        )
    return "no premium answer was seen and no estimate of one is made, so there is nothing to compare with"


def _of_audited(audited: PlanCosts) -> str:
    price, limit = audited.premium, audited.break_even
    if price is None or limit is None:
        return "what premium costs is not known"
    about = "an ESTIMATE of " if audited.premium_is_estimate else ""
    ours, theirs = _usd(audited.total), f"{about}{_usd(price)}"
    if limit <= 0:
        return (
            f"premium would be cheaper whatever is escalated: the cheap answer and its audits alone cost "
            f"{_usd(audited.cheap + audited.audited * audited.audit)} an answer, premium {theirs}"
        )
    pays = f"the audited plan pays while fewer than {_percent(limit)} of the answers are escalated, and {_percent(audited.escalated)} were"
    if audited.total > price:
        return f"premium would be cheaper: {theirs} an answer against {ours}; {pays}"
    return f"the audited plan is cheaper than premium: {ours} an answer against {theirs}; {pays}"


def _usd(amount: Fraction) -> str:
    return f"${format_usd(round(amount))}"


def _percent(share: Fraction) -> str:
    return f"{float(share) * 100:.1f} %"
