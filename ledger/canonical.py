"""The canonical bytes of an entry: what a later release hashes and an auditor recomputes.

Layout of version 1: the six bytes `SYE1\\0\\n`, then every field of `EntryRow` in its order as one
tag byte and a body:

    N            nothing: the field is None
    I + 8 bytes  an integer, two's complement, most significant byte first
    T / F        true, false: no body
    S + 4 bytes length, most significant first + that many bytes of UTF-8

Every field has exactly one form, and every form ends by itself, so different rows have different
bytes and no two layouts of one row exist.
"""

import struct

from ledger.errors import LedgerCorruptError
from ledger.rows import EntryRow

MAGIC = b"SYE1\0\n"
FIELDS = EntryRow._fields

_Value = None | bool | int | str


def encode_entry(row: EntryRow) -> bytes:
    """Write `row` as its canonical bytes."""
    parts = [MAGIC]
    for name in FIELDS:
        value: _Value = getattr(row, name)
        match value:
            case None:
                parts.append(b"N")
            case bool():
                parts.append(b"T" if value else b"F")
            case int():
                parts.append(b"I" + struct.pack(">q", value))
            case str():
                text = value.encode()
                parts.append(b"S" + struct.pack(">I", len(text)) + text)
    return b"".join(parts)


def decode_entry(data: bytes) -> EntryRow:
    """Read canonical bytes back. Raises LedgerCorruptError for anything that `encode_entry` would not write."""
    if not data.startswith(MAGIC):
        raise LedgerCorruptError("these are not an entry's canonical bytes of version 1")
    position = len(MAGIC)
    values: dict[str, _Value] = {}
    for name in FIELDS:
        tag = data[position : position + 1]
        position += 1
        if tag == b"N":
            values[name] = None
        elif tag in (b"T", b"F"):
            values[name] = tag == b"T"
        elif tag == b"I":
            values[name] = _unpack(">q", data, position, name)
            position += 8
        elif tag == b"S":
            length = _unpack(">I", data, position, name)
            text = data[position + 4 : position + 4 + length]
            if len(text) != length:
                raise LedgerCorruptError(f"the entry's bytes end inside the field {name}")
            values[name] = _decode(text, name)
            position += 4 + length
        else:
            raise LedgerCorruptError(f"the field {name} of the entry has the unknown tag {tag!r}")
    if position != len(data):
        raise LedgerCorruptError(f"{len(data) - position} bytes follow the entry")
    return EntryRow(**values)  # type: ignore[arg-type]  # the tags were checked, the types are the columns'


def _decode(text: bytes, name: str) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise LedgerCorruptError(f"the field {name} of the entry is not UTF-8") from error


def _unpack(layout: str, data: bytes, position: int, name: str) -> int:
    try:
        number: int = struct.unpack_from(layout, data, position)[0]
    except struct.error as error:
        raise LedgerCorruptError(f"the entry's bytes end inside the field {name}") from error
    return number
