"""A team's file: what is read, and that everything else is one message with file, line and a way out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.audits import AuditMode, GradingRules
from policies.decision import AtLimit, Settle
from policies.document import parse_bytes
from policies.errors import PolicyError
from policies.facts import Label, TaskKind
from policies.team import SpendingLimits, TeamPolicy
from policies.team_reading import KEYS, LIMIT_KEYS, MIN_OUTPUT_TOKENS, read_policy
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


def policy_of(content: str | bytes) -> TeamPolicy:
    written = content.encode() if isinstance(content, str) else content
    return read_policy(parse_bytes(written, "finance.yaml"), "hash", routes_of(MODELS))


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
    # keys that exist, in the wrong place
    "a limit that is not indented": (LEAST + "limits:\nday_usd: 5\n", 4, "unknown key 'day_usd'; it belongs in limits: move it there, and mind the indentation"),
    "a plan that is not indented": (LEAST + "plans:\ncheap: [deepseek-flash]\n", 4, "unknown key 'cheap'; it belongs in plans: move it there"),
    "a kind that is not indented": (LEAST + "auto:\nextraction: cheap\n", 4, "unknown key 'extraction'; it belongs in auto: move it there"),
    "a share that is not indented": (LEAST + "grading:\npercent: 5\n", 4, "unknown key 'percent'; it belongs in grading: move it there"),
    "audits that are not indented": (
        LEAST + "plans:\n  cheap: [deepseek-flash]\n  cheap+audit:\n  audit: always\n", 6,
        "unknown key 'audit' in plans; it belongs in plans.cheap+audit: move it there",
    ),
    "a rule without its list": (LEAST + "rules:\nid: one\ndeny: true\n", 4, "unknown key 'id'; it belongs in an item of rules: move it there"),
    "a key under limits that is the file's": (
        LEAST + "limits:\n  day_usd: 5\n  at_limit: deny\n", 5, "unknown key 'at_limit' in limits; it belongs in the file itself: move it there",
    ),
    "a key under plans that is the file's": (
        LEAST + "plans:\n  cheap: [deepseek-flash]\n  baseline: deepseek-flash\n", 5, "unknown key 'baseline' in plans; it belongs in the file itself",
    ),
    # YAML
    "tab": ("team: finance\nmodels:\n\t- a\n", 3, "indent with spaces, not tabs"),
    "alias": ("team: &t finance\nmodels: [*t]\n", 1, "anchors and aliases are not read; write the value out"),
    "a list": ("- team: finance\n", 1, "the file must be a mapping of keys to values, with lines such as `team: finance`"),
    "empty file": ("", 1, "the file is empty; write keys and values"),
    "two documents": (LEAST + "---\n" + LEAST, 3, "a second document begins here; write one a file"),
    "not UTF-8": (b"team: finance\nmodels: [\xff]\n", 2, "save it as UTF-8"),
    "too large": (LEAST + "#" * 300_000, 1, "the file has more than 262144 bytes, and no more are read; shorten it"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "line", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_file_is_one_sentence_with_file_and_line(
    content: str | bytes, line: int, said: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        policy_of(content)
    assert str(caught.value).startswith(f"finance.yaml line {line}: ")
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


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


def test_there_are_sixty_malformed_files_and_more() -> None:
    assert len(REFUSED) >= 60


def read(text: str) -> TeamPolicy | PolicyError:
    try:
        return policy_of(text)
    except PolicyError as error:
        return error
