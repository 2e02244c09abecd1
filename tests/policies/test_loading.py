"""A folder of policy files: one team a file, one file for the organisation, and what does not go together."""

import hashlib
from pathlib import Path

import pytest

from policies.errors import DocumentError, PolicyError
from policies.facts import Label
from policies.loading import load_policies, read_policies
from support.rules import routes_of

MODELS = ("deepseek-flash", "claude-opus-5-5", "local/smollm2")
FULL = """\
# What finance may do.
team: finance
models: [deepseek-flash, claude-opus-5-5]
plans:
  cheap: [deepseek-flash]
  premium: [claude-opus-5-5]
  cheap+audit:
    audit: always
auto:
  extraction: cheap
  generation: premium
baseline: claude-opus-5-5
grading: {percent: 5}
retries: 2
limits:
  request_usd: "0.50"
  day_usd: 5
  month_usd: 50.25
at_limit: cheap_only
min_output_tokens: 2_048
settle: strict
default_label: internal
rules: [{id: no-images, when: {images: true}, deny: true, reason: send text}]
"""
LEAST = "team: finance\nmodels: [deepseek-flash]\n"


def folder_of(place: Path, **files: str | bytes) -> Path:
    for name, content in files.items():
        (place / f"{name}.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
    return place


def test_a_folder_is_read_one_team_a_file(tmp_path: Path) -> None:
    legal = LEAST.replace("finance", "legal")
    folder = folder_of(tmp_path, finance=FULL, legal=legal)
    (tmp_path / "README.md").write_text("no policy")
    (tmp_path / "more.yml").write_text(LEAST.replace("finance", "more"))
    policies = load_policies(folder, routes_of(MODELS))
    assert set(policies.teams) == {"finance", "legal", "more"}
    assert policies.teams["finance"].policy_hash == hashlib.sha256(FULL.encode()).hexdigest()
    assert policies.teams["legal"].file == "legal.yaml"


def test_a_policys_hash_is_of_the_bytes_that_were_read(tmp_path: Path) -> None:
    one = load_policies(folder_of(tmp_path, finance=FULL), routes_of(MODELS)).teams["finance"]
    two = load_policies(folder_of(tmp_path, finance=FULL + "# reviewed\n"), routes_of(MODELS)).teams[
        "finance"
    ]
    assert one.policy_hash != two.policy_hash


ORGANISATION = """\
organisation: acme
default_label: confidential
rules:
  - id: no-images
    when: {images: true, team: [finance]}
    deny: true
    reason: send text
  - id: everybody
    require: {zero_retention: true}
"""


def test_the_organisations_rules_stand_before_a_teams_own_in_every_team_that_they_concern(
    tmp_path: Path,
) -> None:
    folder = folder_of(
        tmp_path,
        organisation=ORGANISATION,
        finance=FULL.replace("default_label: internal", ""),
        legal=LEAST.replace("finance", "legal"),
    )
    policies = load_policies(folder, routes_of(MODELS))
    assert policies.organisation is not None
    assert policies.organisation.name == "acme"
    rules = {team: [rule.id for rule in policy.rules] for team, policy in policies.teams.items()}
    assert rules == {
        "finance": ["acme.rules.no-images", "acme.rules.everybody", "finance.rules.no-images"],
        "legal": ["acme.rules.everybody"],
    }
    assert policies.teams["finance"].rules[1].place == "organisation.yaml:8"
    assert {book.policy.team for book in policies.rulebooks.values()} == {"finance", "legal"}


def test_a_teams_hash_is_of_the_organisations_file_and_its_own(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, organisation=ORGANISATION, finance=LEAST)
    policy = load_policies(folder, routes_of(MODELS)).teams["finance"]
    assert policy.policy_hash == hashlib.sha256((ORGANISATION + LEAST).encode()).hexdigest()


def test_a_team_has_the_organisations_label_or_a_more_closed_one(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        organisation=ORGANISATION,
        finance=LEAST,
        legal=LEAST.replace("finance", "legal") + "default_label: restricted\n",
    )
    teams = load_policies(folder, routes_of(MODELS)).teams
    assert teams["finance"].default_label is Label.CONFIDENTIAL
    assert teams["legal"].default_label is Label.RESTRICTED


REFUSED_TOGETHER = {
    "a team that loosens the label": (
        {"organisation": ORGANISATION, "finance": LEAST + "default_label: internal\n"},
        ("finance.yaml line 3: default_label is internal, and organisation.yaml says confidential, which a team can only "
        "tighten; write confidential or a more closed one"),
    ),
    "two organisations": (
        {"acme": ORGANISATION, "b": "organisation: b\n", "finance": LEAST},
        "b.yaml line 1: the organisation has its rules in acme.yaml already; write one file",
    ),
    "an organisation that is a team": (
        {"finance": LEAST, "organisation": "# ours\norganisation: finance\n"},
        "organisation.yaml line 2: organisation is 'finance', which is a team's name too",
    ),
    "an organisation with plans": (
        {"finance": LEAST, "organisation": "organisation: acme\nmodels: [deepseek-flash]\n"},
        "organisation.yaml line 2: unknown key 'models'; known are default_label, organisation, rules",
    ),
    "an organisation with a comma": (
        {"finance": LEAST, "organisation": "organisation: a,b\n"}, "organisation.yaml line 1: organisation must have",
    ),
    "an organisation that is a team besides": (
        {"finance": LEAST + "organisation: acme\n", "legal": LEAST.replace("finance", "legal")},
        "finance.yaml line 1: unknown key 'team'",
    ),
    "rules for a team that is not there": (
        {"finance": LEAST, "organisation": ORGANISATION.replace("team: [finance]", "team: [finanz]")},
        "organisation.yaml line 5: rules.when.team names the unknown 'finanz'; did you mean 'finance'?",
    ),
    "an organisation without a team": ({"organisation": "organisation: acme\n"}, "no policy file (*.yaml) of a team is here"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "said"), REFUSED_TOGETHER.values(), ids=REFUSED_TOGETHER.keys())
def test_files_that_do_not_go_together_are_one_sentence(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policies(folder_of(tmp_path, **files), routes_of(MODELS))
    assert said in str(caught.value)


def test_two_files_of_one_team_are_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a=LEAST, b="# again\n" + LEAST)
    with pytest.raises(
        PolicyError, match=r"b.yaml line 2: team 'finance' has its rules in a.yaml already; write one"
    ):
        load_policies(folder, routes_of(MODELS))


def test_a_folder_that_is_missing_or_empty_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=f"^{tmp_path / 'nowhere'}: there is no such folder; make it"):
        load_policies(tmp_path / "nowhere", routes_of(MODELS))
    with pytest.raises(DocumentError, match=f"^{tmp_path}: no policy file"):
        load_policies(tmp_path, routes_of(MODELS))


def test_a_mistake_is_told_once_although_another_file_names_what_it_is_in(tmp_path: Path) -> None:
    """The organisation's rule names finance, whose file is not YAML; legal's has no team."""
    folder = folder_of(tmp_path, organisation=ORGANISATION, finance="team: [", legal="models: [x]\n")
    told = [str(problem).split(";")[0] for problem in read_policies(folder, routes_of(MODELS))[1]]
    assert [each.split(":")[0] for each in told] == ["finance.yaml line 1", "legal.yaml line 1"]
    assert told[1] == "legal.yaml line 1: team is missing"
