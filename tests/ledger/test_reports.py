"""Spend reports, over real SQLite files."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.naive_report import naive_report
from ledger.ledger import read_only_engine
from ledger.report_values import Dimension, Measures, Report
from ledger.reports import spend_report
from ledger.rows import State
from ledger.usage import UNIT_CLASSES, Units
from support.ledger_rows import DAY_US, NO_UNITS, NOON_US, NOT_RECORDED, Ran, RequestMaker, write_ledger

ROUTES = (("local/small", "local"), ("hosted/mid", "hosted"), ("premium/big", "premium"))
TOKENS = tuple(name for name in UNIT_CLASSES if not name.endswith("_us"))
PREMIUM_RATES = dict.fromkeys(TOKENS, 1_234_567_891) | {"output_text": 75_000_000_003, "cache_read": 999_999}


Reporter = Callable[..., Report]


@pytest.fixture
def report_of(empty_ledger: Path, tmp_path: Path) -> Reporter:
    def report(
        requests: Iterable[RequestMaker],
        by: tuple[Dimension, ...] = (),
        rates: dict[str, int] | None = None,
        **chosen: int | str,
    ) -> Report:
        path = write_ledger(empty_ledger, tmp_path / "ledger.sqlite", requests, rates or PREMIUM_RATES)
        return report_on(path, by, **chosen)

    return report


def report_on(path: Path, by: tuple[Dimension, ...], **chosen: int | str) -> Report:
    engine = read_only_engine(path)
    try:
        return spend_report(engine, by=by, **chosen)  # type: ignore[arg-type]  # a test's table of options
    finally:
        engine.dispose()


def answered(
    number: int, cost: int = 100, used: Units = NO_UNITS, *, route: int = 0, team: str = "finance"
) -> RequestMaker:
    request = RequestMaker(number, team=team)
    name, origin = ROUTES[route]
    request.answer(request.attempt(name, origin, cost=cost, used=used))
    return request


units = st.builds(Units, **dict.fromkeys(TOKENS, st.integers(0, 3) | st.integers(0, 10**7)))
places = st.sampled_from(
    [
        NOT_RECORDED,
        Ran("hosted"),
        Ran("hosted", "frankfurt", "DE", "CN", "MIT"),
        Ran("local", weights_origin="US"),
    ]
)
verdicts = st.sampled_from(["right", "wrong", "passed", "failed", "abstained"])


@st.composite
def requests(draw: st.DrawFn) -> list[RequestMaker]:
    made = []
    for number in range(draw(st.integers(0, 5))):
        request = RequestMaker(
            number,
            team=draw(st.sampled_from(["finance", "legal"])),
            at_us=NOON_US + draw(st.integers(0, 2)) * DAY_US // 2,
            simulated=draw(st.integers(0, 4)) == 0,
            task_kind=draw(st.sampled_from(["extraction", "generation"])),
            baseline=draw(st.booleans()),
            label=draw(st.sampled_from([None, "internal", "restricted"])),
        )
        attempts: list[str] = []
        for _ in range(draw(st.integers(1, 3))):
            name, origin = draw(st.sampled_from(ROUTES))
            state = draw(st.sampled_from([None, State.SETTLED, State.SETTLED_ESTIMATED, State.POSTED_WORST]))
            simulated = draw(st.integers(0, 5)) == 0 or None
            cost = draw(st.integers(0, 10**12))
            ran = draw(places)
            attempt_id = request.attempt(name, origin, state, cost, draw(units), simulated=simulated, ran=ran)
            if state is not None and draw(st.integers(0, 3)) == 0:
                request.adjust(attempt_id, draw(st.integers(-(10**6), 10**6)), draw(units))
            attempts.append(attempt_id)
        status = draw(st.sampled_from(["answered", "failed", "client_left", "open"]))
        if status != "open":
            answering = draw(st.sampled_from(attempts if status == "answered" else [*attempts, None]))
            request.answer(
                answering, status, passed=draw(st.none() | st.booleans()), checked=draw(st.integers(0, 6))
            )
        for source in draw(
            st.lists(st.sampled_from(["gold", "person", "auditor", "check", "shadow"]), max_size=5)
        ):
            request.outcome(
                source,
                draw(verdicts),
                draw(st.sampled_from(["", "total"])),
                attempt_id=draw(st.sampled_from([None, *attempts])),
                simulated=draw(st.integers(0, 4)) == 0,
            )
        made.append(request)
    return made


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=requests(),
    by=st.lists(st.sampled_from(Dimension), unique=True, max_size=4).map(tuple),
    team=st.sampled_from([None, "legal"]),
    from_us=st.sampled_from([None, NOON_US, NOON_US + DAY_US // 2]),
    to_us=st.sampled_from([None, NOON_US + DAY_US]),
    rate=st.integers(0, 10**12),
)
def test_a_report_is_what_a_plain_scan_adds_up_to(
    empty_ledger: Path,
    tmp_path: Path,
    made: list[RequestMaker],
    by: tuple[Dimension, ...],
    team: str | None,
    from_us: int | None,
    to_us: int | None,
    rate: int,
) -> None:
    path = write_ledger(empty_ledger, tmp_path / "ledger.sqlite", made, dict.fromkeys(TOKENS, rate))
    engine = read_only_engine(path)
    found = spend_report(engine, team=team, from_us=from_us, to_us=to_us, by=by)
    engine.dispose()
    groups = {
        (simulated, row.key): row.measures
        for simulated, part in ((False, found.observed), (True, found.simulated))
        for row in part.rows
    }
    assert groups == naive_report(path, by=by, team=team, from_us=from_us, to_us=to_us)
    assert found.observed.total == sum((row.measures for row in found.observed.rows), Measures())
    assert [row.key for row in found.observed.rows] == sorted(row.key for row in found.observed.rows)


def test_an_empty_ledger_gives_an_empty_report(report_of: Reporter) -> None:
    found = report_of([], (Dimension.TEAM,))
    assert found.empty
    assert found.observed.total == Measures()


def test_costs_are_split_by_how_sure_they_are(report_of: Reporter) -> None:
    request = RequestMaker(1)
    request.attempt(cost=1_000)
    request.attempt(state=State.SETTLED_ESTIMATED, cost=200)
    request.attempt(state=State.VOID)
    worst = request.attempt(state=State.POSTED_WORST, cost=70)
    request.adjust(worst, -30)
    total = report_of([request]).observed.total
    assert (total.settled_nano_usd, total.estimated_nano_usd) == (1_000, 200)
    assert (total.posted_worst_nano_usd, total.adjusted_nano_usd) == (70, -30)
    assert total.cost_nano_usd == 1_240
    assert (total.attempts, total.unfinished) == (4, 1)


def test_money_stands_under_the_model_that_spent_it_and_the_request_under_the_one_that_answered(
    report_of: Reporter,
) -> None:
    request = RequestMaker(1)
    request.attempt("local/small", "local", cost=5, used=Units(input_uncached=10))
    request.answer(request.attempt("hosted/mid", "hosted", cost=70, used=Units(input_uncached=11)))
    mid, small = report_of([request], (Dimension.MODEL,)).observed.rows
    assert (small.key, small.measures.requests, small.measures.cost_nano_usd) == (("small",), 0, 5)
    assert (mid.key, mid.measures.requests, mid.measures.cost_nano_usd) == (("mid",), 1, 70)
    assert (small.measures.input_tokens, mid.measures.input_tokens) == (10, 11)
    assert mid.measures.answers_hosted == 1


def test_a_request_belongs_to_the_utc_day_on_which_it_came(report_of: Reporter) -> None:
    last_us = NOON_US + DAY_US // 2 - 1
    made = [RequestMaker(1, at_us=last_us), RequestMaker(2, at_us=last_us + 1)]
    for request in made:
        request.answer(request.attempt(cost=7))
    rows = report_of(made, (Dimension.DAY,)).observed.rows
    assert [(row.key, row.measures.cost_nano_usd) for row in rows] == [
        (("2026-11-01",), 7),
        (("2026-11-02",), 7),
    ]
    assert report_of(made, from_us=last_us, to_us=last_us + 1).observed.total.requests == 1


def test_the_estimate_is_right_to_the_nano(report_of: Reporter) -> None:
    rates = {"input_uncached": 3_000_001, "cache_read": 300_000, "output_text": 15_000_000}
    first = answered(1, 40, used=Units(input_uncached=1_000_001, cache_read=7, output_text=3, cpu_us=10**9))
    # 1,000,001 x 3,000,001 + 7 x 300,000 + 3 x 15,000,000 = 3,000,051,100,001 millionths of a nano-USD
    failed = RequestMaker(2)
    failed.attempt(cost=500, used=Units(input_uncached=9))
    failed.answer(None, "failed")
    without = RequestMaker(3, baseline=False)
    without.answer(without.attempt(cost=9_999, used=Units(input_uncached=9)))
    found = report_of([first, failed, without], rates=rates)
    total = found.observed.total
    assert total.baseline_requests == 2
    assert total.baseline_estimate_nano_usd == 3_000_051
    assert total.baseline_cost_nano_usd == 540
    assert total.baseline_difference_nano_usd == 2_999_511
    assert found.observed.baseline_routes == ("premium/big",)


@pytest.mark.parametrize(
    ("millionths", "nano_usd"),
    [(500_000, 0), (500_001, 1), (1_500_000, 2), (2_500_000, 2), (2_499_999, 2)],
    ids=["half down to even", "above half", "half up to even", "half down to two", "below half"],
)
def test_the_estimate_is_rounded_once_a_request_half_to_even(
    report_of: Reporter, millionths: int, nano_usd: int
) -> None:
    made = [answered(number, used=Units(input_uncached=1)) for number in range(3)]
    total = report_of(made, rates={"input_uncached": millionths}).observed.total
    assert total.baseline_estimate_nano_usd == 3 * nano_usd


def test_the_estimate_stays_exact_where_a_product_leaves_64_bits(report_of: Reporter) -> None:
    request = answered(1, used=Units(input_uncached=10**7 + 1, output_text=10**7))
    total = report_of([request], rates={"input_uncached": 10**12 + 7, "output_text": 10**12}).observed.total
    assert total.baseline_estimate_nano_usd == 20_000_001_000_070


def test_a_correction_of_the_answers_tokens_is_in_the_estimate(report_of: Reporter) -> None:
    request = RequestMaker(1)
    attempt_id = request.attempt(state=State.POSTED_WORST, cost=90)
    request.adjust(attempt_id, -80, used=Units(input_uncached=1_000))
    request.answer(attempt_id)
    total = report_of([request], rates={"input_uncached": 2_000_000}).observed.total
    assert (total.baseline_estimate_nano_usd, total.baseline_cost_nano_usd) == (2_000, 10)


def test_simulated_requests_stand_apart_and_save_nothing(report_of: Reporter) -> None:
    scripted = RequestMaker(1, simulated=True)
    scripted.answer(scripted.attempt("premium/big", "premium", cost=10**9, used=Units(input_uncached=100)))
    scripted.outcome("gold", "right")
    found = report_of([scripted, answered(2, 30, used=Units(input_uncached=5))], (Dimension.TEAM,))
    assert (found.observed.total.requests, found.observed.total.cost_nano_usd) == (1, 30)
    assert found.observed.total.baseline_requests == 1
    assert found.observed.total.judged == 0
    assert (found.simulated.total.requests, found.simulated.total.cost_nano_usd) == (1, 10**9)
    assert found.simulated.total.baseline_requests == 0
    assert found.simulated.total.baseline_estimate_nano_usd == 0
    assert found.simulated.baseline_routes == ()


def test_a_simulated_auditor_of_a_real_request_is_counted_apart(report_of: Reporter) -> None:
    request = answered(1, 30, used=Units(input_uncached=5))
    request.attempt("premium/big", "premium", cost=10**6, role="audit", simulated=True)
    request.outcome("auditor", "passed", simulated=True)
    found = report_of([request])
    assert (found.observed.total.cost_nano_usd, found.observed.total.baseline_cost_nano_usd) == (30, 30)
    assert found.observed.total.auditor_answers_judged == 0
    assert found.simulated.total.cost_nano_usd == 10**6
    assert (found.simulated.total.requests, found.simulated.total.auditor_answers_judged) == (0, 1)


def test_a_check_is_never_accuracy(report_of: Reporter) -> None:
    request = answered(1)
    request.outcome("check", "passed")
    request.outcome("check", "passed", "total")
    request.outcome("shadow", "right")
    total = report_of([request]).observed.total
    assert total.judged == 0
    assert all(accuracy.answers_judged == accuracy.fields_judged == 0 for accuracy in total.accuracies)
    assert total.no_cost_per_correct == "no answer was judged by gold or a person"


def test_accuracy_is_told_by_judge_and_by_answer_and_field(report_of: Reporter) -> None:
    request = answered(1)
    request.outcome("gold", "wrong")
    request.outcome("gold", "right", "total")
    request.outcome("gold", "wrong", "date")
    request.outcome("auditor", "passed")
    request.outcome("auditor", "abstained", "total")
    gold, person, auditor = report_of([request]).observed.total.accuracies
    assert (gold.answers_right, gold.answers_judged, gold.fields_right, gold.fields_judged) == (0, 1, 1, 2)
    assert (person.answers_judged, person.fields_judged) == (0, 0)
    assert (auditor.answers_right, auditor.answers_judged, auditor.fields_judged) == (1, 1, 0)


def test_the_newest_verdict_of_a_judge_counts(report_of: Reporter) -> None:
    request = answered(1)
    request.outcome("person", "right")
    request.outcome("person", "wrong", attempt_id=request.attempt_id(1))
    total = report_of([request]).observed.total
    assert (total.person_answers_right, total.person_answers_judged) == (0, 1)


def test_a_verdict_on_a_completion_that_was_escalated_says_nothing_about_the_answer(
    report_of: Reporter,
) -> None:
    request = RequestMaker(1)
    cheap = request.attempt(cost=1)
    premium = request.attempt("premium/big", "premium", cost=100, role="escalation")
    request.answer(premium)
    request.outcome("auditor", "failed", attempt_id=cheap)
    request.outcome("auditor", "passed", attempt_id=premium)
    total = report_of([request]).observed.total
    assert (total.auditor_answers_right, total.auditor_answers_judged) == (1, 1)


def test_cost_per_correct_answer_is_all_that_judged_answers_cost(report_of: Reporter) -> None:
    made = [answered(number, 100) for number in range(4)]
    made[0].outcome("gold", "right")
    made[1].outcome("gold", "wrong")
    made[1].outcome("auditor", "passed")  # gold is surer
    made[2].outcome("person", "right")
    made[2].attempt("premium/big", "premium", cost=1, role="audit")
    made[3].outcome("auditor", "passed")  # which is no accuracy
    total = report_of(made).observed.total
    assert (total.judged, total.judged_right, total.judged_cost_nano_usd) == (3, 2, 301)
    assert total.cost_per_correct_nano_usd == 150  # 150.5, half to even
    assert total.no_cost_per_correct is None


def test_cost_per_correct_answer_is_not_known_where_no_judged_answer_is_right(report_of: Reporter) -> None:
    request = answered(1)
    request.outcome("person", "wrong")
    total = report_of([request]).observed.total
    assert total.cost_per_correct_nano_usd is None
    assert total.no_cost_per_correct == "none of the 1 judged answers is right"


def test_answers_are_counted_by_origin_and_checks_by_answer_and_field(report_of: Reporter) -> None:
    made = [answered(0, route=0), answered(1, route=1), answered(2, route=1), answered(3, route=2)]
    checked = RequestMaker(4)
    checked.answer(checked.attempt(), passed=False, checked=6, flagged=2)
    left = RequestMaker(5)
    left.answer(left.attempt(), "client_left")
    total = report_of([*made, checked, left]).observed.total
    assert (total.answers_local, total.answers_hosted, total.answers_premium) == (2, 2, 1)
    assert (total.answers_checked, total.answers_passed) == (1, 0)
    assert (total.fields_checked, total.fields_flagged) == (6, 2)
    assert (total.requests, total.answers, total.failures, total.left) == (6, 5, 0, 1)


def test_one_teams_report_leaves_out_the_others(report_of: Reporter) -> None:
    made = [answered(1, 5, team="finance"), answered(2, 7, team="legal")]
    assert report_of(made, team="legal").observed.total.cost_nano_usd == 7
    assert [row.key for row in report_of(made, (Dimension.TEAM, Dimension.TEAM)).observed.rows] == [
        ("finance",),
        ("legal",),
    ]


def test_where_everything_went_is_told_by_label_jurisdiction_and_origin(report_of: Reporter) -> None:
    german, american = Ran("hosted", "frankfurt", "DE", "CN", "MIT"), Ran("local", weights_origin="US")
    made = [
        RequestMaker(1, label="internal"),
        RequestMaker(2, label="restricted"),
        RequestMaker(3, label="internal"),
    ]
    made[0].attempt(cost=5, ran=Ran("hosted"))
    made[0].answer(made[0].attempt(cost=70, ran=german))
    made[1].answer(made[1].attempt(cost=1, ran=american))
    made[2].answer(made[2].attempt(cost=9))
    by = (Dimension.ORIGIN, Dimension.JURISDICTION, Dimension.LABEL)
    found = {row.key: row.measures for row in report_of(made, by).observed.rows}
    assert {key: (each.requests, each.cost_nano_usd) for key, each in found.items()} == {
        ("CN", "DE", "internal"): (1, 70),
        ("US", "not stated", "restricted"): (1, 1),
        ("not recorded", "not recorded", "internal"): (1, 9),
        ("not stated", "not stated", "internal"): (0, 5),
    }
    others = (Dimension.RUNS, Dimension.PLACE, Dimension.LICENCE)
    keys = [row.key for row in report_of(made, others).observed.rows]
    assert ("hosted", "frankfurt", "MIT") in keys
    assert ("local", "not stated", "not stated") in keys


def test_a_request_that_was_never_dispatched_went_nowhere(report_of: Reporter) -> None:
    request = RequestMaker(1)
    request.answer(None, "failed")
    (row,) = report_of([request], (Dimension.JURISDICTION,)).observed.rows
    assert (row.key, row.measures.requests) == (("",), 1)
