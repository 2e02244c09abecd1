"""Our own count where a provider told no usage, put where the caller looks for it.

What is charged by an estimate is told as one: the caller's numbers are the ledger's.
"""

from dataclasses import replace

import orjson

from ledger.usage import Usage
from router.completion import Completion
from router.json_types import JsonObject
from router.wire.choice_text import choices_of, everything_said
from router.wire.openai_usage import usage_object


def generated_text(body: bytes) -> str:
    """All that a whole answer says, thoughts and tool calls included: what an estimate counts."""
    return "".join(everything_said(choice) for choice in choices_of(orjson.loads(body)))


def with_estimate(completion: Completion, usage: Usage, created_s: int) -> Completion:
    """Put `usage` into a whole answer's body, or into the last event of a stream."""
    told = usage_object(usage)
    if completion.body:
        document: JsonObject = {**orjson.loads(completion.body), "usage": told}
        return replace(completion, body=orjson.dumps(document))
    event: JsonObject = orjson.loads(completion.usage_event or b"{}") or {
        "id": completion.upstream_id,
        "object": "chat.completion.chunk",
        "created": created_s,
        "model": completion.model_served,
        "choices": [],
    }
    return replace(completion, usage_event=orjson.dumps({**event, "usage": told}))
