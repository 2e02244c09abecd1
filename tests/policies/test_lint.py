"""Warnings for rules that are valid and probably not meant, each at its line."""

import pytest

from policies.document import parse_bytes
from policies.lint import lint
from policies.team_reading import read_policy
from support.rules import routes_of

FINE = """\
team: finance
models: [small, large]
plans:
  cheap: [small]
auto: {extraction: cheap, generation: cheap}
baseline: large
limits:
  day_usd: 5
  month_usd: 50
"""
WARNED = {
    "one kind without a default": (("generation: cheap", ""), 5, "auto says nothing of generation"),
    "no default at all": (("auto: {extraction: cheap, generation: cheap}", ""), 1, "auto says nothing of extraction"),
    "no baseline": (("baseline: large", ""), 1, "no baseline is named"),
    "a baseline that is the cheap plan": (("baseline: large", "baseline: small"), 6, "compares it with itself"),
    "no limit": (("day_usd: 5\n  month_usd: 50", "request_usd: 1"), 7, "nothing bounds what the team spends"),
    "no limits": (("limits:\n  day_usd: 5\n  month_usd: 50\n", ""), 1, "nothing bounds what the team spends"),
    "a day's limit above the month's": (("day_usd: 5", "day_usd: 51"), 8, "never reached"),
    "cheap_only without a cheap plan": (
        (
            "  cheap: [small]\nauto: {extraction: cheap, generation: cheap}",
            "  premium: [large]\nauto: {extraction: premium, generation: premium}\nat_limit: cheap_only",
        ), 6, "plans.cheap is not there",
    ),
}  # fmt: skip


def warnings_of(text: str) -> list[str]:
    return [
        str(found)
        for found in lint(
            read_policy(parse_bytes(text.encode(), "f.yaml"), "h", routes_of(("small", "large")))
        )
    ]


def test_rules_without_a_slip_have_no_warning() -> None:
    assert warnings_of(FINE) == []


@pytest.mark.parametrize(("change", "line", "said"), WARNED.values(), ids=WARNED.keys())
def test_a_slip_is_told_at_its_line(change: tuple[str, str], line: int, said: str) -> None:
    assert change[0] in FINE
    found = warnings_of(FINE.replace(*change))
    assert [warning for warning in found if warning.startswith(f"f.yaml line {line}: ") and said in warning]


def test_each_slip_is_told_once() -> None:
    found = warnings_of("team: finance\nmodels: [small]\n")
    assert len(found) == len(set(found)) == 4
