"""How sure a team wants to be: when an auditor is asked about a cheap answer, and what its verdict does."""

from dataclasses import dataclass
from enum import StrEnum

from policies.nodes import Mapping

PLAN = "cheap+audit"
AUDIT_KEYS = (
    "audit", "sample_percent", "auditors", "when_wrong", "when_unsettled", "when_unaudited", "stream", "criteria",
)  # fmt: skip
GRADING_KEYS = ("percent", "graders")
GRADING_PERCENT = 2.0
CRITERIA_CHARACTERS_MAX = 2_000


class AuditMode(StrEnum):
    """Which answers an auditor is asked about."""

    NEVER = "never"
    SAMPLE = "sample"
    BY_RISK = "by_risk"
    """Those with a doubtful field; of generated text, a sample."""
    ALWAYS = "always"


class WhenWrong(StrEnum):
    """What follows when the auditor finds a field wrong."""

    CORRECT = "correct"
    """Its correction takes the field's place, if it is proven; what is not is unsettled."""
    ESCALATE = "escalate"
    PASS = "pass"  # noqa: S105  (what a policy says, no password)
    """The answer goes out, marked."""


class WhenUnsettled(StrEnum):
    """What follows when a doubtful field is neither confirmed nor corrected."""

    ESCALATE = "escalate"
    """A premium model answers the whole request."""
    PASS = "pass"  # noqa: S105  (what a policy says, no password)
    """The answer goes out, marked."""


class WhenUnaudited(StrEnum):
    """What follows when the auditor is down, slow, refuses or answers nonsense."""

    PASS = "pass"  # noqa: S105  (what a policy says, no password)
    """The answer goes out, and says that it is unaudited."""
    ESCALATE = "escalate"
    FAIL = "fail"


class Delivery(StrEnum):
    """What a caller of a stream gets, and when."""

    VERIFY_THEN_STREAM = "verify_then_stream"
    STREAM_THEN_AUDIT = "stream_then_audit"


@dataclass(frozen=True, slots=True)
class AuditRules:
    """What `cheap+audit` adds to `cheap`."""

    mode: AuditMode
    sample_percent: float
    auditors: tuple[str, ...]
    """Models, first choice first."""
    when_wrong: WhenWrong
    when_unsettled: WhenUnsettled
    when_unaudited: WhenUnaudited
    delivery: Delivery
    criteria: str | None
    """What generated text is judged by."""

    @property
    def escalates(self) -> bool:
        """Whether an answer may have to be given anew by a premium model."""
        return self.mode is not AuditMode.NEVER and (
            self.when_unsettled is WhenUnsettled.ESCALATE
            or self.when_wrong is WhenWrong.ESCALATE
            or self.when_unaudited is WhenUnaudited.ESCALATE
        )


@dataclass(frozen=True, slots=True)
class GradingRules:
    """Which answers are sampled, whatever the checks say of them, so that accuracy can be estimated."""

    percent: float
    graders: tuple[str, ...]
    """Models that grade; none: a person does, by `steelyard outcome`."""


def read_audit_rules(section: Mapping, auditors: tuple[str, ...]) -> AuditRules:
    """Read `plans.cheap+audit`; `auditors` are its models, read by the caller. Raises RuleError."""
    section.only(AUDIT_KEYS)
    mode = section.choice("audit", AuditMode, AuditMode.BY_RISK)
    criteria = section.optional_text("criteria")
    if criteria is not None and len(criteria) > CRITERIA_CHARACTERS_MAX:
        raise section.error(
            f"{section.path('criteria')} has {len(criteria)} characters; at most {CRITERIA_CHARACTERS_MAX} are sent",
            "criteria",
        )
    if mode is AuditMode.SAMPLE and not section.has("sample_percent"):
        raise section.error(
            f"{section.path('audit')} is sample; write how many per cent in {section.path('sample_percent')}",
            "audit",
        )
    return AuditRules(
        mode=mode,
        sample_percent=section.number("sample_percent", 0, 100, 0),
        auditors=auditors,
        when_wrong=section.choice("when_wrong", WhenWrong, WhenWrong.CORRECT),
        when_unsettled=section.choice("when_unsettled", WhenUnsettled, WhenUnsettled.ESCALATE),
        when_unaudited=section.choice("when_unaudited", WhenUnaudited, WhenUnaudited.PASS),
        delivery=section.choice("stream", Delivery, Delivery.VERIFY_THEN_STREAM),
        criteria=criteria,
    )


def read_grading_rules(section: Mapping, graders: tuple[str, ...]) -> GradingRules:
    """Read `grading`; `graders` are its models, read by the caller. Raises RuleError."""
    section.only(GRADING_KEYS)
    return GradingRules(section.number("percent", 0, 100, GRADING_PERCENT), graders)
