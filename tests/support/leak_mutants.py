"""Faults that would leak, each planted in a copy of our own code: what the recorders must notice.

Where the code changes, the text to replace changes with it: a mutant whose text is gone fails and says so.
Those that stand first are one for each way; `make test` runs these alone.
"""

from support.trees import Mutant

_EVERY_ROUTE = "_Left({route.name for route in self._catalog.routes})"
PLANNING, RULEBOOK = "router/planning.py", "policies/rulebook.py"

MUTANTS = (
    Mutant(
        "what is fallen back on is not filtered",
        PLANNING,
        "        for route in self._routes(models, left):\n            bound = prompt_bound",
        f"        others = self._routes(models, {_EVERY_ROUTE})\n"
        "        for route in [*self._routes(models, left), *others]:\n            bound = prompt_bound",
    ),
    Mutant(
        "auditors are not filtered",
        PLANNING,
        "self._judging(allow.audits.auditors, at_us, left)",
        f"self._judging(allow.audits.auditors, at_us, {_EVERY_ROUTE})",
    ),
    Mutant(
        "graders are not filtered",
        PLANNING,
        "self._judging(allow.grading.graders, at_us, left)",
        f"self._judging(allow.grading.graders, at_us, {_EVERY_ROUTE})",
    ),
    Mutant(
        "escalations are not filtered",
        PLANNING,
        "self._answering(request, allow.escalation_routes, at_us, counted, left)",
        f"self._answering(request, allow.escalation_routes, at_us, counted, {_EVERY_ROUTE})",
    ),
    Mutant(
        "a retry goes to another provider",
        "router/attempts.py",
        "self._providers[call.route.provider]",
        'self._providers["abroad" if attempt.role.value == "retry" else call.route.provider]',
    ),
    Mutant(
        "a plan that is lowered for want of money is not filtered",
        "router/admission.py",
        "allow = replace(plan.allow, audits=None, escalation_routes=(), grading=None)",
        "allow = replace(plan.allow, audits=None, escalation_routes=(), grading=None, permitted=frozenset(\n"
        "                    route.name for route in self._planner._catalog.routes))",
    ),
    Mutant(
        "what a client declares loosens its team's label",
        RULEBOOK,
        "stricter(policy.default_label, label) for label",
        "label or policy.default_label for label",
    ),
    Mutant(
        "a request's body is logged",
        "router/endpoints/chat_completions.py",
        '            request = read_chat_request(body, dict(scope["headers"]))\n',
        '            request = read_chat_request(body, dict(scope["headers"]))\n'
        '            __import__("sys").stderr.write(f"{body!r}\\n")\n',
    ),
    Mutant(
        "the planner takes routes that are not permitted",
        PLANNING,
        "            if route.name in left.permitted\n",
        "            if route.name\n",
    ),
    Mutant(
        "of two labels that of the body wins",
        "router/wire/declared.py",
        "header_label if in_body is None else max(in_body, header_label, key=labels.index)",
        "header_label if in_body is None else in_body",
    ),
    Mutant(
        "a decision is kept for requests that other rules apply to",
        RULEBOOK,
        "case = grant, applying & self._denying or applying & (grant.touching | self._limiting)",
        "case = grant, 0",
    ),
    Mutant(
        "a server of the operator's counts as this machine",
        "policies/requirements.py",
        "return route.runs is Runs.LOCAL",
        "return route.runs is not Runs.HOSTED",
    ),
    Mutant(
        "rules are not told of tools",
        "router/classification.py",
        "tools=request.has_tools,",
        "tools=False,",
    ),
    Mutant(
        "a changed file is read and not put in force",
        "router/policies_in_force.py",
        "        self.current = policies\n        self._on_change",
        "        self._on_change",
    ),
    Mutant(
        "the class of a task is cut out of its document",
        "router/classification.py",
        "found = _schema_name(request) or request.kind.value",
        "found = request.document[:TASK_CLASS_CHARACTERS_MAX] or request.kind.value",
    ),
)  # fmt: skip
