"""What chance decides of a request: whether its answer is audited, where that is a sample, and whether it is
graded. Decided before the hold, so that the money is there, and with a propensity that is written down.
"""

import random
from collections.abc import Callable
from dataclasses import replace

from policies.audits import AuditMode, AuditRules
from policies.decision import Allow
from policies.facts import TaskKind

WHOLE = 100.0
_UNPREDICTABLE = random.SystemRandom().random


class Sampling:
    """Draws; `chance` gives a number in [0, 1)."""

    def __init__(self, chance: Callable[[], float] = _UNPREDICTABLE) -> None:
        self._chance = chance

    def chosen(self, allow: Allow, kind: TaskKind) -> Allow:
        """`allow` with what this request is not chosen for left out."""
        if allow.audits is not None and not self._draw(audit_percent(allow.audits, kind)):
            allow = replace(allow, audits=None, escalation_routes=())
        if allow.grading is not None and not self._draw(allow.grading.percent):
            allow = replace(allow, grading=None)
        return allow

    def _draw(self, percent: float) -> bool:
        return self._chance() * WHOLE < percent


def audit_percent(rules: AuditRules, kind: TaskKind) -> float:
    """Of how many answers of a kind an auditor may be asked, before anything is known of them."""
    match rules.mode:
        case AuditMode.NEVER:
            return 0.0
        case AuditMode.ALWAYS:
            return WHOLE
        case AuditMode.BY_RISK if kind is TaskKind.EXTRACTION:
            return WHOLE
        case _:
            return rules.sample_percent
