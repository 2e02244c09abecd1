"""What a team says of its audits: every word is read, and what cannot be done is one message."""

import pytest

from policies.audits import AuditMode, AuditRules, Delivery, WhenUnaudited, WhenUnsettled, WhenWrong
from policies.document import parse_bytes
from policies.errors import PolicyError
from policies.team import TeamPolicy
from policies.team_reading import read_policy
from support.rules import routes_of

MODELS = ("flash", "opus", "sonnet")
ALL = "team: finance\nmodels: [flash, opus]\nplans:\n  cheap: [flash]\n"
PREMIUM = f"{ALL}  premium: [opus]\n"


def policy_of(text: str) -> TeamPolicy:
    return read_policy(parse_bytes(text.encode(), "finance.yaml"), "hash", routes_of(MODELS))


def test_what_is_left_out_of_the_audits_has_its_default() -> None:
    policy = policy_of(f"{PREMIUM}  cheap+audit: {{}}\n")
    assert policy.audits == AuditRules(
        AuditMode.BY_RISK,
        0.0,
        ("opus",),
        WhenWrong.CORRECT,
        WhenUnsettled.ESCALATE,
        WhenUnaudited.PASS,
        Delivery.VERIFY_THEN_STREAM,
        None,
    )
    assert policy.plans["cheap+audit"] == ("flash",)


def test_every_word_of_the_audits_is_read() -> None:
    policy = policy_of(
        f"{ALL}  cheap+audit:\n    audit: sample\n    sample_percent: 2.5\n    auditors: [opus]\n"
        "    when_wrong: pass\n    when_unsettled: pass\n    when_unaudited: fail\n"
        "    stream: stream_then_audit\n    criteria: it answers the question\n"
    )
    assert policy.audits == AuditRules(
        AuditMode.SAMPLE,
        2.5,
        ("opus",),
        WhenWrong.PASS,
        WhenUnsettled.PASS,
        WhenUnaudited.FAIL,
        Delivery.STREAM_THEN_AUDIT,
        "it answers the question",
    )


REFUSED = {
    "audits without a cheap plan": (
        "team: finance\nmodels: [opus]\nplans:\n  premium: [opus]\n  cheap+audit: {}\n",
        "line 5: plans.cheap+audit audits what plans.cheap answers, which is missing",
    ),
    "nobody to ask": (
        f"{ALL}  cheap+audit: {{when_unsettled: pass}}\n",
        "line 5: plans.cheap+audit.auditors is missing",
    ),
    "nobody to escalate to": (
        f"{ALL}  cheap+audit: {{auditors: [opus]}}\n",
        "line 5: plans.cheap+audit escalates to plans.premium, which is missing",
    ),
    "an auditor that is not allowed": (
        f"{PREMIUM}  cheap+audit: {{auditors: [sonnet]}}\n",
        "line 6: plans.cheap+audit.auditors names 'sonnet', which models does not allow",
    ),
    "a sample of nobody knows what": (
        f"{PREMIUM}  cheap+audit: {{audit: sample}}\n",
        "line 6: plans.cheap+audit.audit is sample; write how many per cent",
    ),
    "a word misspelt": (
        f"{PREMIUM}  cheap+audit: {{audit: by_rsik}}\n",
        "line 6: plans.cheap+audit.audit is 'by_rsik'; it is one of never, sample, by_risk, always; did you mean 'by_risk'?",
    ),
    "a key misspelt": (f"{PREMIUM}  cheap+audit: {{when_rong: pass}}\n", "did you mean 'when_wrong'?"),
    "criteria without end": (
        f"{PREMIUM}  cheap+audit: {{criteria: {'x' * 2_001}}}\n",
        "has 2001 characters; at most 2000 are sent",
    ),
    "a grader that is not allowed": (
        f"{PREMIUM}grading: {{graders: [sonnet]}}\n",
        "line 6: grading.graders names 'sonnet', which models does not allow",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_audits_that_cannot_be_are_one_message(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as raised:
        policy_of(text)
    assert message in str(raised.value)
