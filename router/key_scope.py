"""What a key's own scope leaves of what its team's policy allows."""

from collections.abc import Collection
from dataclasses import replace

from policies.decision import Allow
from router.errors import ForbiddenError


def within_scope(allow: Allow, models: Collection[str]) -> Allow:
    """Leave of `allow` what may answer a key for `models`. Raises ForbiddenError if that is nothing.

    Who audits or grades the answer is the policy's to say, not the key's.
    """
    routes = tuple(name for name in allow.routes if name in models)
    if not routes:
        raise ForbiddenError(
            f"this key may use {', '.join(sorted(models))[:300]}, and the policy's routes here are "
            f"{', '.join(allow.routes)[:300]}; name one of the key's models, or use another key",
            param="model",
            code="key_scope",
        )
    return replace(
        allow,
        routes=routes,
        cheap_routes=tuple(name for name in allow.cheap_routes if name in models),
        escalation_routes=tuple(name for name in allow.escalation_routes if name in models),
    )
