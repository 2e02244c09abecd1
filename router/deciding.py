"""What may be done with a request: classified, held against the rules, and against what its key may use.

Pure: `steelyard policy explain` calls the same before anything is sent, and gets the same refusals.
"""

from dataclasses import dataclass

from policies.decision import Allow, Decision, Deny
from policies.facts import Facts
from router.caller import Caller
from router.classification import Task, classify, facts_of
from router.errors import InvalidRequestError, PolicyDeniedError
from router.key_scope import within_scope
from router.request import ChatRequest


@dataclass(frozen=True, slots=True)
class Decided:
    """A request as the rules saw it, and what they said."""

    task: Task
    facts: Facts
    decision: Decision


def decide(request: ChatRequest, caller: Caller, pepper: bytes) -> Decided:
    """Classify `request` and hold it against the caller's rules."""
    task = classify(request, caller.team, pepper)
    facts = facts_of(request, task, caller)
    return Decided(task, facts, caller.rulebook.decide(facts))


def allowed(request: ChatRequest, decision: Decision, caller: Caller) -> Allow:
    """What `caller` may do with `request`. Raises PolicyDeniedError, InvalidRequestError or ForbiddenError: the
    sentence that the client gets."""
    if isinstance(decision, Deny):
        raise PolicyDeniedError(f"{decision.reason} (rules: {decision.cited})")
    _refuse_what_cannot_be_audited(request, decision)
    return within_scope(decision, caller.models) if caller.models is not None else decision


def _refuse_what_cannot_be_audited(request: ChatRequest, allow: Allow) -> None:
    if allow.audits is not None and request.schema is not None and request.choices > 1:
        raise InvalidRequestError(
            f"the plan '{allow.plan}' audits one answer, and n is {request.choices}; ask for one, or name another plan",
            param="n",
        )
