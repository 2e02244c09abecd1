"""The servers of the leak tests: all that they hear is kept, and each fails often enough that others are tempting."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from router.json_types import JsonObject
from support.leak_world import HERE, HOSTED, SERVERS
from support.upstream import Upstream, running_upstream
from support.upstream_script import Behaviour, Fault, Received

_BREAKS = (
    Fault.RESET_BEFORE_HEADERS, Fault.RESET, Fault.TRUNCATE, Fault.CUT_SHORT, Fault.HTML, Fault.INVALID_JSON,
    Fault.ERROR_EVENT, Fault.NOT_AN_OBJECT,
)  # fmt: skip


def scripted(seed: int, server: str, *, hangs: bool) -> Callable[[Received], Behaviour]:
    """What a server does; those that nobody else may stand in for fail most."""
    fails = 0.12 if server in HOSTED else 0.35

    def behave(request: Received) -> Behaviour:
        chance = random.Random(f"{seed} {server} {request.number}")  # noqa: S311  (a script, no secret)
        judges = b"You audit" in request.body  # which may be late, and is waited for at the end
        if chance.random() < (min(fails, 0.15) if judges else fails):
            if chance.random() < 0.5:
                status = chance.choice([429, 500, 503, 529])
                return Behaviour(status=status, error_code="no", headers={"retry-after": "0"})
            silent = chance.random() < 0.05 and hangs and not judges
            fault = Fault.HANG_BEFORE_HEADERS if silent else chance.choice(_BREAKS)
            return Behaviour(answer={"company": "ACME Ltd"}, fault=fault)
        if server == HERE and chance.random() < 0.1:
            return Behaviour(text="I am no JSON.")
        return Behaviour(answer=_answer(request, chance), chunks=3)

    return behave


def _answer(request: Received, chance: random.Random) -> JsonObject:
    """Often wrong, so that auditors are asked; and judges who often let the answer escalate."""
    if b"You audit an answer" in request.body:
        return {"verdict": chance.choice(["right", "wrong"]), "reason": "meets_criteria"}
    if b"You audit values" not in request.body:
        return {"company": "ACME Ltd", "total": chance.choice(["12.50", "10.00", "99.99", ""])}
    if chance.random() < 0.2:
        return {"nonsense": True}
    records = [json.loads(line) for line in request.last_user_text.splitlines() if line[:1] == "{"]
    return {
        "verdicts": [
            {
                "field": each["field"],
                "verdict": chance.choice(["right", "right", "wrong", "cannot_tell"]),
                "correction": None,
                "span_id": None,
            }
            for each in records
            if "field" in each
        ]
    }


@contextmanager
def running_servers(seed: int, *, hangs: bool) -> Iterator[dict[str, Upstream]]:
    """Run all of them, by name."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(running_upstream(behave=scripted(seed, name, hangs=hangs)))
            for name in SERVERS
        }
