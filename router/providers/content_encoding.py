"""Unpack a body that came packed although it was asked for as it is (RFC 9110, 8.4)."""

import zlib
from collections.abc import AsyncIterator

from router.errors import UpstreamError, UpstreamInvalidError

PART_BYTES_MAX = 1 << 20
"""What one step may unpack to: a small body that unpacks to a large one is read in steps, too."""
_WINDOW_BITS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
_MEMBER_BEGINS = b"\x1f"


async def unpacked(name: str, encoding: bytes, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Give the body of `parts`. Raises UpstreamInvalidError for a way of packing that is not known, and
    UpstreamError for a body that is not packed as it says or is cut short."""
    window_bits = _WINDOW_BITS.get(encoding)
    if window_bits is None:
        raise UpstreamInvalidError(f"{name} packed its answer in a way that was not asked for", billable=True)
    unpacker = zlib.decompressobj(window_bits)
    try:
        async for part in parts:
            rest = part
            while rest:
                if unpacker.eof:
                    if window_bits != 31 or not rest.startswith(_MEMBER_BEGINS):
                        break  # padding
                    unpacker = zlib.decompressobj(
                        window_bits
                    )  # gzip may have several members (RFC 1952, 2.2)
                data = unpacker.decompress(rest, PART_BYTES_MAX)
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if data:
                    yield data
    except zlib.error as error:
        raise UpstreamError(
            f"the answer of {name} cannot be unpacked", code="upstream_broken", billable=True
        ) from error
    if not unpacker.eof:
        raise UpstreamError(f"the answer of {name} was cut short", code="upstream_broken", billable=True)
