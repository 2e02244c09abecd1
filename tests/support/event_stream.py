"""AWS's event-stream framing, written anew from its description, so that a reader is not tested with itself.

A message is its length and its headers' length (4 bytes each), the CRC-32 of those eight, the headers, the
payload, and the CRC-32 of all before. Source: Smithy's "Amazon Event Stream" specification.
"""

import struct
import zlib

_STRING = 7
"""The type of a header's value that is text."""


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """One message with `headers` of text."""
    written = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", len(written) + len(payload) + 16, len(written))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + written + payload
    return body + struct.pack(">I", zlib.crc32(body))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _STRING, len(text)) + text
