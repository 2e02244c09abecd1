"""What litellm's process tells the gateway of a failure that is no answer of the provider's."""

from enum import StrEnum

CAUSE_HEADER = "x-steelyard-cause"


class Cause(StrEnum):
    """What went wrong."""

    EGRESS = "egress"
    """It would have reached beyond the configured address."""
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    """The connection broke."""
    INVALID = "invalid"
    """What came is not an answer."""
