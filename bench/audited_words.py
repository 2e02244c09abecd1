"""What a run of `bench/audited.py` measured, and what can be said of it in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True, slots=True)
class Measured:
    """A row's figures."""

    cheap: str
    bundle: int
    tpr: float
    fpr: float
    price_ratio: int
    reasoning: int
    plan: str
    accuracy: float
    cost_nano_usd: int
    predicted_nano_usd: int
    cost_of_premium_nano_usd: int
    requests: int
    audited_share: float
    escalated_share: float
    own_ms: list[float]
    """Of each audited answer's time, what is neither its cheap call nor its audit nor its escalation; rising."""

    @property
    def is_audited(self) -> bool:
        """Whether its plan has audits."""
        return self.plan.startswith("audit_")

    @property
    def is_cheaper(self) -> bool:
        """Whether it cost less than premium's answers to the same requests."""
        return self.cost_nano_usd < self.cost_of_premium_nano_usd


def crossovers(measured: Sequence[Measured]) -> list[str]:
    """Where an audited plan costs less than premium, and where it does not."""
    audited = [each for each in measured if each.is_audited]
    lines = []
    for key in dict.fromkeys((each.plan, each.reasoning, each.bundle) for each in audited):
        some = [each for each in audited if (each.plan, each.reasoning, each.bundle) == key]
        highest = max((each.escalated_share for each in some if each.is_cheaper), default=None)
        lowest = min((each.escalated_share for each in some if not each.is_cheaper), default=None)
        said = "{}, {} reasoning tokens, {} receipt(s) a request: ".format(*key)
        said += f"cheaper than premium in {sum(each.is_cheaper for each in some)} of {len(some)} cases"
        if highest is not None and lowest is not None:
            said += f" (up to x = {highest:.2f}; dearer from x = {lowest:.2f} on)"
        lines.append(said)
    return lines


def own_times(measured: Sequence[Measured]) -> list[str]:
    """How long our own part of an audited answer took, by what was asked: each model, each size of bundle."""
    cheaps = dict.fromkeys(each.cheap.partition("-")[0] for each in measured)
    bundles = dict.fromkeys(each.bundle for each in measured)
    lines = []
    for cheap, bundle in product(cheaps, bundles):
        some = [each for each in measured if each.cheap.startswith(cheap) and each.bundle == bundle]
        times = sorted(one for each in some for one in each.own_ms)
        if times:
            half, most = times[len(times) // 2], times[len(times) * 95 // 100]
            lines.append(
                f"own time, {cheap}, {bundle} receipt(s) a request: p50 {half:.1f} ms, p95 {most:.1f} ms, "
                f"at most {times[-1]:.1f} ms of {len(times)} audited answers"
            )
    return lines
