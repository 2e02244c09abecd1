"""Policy files: what is read, and that everything else is one message with file, line and a way out."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rules import routes_of

from policies.audits import AuditMode, GradingRules
from policies.decision import AtLimit, Settle
from policies.document import parse_bytes
from policies.errors import DocumentError, PolicyError
from policies.facts import Label, TaskKind
from policies.loading import KEYS, LIMIT_KEYS, MIN_OUTPUT_TOKENS, load_policies, read_policies, read_policy
from policies.team import SpendingLimits, TeamPolicy

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


def policy_of(text: str) -> TeamPolicy:
    return read_policy(parse_bytes(text.encode(), "finance.yaml"), "hash", routes_of(MODELS))


def folder_of(place: Path, **files: str | bytes) -> Path:
    for name, content in files.items():
        (place / f"{name}.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
    return place


def test_every_key_is_read() -> None:
    policy = policy_of(FULL)
    assert policy.team == "finance"
    assert policy.models == ("deepseek-flash", "claude-opus-5-5")
    assert policy.plans == {
        "cheap": ("deepseek-flash",),
        "premium": ("claude-opus-5-5",),
        "cheap+audit": ("deepseek-flash",),
    }
    assert policy.audits is not None
    assert (policy.audits.mode, policy.audits.auditors) == (AuditMode.ALWAYS, ("claude-opus-5-5",))
    assert (policy.grading, policy.retries) == (GradingRules(5.0, ()), 2)
    assert policy.auto == {TaskKind.EXTRACTION: "cheap", TaskKind.GENERATION: "premium"}
    assert policy.baseline == "claude-opus-5-5"
    assert policy.limits == SpendingLimits(500_000_000, 5_000_000_000, 50_250_000_000)  # type: ignore[arg-type]  # integers are money here
    assert (policy.at_limit, policy.settle) == (AtLimit.CHEAP_ONLY, Settle.STRICT)
    assert policy.min_output_tokens == 2_048
    assert policy.default_label is Label.INTERNAL
    (rule,) = policy.rules
    assert (rule.id, rule.place, rule.reason) == ("finance.rules.no-images", "finance.yaml:23", "send text")
    assert set(parse_bytes(FULL.encode(), "f.yaml")) == set(KEYS), (
        "a key of a policy file is not in this test"
    )


def test_what_is_left_out_has_its_default() -> None:
    policy = policy_of(LEAST)
    assert (policy.plans, policy.auto, policy.baseline) == ({}, {}, None)
    assert (policy.audits, policy.grading, policy.retries) == (None, None, 0)
    assert policy.limits == SpendingLimits(None, None, None)
    assert (policy.at_limit, policy.settle) == (AtLimit.CLAMP, Settle.AFTER)
    assert policy.min_output_tokens == MIN_OUTPUT_TOKENS == 1_024
    assert (policy.default_label, policy.rules) == (None, ())


def test_a_star_is_every_model_that_there_is() -> None:
    assert policy_of('team: finance\nmodels: ["*"]\n').models == MODELS


def test_every_rule_has_an_id_and_a_line() -> None:
    policy = policy_of(FULL)
    assert policy.rule("limits.day_usd") == "finance.limits.day_usd"
    assert policy.rule_lines["finance.models"] == 3
    assert policy.rule_lines["finance.plans.premium"] == 6
    assert policy.rule_lines["finance.limits.day_usd"] == 17
    assert {f"finance.limits.{key}" for key in LIMIT_KEYS} <= policy.rule_lines.keys()


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


REFUSED = {
    # what everybody mistypes
    "unknown key": (FULL + "limit: {day_usd: 5}\n", 24, "unknown key 'limit'; did you mean 'limits'?"),
    "unknown key, nothing near": (LEAST + "zzz: 1\n", 3, "unknown key 'zzz'; known are at_limit, auto"),
    "key twice": (LEAST + "team: legal\n", 3, "the key 'team' is here twice; the first is in line 1: remove one"),
    "team missing": ("models: [deepseek-flash]\n", 1, "team is missing; add it"),
    "team empty": ("team:\nmodels: [deepseek-flash]\n", 1, "team is empty; write a value"),
    "team as a list": ("team: [finance]\nmodels: [deepseek-flash]\n", 1, "team must be a single value"),
    "team with a comma": ("team: a,b\nmodels: [deepseek-flash]\n", 1, "no comma"),
    "team too long": (f"team: {'a' * 65}\nmodels: [deepseek-flash]\n", 1, "1 to 64 characters"),
    "team with a space": ("team: ' finance'\nmodels: [deepseek-flash]\n", 1, "begins or ends with a space"),
    "team with a line break": ('team: "a\\nb"\nmodels: [deepseek-flash]\n', 1, "plain text on one line"),
    # models
    "models missing": ("team: finance\n", 1, "models is missing; add it"),
    "models empty": ("team: finance\nmodels: []\n", 2, 'name some, or write ["*"]'),
    "models without a value": ("team: finance\nmodels:\n", 2, "models must be a list, e.g. [one, two]"),
    "models as a word": ("team: finance\nmodels: deepseek-flash\n", 2, "models must be a list"),
    "star without quotes": ("team: finance\nmodels: [*]\n", 2, 'an asterisk stands in quotes: "*"'),
    "star and names": ('team: finance\nmodels: ["*", deepseek-flash]\n', 2, "write one or the other"),
    "unknown model": (
        "team: finance\nmodels:\n  - deepseek-flash\n  - claude-opus\n", 4,
        "models names the unknown model 'claude-opus'; did you mean 'claude-opus-5-5'?",
    ),
    "model twice": ("team: finance\nmodels: [deepseek-flash, deepseek-flash]\n", 2, "twice; leave one out"),
    "model that is a plan": ("team: finance\nmodels: [cheap]\n", 2, "the unknown model 'cheap'"),
    "model that is a list": ("team: finance\nmodels: [[a]]\n", 2, "models must hold single names"),
    # plans
    "unknown plan": (LEAST + "plans:\n  chaep: [deepseek-flash]\n", 4, "unknown key 'chaep' in plans; did you mean 'cheap'?"),
    "plan auto": (LEAST + "plans: {auto: [deepseek-flash]}\n", 3, "unknown key 'auto' in plans"),
    "plan empty": (LEAST + "plans:\n  cheap: []\n", 4, "plans.cheap is empty; name at least one model"),
    "plan as a word": (LEAST + "plans: {cheap: deepseek-flash}\n", 3, "plans.cheap must be a list"),
    "plans as a list": (LEAST + "plans: [deepseek-flash]\n", 3, "plans must be a mapping"),
    "plan of an unknown model": (LEAST + "plans: {cheap: [deepseek-flush]}\n", 3, "did you mean 'deepseek-flash'?"),
    "plan of a model not allowed": (
        LEAST + "plans:\n  premium:\n    - claude-opus-5-5\n", 5,
        "plans.premium names 'claude-opus-5-5', which models does not allow; add it there or leave it out here",
    ),
    "model twice in a plan": (LEAST + "plans: {cheap: [deepseek-flash, deepseek-flash]}\n", 3, "twice"),
    # auto and baseline
    "auto of an unknown kind": (LEAST + "auto: {extractions: cheap}\n", 3, "did you mean 'extraction'?"),
    "auto to no plan": (
        LEAST + "plans: {cheap: [deepseek-flash]}\nauto: {extraction: premium}\n", 4,
        "auto.extraction names the plan 'premium', which plans does not define",
    ),
    "auto to a model": (
        LEAST + "plans: {cheap: [deepseek-flash]}\nauto:\n  generation: deepseek-flash\n", 5,
        "auto.generation names the plan 'deepseek-flash', which plans does not define",
    ),
    "auto as a word": (LEAST + "auto: cheap\n", 3, "auto must be a mapping"),
    "unknown baseline": (LEAST + "baseline: claude-opus\n", 3, "baseline names the unknown model 'claude-opus'; did you mean"),
    # money and numbers
    "negative money": (LEAST + "limits:\n  day_usd: -5\n", 4, "limits.day_usd: '-5' is negative; an amount is zero or more"),
    "money with a currency": (LEAST + "limits: {day_usd: 5 USD}\n", 3, "limits.day_usd: '5 USD' is not an amount"),
    "money with a comma": (LEAST + "limits: {month_usd: '5,00'}\n", 3, 'write e.g. "12.50"'),
    "money with an exponent": (LEAST + "limits: {month_usd: 1e3}\n", 3, "'1e3' is not an amount"),
    "money without an end": (LEAST + "limits: {month_usd: .inf}\n", 3, "'.inf' is not an amount"),
    "money left empty": (LEAST + "limits:\n  day_usd:\n", 4, "limits.day_usd is empty; write a value or leave the key out"),
    "money as a list": (LEAST + "limits: {day_usd: [5]}\n", 3, "limits.day_usd must be a single value"),
    "money too fine": (LEAST + "limits: {request_usd: 0.0000000001}\n", 3, "finer than a billionth"),
    "unknown limit": (LEAST + "limits: {week_usd: 5}\n", 3, "unknown key 'week_usd' in limits"),
    "limits as a number": (LEAST + "limits: 5\n", 3, "limits must be a mapping"),
    "unknown at_limit": (LEAST + "at_limit: cheaponly\n", 3, "one of clamp, deny, cheap_only; did you mean 'cheap_only'?"),
    "unknown settle": (LEAST + "settle: before\n", 3, "settle is 'before'; it is one of after, strict"),
    "floor of nothing": (LEAST + "min_output_tokens: 0\n", 3, "min_output_tokens is 0; it must be from 1 to 1000000"),
    "floor with an exponent": (LEAST + "min_output_tokens: 1e3\n", 3, "write a whole number from 1 to 1000000"),
    "floor in hexadecimal": (LEAST + "min_output_tokens: 0x10\n", 3, "write a whole number"),
    # YAML
    "tab": ("team: finance\nmodels:\n\t- a\n", 3, "indent with spaces, not tabs"),
    "alias": ("team: &t finance\nmodels: [*t]\n", 1, "anchors and aliases are not read; write the value out"),
    "a list": ("- team: finance\n", 1, "must be a mapping of keys to values, e.g. `team: finance`"),
    "empty file": ("", 1, "the file is empty; write keys and values"),
    "two documents": (LEAST + "---\n" + LEAST, 3, "a second document begins here; write one a file"),
    "not UTF-8": (b"team: finance\nmodels: [\xff]\n", 2, "save it as UTF-8"),
    "too large": (LEAST + "#" * 300_000, 1, "the file has more than 262144 bytes, and no more are read; shorten it"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "line", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_file_is_one_sentence_with_file_and_line(
    tmp_path: Path, content: str | bytes, line: int, said: str
) -> None:
    folder = folder_of(tmp_path, another=LEAST.replace("finance", "another"), finance=content)
    with pytest.raises(PolicyError) as caught:
        load_policies(folder, routes_of(MODELS))
    assert str(caught.value).startswith(f"finance.yaml line {line}: ")
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


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


@given(
    st.lists(
        st.sampled_from([*FULL.splitlines(), "zzz: 1", "limits:", "  day_usd: -1", "  cheap: [x]", "models: [*]", "\t"]),
        max_size=20,
    )
)  # fmt: skip
def test_any_lines_are_a_policy_or_an_error_of_ours(lines: list[str]) -> None:
    found = read("\n".join(lines))
    if isinstance(found, PolicyError):
        assert found.file == "finance.yaml"
    else:
        assert set(found.models) <= set(MODELS)
        assert all(set(plan) <= set(found.models) for plan in found.plans.values())
        assert set(found.auto.values()) <= set(found.plans)


def read(text: str) -> TeamPolicy | PolicyError:
    try:
        return policy_of(text)
    except PolicyError as error:
        return error
