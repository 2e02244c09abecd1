"""The pooled HTTP client that hosted providers share.

aiohttp: about 80 microseconds a request, TLS and deadlines well kept (httpx costs 500-900, the
openai SDK 1,900). No redirects, no environment proxies, no cookies: an address comes from the
configuration and from nowhere else.
"""

import contextlib
from collections.abc import Iterator
from functools import lru_cache

import aiohttp

from router.errors import UpstreamError, UpstreamInvalidError, UpstreamTimeoutError

CONNECT_TIMEOUT_S = 10.0
ANSWER_BYTES_MAX = 64 * 1024 * 1024
CONNECTIONS_PER_HOST_MAX = 512


@lru_cache(maxsize=256)
def deadlines(total_s: float, idle_s: float) -> aiohttp.ClientTimeout:
    """Seconds for the whole exchange, and for silence between two reads."""
    return aiohttp.ClientTimeout(total=total_s, sock_connect=CONNECT_TIMEOUT_S, sock_read=idle_s)


class Pool:
    """Keeps connections to providers open."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=CONNECTIONS_PER_HOST_MAX),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=True,
            )
        return self._session

    async def post(
        self, provider: str, url: str, headers: dict[str, str], body: bytes, limits: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """POST `body`; return the response once its headers are there. The caller releases or closes it.

        Raises UpstreamTimeoutError or UpstreamError; `billable` is False only if no byte of the
        request can have arrived.
        """
        with translated(provider):
            return await self._open_session().post(
                url, data=body, headers=headers, timeout=limits, allow_redirects=False
            )

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


@contextlib.contextmanager
def translated(provider: str) -> Iterator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise UpstreamTimeoutError(
            f"provider '{provider}' did not accept a connection in {CONNECT_TIMEOUT_S:g} s",
            code="upstream_unreachable",
            billable=False,
        ) from error
    except TimeoutError as error:
        raise UpstreamTimeoutError(f"provider '{provider}' was silent for too long", billable=True) from error
    except aiohttp.ClientConnectorError as error:
        raise UpstreamError(
            f"provider '{provider}' cannot be reached ({type(error).__name__})",
            code="upstream_unreachable",
            billable=False,
        ) from error
    except aiohttp.ClientError as error:
        raise UpstreamError(
            f"the connection to provider '{provider}' broke ({type(error).__name__})",
            code="upstream_broken",
            billable=True,
        ) from error


async def read_bounded(
    provider: str, response: aiohttp.ClientResponse, bytes_max: int = ANSWER_BYTES_MAX
) -> bytes:
    """Read a whole body. Raises UpstreamInvalidError if it has more than `bytes_max`, unpacked."""
    length = response.content_length
    if length is not None and length <= bytes_max and "content-encoding" not in response.headers:
        return await response.read()
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > bytes_max:
            raise UpstreamInvalidError(
                f"provider '{provider}' sent more than {bytes_max >> 20} MiB", billable=True
            )
        parts.append(part)
    return b"".join(parts)
