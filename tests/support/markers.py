"""Marked secrets, and finding them again in bytes, however they were written.

A marker is plain letters and digits, so that no JSON writer changes it by itself. What somebody may have
made of it is undone before the search: base64 at each of its alignments, hexadecimal, %XX, \\u00XX, UTF-16,
gzip and zlib, and each of these within another.
"""

import base64
import re
import zlib
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

DEPTH = 2
"""So many writings, one within another, are undone."""
_MARKER = re.compile(rb"lk7([0-9a-f]{6})([0-9a-f]{6})xq", re.IGNORECASE)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{20,}={0,2}")
_FOLDED = re.compile(rb"\n(?<=[A-Za-z0-9+/_-]{60}\n)(?=[A-Za-z0-9+/_-])")
_HEXADECIMAL = re.compile(rb"[0-9A-Fa-f]{30,}")
_ESCAPED = re.compile(rb"\\+u00([0-9A-Fa-f]{2})")
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def marker(run: int, number: int) -> str:
    """The secret of request `number` of a run."""
    return f"lk7{number:06x}{run & 0xFFFFFF:06x}xq"


def markers_in(data: bytes, run: int, depth: int = DEPTH) -> set[int]:
    """The numbers of the requests of a run whose secrets stand in `data`, however they are written."""
    found: set[int] = set()
    for reading in readings(data, depth):
        for number, of_run in _MARKER.findall(reading):
            if int(of_run, 16) == run & 0xFFFFFF:
                found.add(int(number, 16))
    return found


def readings(data: bytes, depth: int) -> Iterator[bytes]:
    """`data` as it is, and what it may be a writing of."""
    yield data
    if depth:
        for undone in filter(None, _undone(data)):
            yield from readings(undone, depth - 1)


def _undone(data: bytes) -> Iterator[bytes]:
    if b"%" in data:
        yield unquote_to_bytes(data)
    if b"\\u00" in data:
        yield _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), data)
    if b"\0" in data:
        yield data.replace(b"\0", b"")
    view = memoryview(data)  # of which a slice copies nothing
    packed = [_unpacked(view[match.start() :]) for match in _PACKED.finditer(data)]
    yield b"\n".join(packed)
    runs = [
        match[0].rstrip(b"=") for match in _BASE64.finditer(_FOLDED.sub(b"", data.replace(b"\r\n", b"\n")))
    ]
    for start in range(4):
        yield b"\n".join(_from_base64(run[start:]) for run in runs)
    digits = [match[0] for match in _HEXADECIMAL.finditer(data)]
    for start in range(2):
        yield b"\n".join(_from_hexadecimal(run[start:]) for run in digits)


def _unpacked(data: memoryview) -> bytes:
    """What can be unpacked of the beginning of `data`; b"" if it was not packed."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, 1 << 24)
    except zlib.error:
        return b""


def _from_base64(run: bytes) -> bytes:
    return base64.b64decode(run[: len(run) // 4 * 4].translate(_URL_SAFE))


def _from_hexadecimal(run: bytes) -> bytes:
    return bytes.fromhex(run[: len(run) // 2 * 2].decode())
