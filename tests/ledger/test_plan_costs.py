"""What an answer costs on each plan, from a report's sums."""

from fractions import Fraction

import pytest

from ledger.plan_costs import class_costs
from ledger.report_values import Measures, Part, ReportRow, total_of

AUDITED = Measures(
    requests=100,
    answers=100,
    settled_nano_usd=100 * 1_000 + 40 * 5_000 + 10 * 100_000,
    audited=40,
    audit_nano_usd=40 * 5_000,
    escalated=10,
    escalation_nano_usd=10 * 100_000,
)
"""c = 1,000; s = 0.4; a = 5,000; x = 0.1; p = 100,000."""


def part(*rows: tuple[str, Measures]) -> Part:
    found = tuple(ReportRow(("finance", "invoices", plan), measures) for plan, measures in rows)
    return Part(found, total_of(found), ())


def test_an_audited_plan_costs_c_plus_s_times_a_plus_x_times_p() -> None:
    (found,) = class_costs(part(("cheap+audit", AUDITED)))
    (costs,) = found.plans
    assert [costs.cheap, costs.audit, costs.premium] == [1_000, 5_000, 100_000]
    assert (costs.audited, costs.escalated) == (Fraction(2, 5), Fraction(1, 10))
    assert costs.total == costs.cheap + costs.audited * costs.audit + costs.escalated * 100_000 == 13_000
    assert costs.break_even == 1 - Fraction(3_000, 100_000)
    assert not costs.premium_is_estimate


def test_premium_costs_what_its_own_answers_and_the_escalations_cost() -> None:
    seen = Measures(requests=10, answers=10, settled_nano_usd=10 * 40_000)
    (found,) = class_costs(part(("cheap+audit", AUDITED), ("premium", seen)))
    assert {costs.premium for costs in found.plans} == {Fraction(10 * 100_000 + 10 * 40_000, 20)}


def test_without_a_premium_answer_the_baseline_is_the_estimate() -> None:
    estimated = Measures(
        answers=4,
        settled_nano_usd=400,
        audited=4,
        audit_nano_usd=200,
        baseline_requests=4,
        baseline_estimate_nano_usd=4_000,
    )
    (found,) = class_costs(part(("cheap+audit", estimated)))
    (costs,) = found.plans
    assert [costs.premium, costs.break_even] == [1_000, Fraction(9, 10)]
    assert costs.premium_is_estimate
    assert "ESTIMATE" in found.advice


@pytest.mark.parametrize(
    ("escalated", "audit_each", "said"),
    [
        (10, 5_000, "the audited plan is cheaper than premium"),
        (98, 5_000, "premium would be cheaper: $0.0001 an answer"),
        (10, 400_000, "premium would be cheaper whatever is escalated"),
    ],
)
def test_the_advice_names_the_cheaper_plan(escalated: int, audit_each: int, said: str) -> None:
    measures = Measures(
        answers=100,
        settled_nano_usd=100 * 1_000 + 40 * audit_each + escalated * 100_000,
        audited=40,
        audit_nano_usd=40 * audit_each,
        escalated=escalated,
        escalation_nano_usd=escalated * 100_000,
    )
    (found,) = class_costs(part(("cheap+audit", measures)))
    assert said in found.advice


def test_what_is_not_known_is_said() -> None:
    (found,) = class_costs(part(("cheap", Measures(answers=2, settled_nano_usd=10))))
    assert found.plans[0].premium is None
    assert found.plans[0].break_even is None
    assert "nothing to compare with" in found.advice


def test_a_class_without_an_answer_has_no_costs() -> None:
    assert class_costs(part(("cheap", Measures(requests=2, failures=2)))) == ()
