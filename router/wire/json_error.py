"""Errors in OpenAI's shape."""

import orjson

from router.errors import GatewayError


def error_body(error: GatewayError) -> bytes:
    """Write `error` as OpenAI's clients read it."""
    return orjson.dumps(
        {"error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code}}
    )
