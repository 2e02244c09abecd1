"""How long a streamed answer may be: what the output limit that was sent could come to, and a generous rest.

A provider that keeps to the limit never meets these. One that does not would otherwise fill the memory
of the gateway, and of whoever reads on.
"""

from router.call import Call

BYTES_FREE = 16 * 1024 * 1024
BYTES_PER_TOKEN = 1024
"""Of the stream: chunks of one token have 150 to 600 bytes, with padding against eavesdroppers and thoughts
that are told under two names."""
BYTES_PER_SCORED_TOKEN = 4096
"""With its log-probability and those of twenty others."""
CHARACTERS_FREE = 1024 * 1024
CHARACTERS_PER_TOKEN = 128
"""Of the text: the longest token of the known vocabularies is a run of 128 spaces (o200k_base)."""


def stream_bytes_max(call: Call) -> int:
    """The most bytes that a provider may send for `call`."""
    scored = call.route.logprobs or call.request.wants_logprobs
    return BYTES_FREE + _tokens(call) * (BYTES_PER_SCORED_TOKEN if scored else BYTES_PER_TOKEN)


def stream_characters_max(call: Call) -> int:
    """The most text that a provider may have generated for `call`."""
    return CHARACTERS_FREE + _tokens(call) * CHARACTERS_PER_TOKEN


def _tokens(call: Call) -> int:
    return call.max_tokens * call.request.choices
