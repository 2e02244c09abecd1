"""The walk "In five minutes" of docs/policies.md, done as a reader does it: an empty folder, its blocks, its commands."""

from pathlib import Path

from support.command_line import ROOT, run
from support.walks import Typed, Written, section, steps

WALK = list(steps(section((ROOT / "docs" / "policies.md").read_text(), "In five minutes")))
TYPED = [step for step in WALK if isinstance(step, Typed)]


def test_what_a_newcomer_writes_and_types_prints_what_the_document_shows(tmp_path: Path) -> None:
    folder, models = tmp_path / "acme", tmp_path / "no models"
    folder.mkdir()
    models.mkdir()
    for step in WALK:
        if isinstance(step, Written):
            path = folder / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text)
            continue
        ran = run(*step.arguments, cwd=folder, env={"STEELYARD_MODELS": str(models)})
        assert (ran.returncode, ran.stderr.decode()) == (0, "")
        assert [line.rstrip() for line in ran.stdout.decode().splitlines()] == list(step.printed)


def test_the_walk_tries_cases_and_ends_with_a_refusal_that_names_its_rule_and_line() -> None:
    assert [step.arguments[:2] for step in TYPED] == [
        ("policy", "test"),
        ("policy", "explain"),
        ("policy", "explain"),
    ]
    allowed, refused = ("\n".join(step.printed) for step in TYPED[1:])
    assert "at most $200.00 a month" in allowed
    assert "audits" in allowed
    assert "DENIED" in refused
    assert "acme.rules.restricted-stays-here at organisation.yaml:4" in refused
    assert TYPED[0].printed[-1] == "3 of 3 cases as expected"
