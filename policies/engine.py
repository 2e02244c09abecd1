"""Facts in, decision out: which plan and which models, or why not.

Total: every facts has a decision. Nothing is looked up but the team's own rules.
"""

from policies.audits import PLAN as AUDITED_PLAN
from policies.decision import Allow, Decision, Deny
from policies.facts import Facts
from policies.rules import TeamPolicy

AUTO = "auto"
NAMED_MODEL = "model"


def decide(policy: TeamPolicy, facts: Facts) -> Decision:
    """Say what `facts` may do under `policy`.

    The model is a plan's name, `auto`, or a model's; what the policy does not allow is denied with
    the rule that closed it.
    """
    if facts.model == AUTO:
        plan = policy.auto.get(facts.kind)
        if plan is None:
            return _deny(
                policy,
                f"team '{policy.team}' has no default plan for {facts.kind.value}; name a model, or set auto.{facts.kind.value} in {policy.file}",
                "auto",
            )
        return _allow(policy, plan, policy.plans[plan], f"auto.{facts.kind.value}", f"plans.{plan}")
    if facts.model in policy.plans:
        return _allow(policy, facts.model, policy.plans[facts.model], f"plans.{facts.model}")
    if facts.model in policy.models:
        return _allow(policy, NAMED_MODEL, (facts.model,), "models")
    allowed = ", ".join((*policy.plans, *policy.models))
    return _deny(
        policy, f"team '{policy.team}' may not use '{facts.model[:100]}'; it may use {allowed}", "models"
    )


def _allow(policy: TeamPolicy, plan: str, routes: tuple[str, ...], *rules: str) -> Allow:
    audited = plan == AUDITED_PLAN
    return Allow(
        plan=plan,
        routes=routes,
        cheap_routes=policy.plans.get("cheap", ()),
        baseline_route=policy.baseline,
        audits=policy.audits if audited else None,
        escalation_routes=policy.plans.get("premium", ()) if audited else (),
        grading=policy.grading,
        criteria=policy.audits.criteria if policy.audits is not None else None,
        retries=policy.retries,
        per_request_nano_usd=policy.limits.request_nano_usd,
        at_limit=policy.at_limit,
        min_output_tokens=policy.min_output_tokens,
        settle=policy.settle,
        policy_hash=policy.policy_hash,
        rule_ids=tuple(policy.rule(rule) for rule in rules),
    )


def _deny(policy: TeamPolicy, reason: str, *rules: str) -> Deny:
    return Deny(reason, policy.policy_hash, tuple(policy.rule(rule) for rule in rules))
