"""The protocol of a provider, and the one table of what its failures mean.

A provider takes a call and answers with a completion, whole or piece by piece, or raises one of
`router.errors`' UpstreamError or UnavailableError. It neither retries nor counts money.
"""

from typing import Protocol

from router.call import Call
from router.completion import Completion, CompletionStream
from router.errors import UpstreamError, UpstreamInvalidError, UpstreamRefusedError


class Provider(Protocol):
    """Serves models."""

    async def complete(self, call: Call) -> Completion:
        """Answer whole."""

    async def stream(self, call: Call) -> CompletionStream:
        """Begin to answer in pieces: returns once the provider has accepted."""

    async def close(self) -> None:
        """Give back connections and processes."""


_REFUSED_AS_THEY_ARE = frozenset({400, 404, 413, 422, 429})
_OUR_FAULT = frozenset({401, 402, 403, 407})
_GAVE_UP = frozenset({504, 524})
"""A proxy's (524 is Cloudflare's): it waited no longer."""
_OVERLOADED = 529
"""Anthropic's: it took no request, and bills none."""


def error_of_status(provider: str, status: int, code: str | None, retry_after: bytes | None) -> UpstreamError:
    """Say what a provider's error status means for the caller and for the money.

    4xx before any token are unbilled by every provider's documentation; with a 5xx the prompt may have
    been billed, and nothing was written, unless a proxy gave up on a model that goes on.
    The provider's own text is never repeated: it may hold the prompt.
    """
    detail = f" ({code})" if code else ""
    if status in _REFUSED_AS_THEY_ARE:
        return UpstreamRefusedError(
            f"provider '{provider}' refused the request with status {status}{detail}",
            status=status,
            code=code,
            retry_after=retry_after if status == 429 else None,
        )
    if status in _OUR_FAULT:
        return UpstreamRefusedError(
            f"provider '{provider}' refused the gateway's own key or account with status {status}{detail}; "
            "the operator must mend that",
            status=502,
            code="upstream_credentials",
        )
    if 400 <= status < 500:
        return UpstreamRefusedError(
            f"provider '{provider}' refused the request with status {status}{detail}", status=502, code=code
        )
    if 300 <= status < 400:
        return UpstreamInvalidError(
            f"provider '{provider}' answered with a redirect ({status}), which is never followed; set its base_url to the final address",
            billable=False,
        )
    if status == _OVERLOADED:
        return UpstreamError(
            f"provider '{provider}' is overloaded (status {status})",
            code="upstream_overloaded",
            billable=False,
        )
    return UpstreamError(
        f"provider '{provider}' failed with status {status}{detail}",
        billable=True,
        generated=status < 500 or status in _GAVE_UP,
    )
