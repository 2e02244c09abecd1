"""Accuracy from random samples: unbiased although the sample's share changed, and with intervals that hold."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from ledger.accuracy import AFTER, BEFORE, EstimatedAccuracy, estimated_accuracies, weighted_share
from ledger.ledger import read_only_engine
from ledger.rows import OutcomeRow
from ledger.schema import ensure_schema
from support.ledger_rows import RequestMaker, write_ledger


def told(
    request: RequestMaker, source: str, check: str, outcome: str, propensity: float, field: str = ""
) -> None:
    request.outcome(source, outcome, field)
    row = request.rows[-1]
    assert isinstance(row, OutcomeRow)
    request.rows[-1] = row._replace(check_name=check, propensity=propensity)


def accuracies(tmp_path: Path, requests: Sequence[RequestMaker]) -> tuple[EstimatedAccuracy, ...]:
    ensure_schema(tmp_path / "empty.sqlite")
    path = write_ledger(tmp_path / "empty.sqlite", tmp_path / "ledger.sqlite", requests)
    engine = read_only_engine(path)
    found = estimated_accuracies(engine)
    engine.dispose()
    return found


def answered(number: int) -> RequestMaker:
    request = RequestMaker(number)
    request.answer(request.attempt())
    return request


def test_grades_before_and_after_the_audit_stand_apart_and_so_do_their_sources(tmp_path: Path) -> None:
    made = [answered(number) for number in range(4)]
    for number, request in enumerate(made):
        told(request, "shadow", "grade.before", "right" if number else "wrong", 0.02)
        told(request, "shadow", "grade.after", "right", 0.02)
    told(made[0], "person", "person", "wrong", 0.02)
    found = {(each.source, each.stage): (each.right, each.judged) for each in accuracies(tmp_path, made)}
    assert found == {("shadow", BEFORE): (3, 4), ("shadow", AFTER): (4, 4), ("person", AFTER): (0, 1)}


def test_what_was_not_chosen_by_chance_is_in_no_estimate(tmp_path: Path) -> None:
    request = answered(1)
    told(request, "person", "person", "wrong", 0.0)
    told(request, "auditor", "audit", "wrong", 1.0)
    told(request, "check", "support", "failed", 1.0)
    told(request, "shadow", "grade.after", "wrong", 0.02, field="total")
    told(request, "shadow", "grade.after", "abstained", 0.02)
    assert accuracies(tmp_path, [request]) == ()


def test_the_last_word_of_a_source_counts(tmp_path: Path) -> None:
    request = answered(1)
    told(request, "person", "person", "wrong", 0.5)
    told(request, "person", "person", "right", 0.5)
    (found,) = accuracies(tmp_path, [request])
    assert (found.right, found.judged, found.share) == (1, 1, 1.0)


def test_a_sample_whose_share_changed_is_not_bent_by_that(tmp_path: Path) -> None:
    """1,000 right answers sampled at 2 % and 1,000 wrong ones at 20 %: half of all are right."""
    made = []
    for number in range(220):
        request = answered(number)
        right = number < 20
        told(request, "shadow", "grade.after", "right" if right else "wrong", 0.02 if right else 0.2)
        made.append(request)
    (found,) = accuracies(tmp_path, made)
    assert found.share == pytest.approx(0.5)
    assert (found.right, found.judged) == (20, 220)


@pytest.mark.parametrize("accuracy", [0.5, 0.9, 0.98])
def test_the_interval_holds_the_truth_about_nineteen_times_of_twenty(accuracy: float) -> None:
    chance = random.Random(accuracy)  # noqa: S311  (a test's seed)
    held, rounds = 0, 400
    for _ in range(rounds):
        sample = []
        for propensity in (0.02, 0.05, 0.1):
            chosen = sum(chance.random() < propensity for _ in range(2_000))
            right = sum(chance.random() < accuracy for _ in range(chosen))
            sample += [(1 / propensity, True, right), (1 / propensity, False, chosen - right)]
        _, low, high = weighted_share(sample)
        held += low <= accuracy <= high
    assert 0.92 <= held / rounds <= 0.99
