"""The canonical bytes of an entry: what a later release hashes and an auditor recomputes.

Layout: the six bytes `SYE1\\0\\n` or `SYE2\\0\\n`, then the fields of `EntryRow` in their order, each as
one tag byte and a body:

    N            nothing: the field is None
    I + 8 bytes  an integer, two's complement, most significant byte first
    T / F        true, false: no body
    S + 4 bytes length, most significant first + that many bytes of UTF-8

Version 1 ends with `simulated`. Version 2 has all fields: it is that of rows which say where they
ran. A row whose `runs` is None says nothing of it and has version 1, so what an earlier release
wrote keeps its bytes.

Every field has exactly one form, every form ends by itself, and a row has one version, so different
rows have different bytes and no two layouts of one row exist.
"""

import struct
from typing import get_args, get_type_hints

from ledger.errors import LedgerCorruptError
from ledger.rows import EntryRow

MAGIC_1, MAGIC_2 = b"SYE1\0\n", b"SYE2\0\n"
FIELDS = EntryRow._fields
FIELDS_1 = FIELDS[: FIELDS.index("runs")]
"""What version 1 holds."""

_Value = None | bool | int | str


def _kinds(hint: type) -> tuple[type, ...]:
    """The types that a field may have; a bool is no int here, and an int no bool."""
    return get_args(hint) or (hint,)


_KINDS = {name: _kinds(hint) for name, hint in get_type_hints(EntryRow).items()}


def encode_entry(row: EntryRow) -> bytes:
    """Write `row` as its canonical bytes.

    Raises TypeError for a field that holds another type than its column (SQL's 0 for False among
    them: one row must not have two encodings) and for a row that says where it ran without `runs`,
    struct.error for an integer beyond int64.
    """
    magic, fields = (MAGIC_1, FIELDS_1) if row.runs is None else (MAGIC_2, FIELDS)
    unread = [name for name in FIELDS[len(fields) :] if getattr(row, name) is not None]
    if unread:
        raise TypeError(f"the entry's field {unread[0]} says where it ran, and runs is None")
    parts = [magic]
    for name in fields:
        value: _Value = getattr(row, name)
        if not any(type(value) is kind or (kind is str and isinstance(value, str)) for kind in _KINDS[name]):
            raise TypeError(f"the entry's field {name} holds {value!r}, which its column does not")
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
    magic = data[: len(MAGIC_1)]
    if magic not in (MAGIC_1, MAGIC_2):
        raise LedgerCorruptError("these are not an entry's canonical bytes of version 1 or 2")
    position = len(magic)
    values: dict[str, _Value] = {}
    for name in FIELDS_1 if magic == MAGIC_1 else FIELDS:
        tag = data[position : position + 1]
        position += 1
        if _TAGS.get(tag) not in _KINDS[name]:
            raise LedgerCorruptError(
                f"the field {name} of the entry has the tag {tag!r}, which is none of its"
            )
        if tag == b"N":
            values[name] = None
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
            values[name] = tag == b"T"
    if position != len(data):
        raise LedgerCorruptError(f"{len(data) - position} bytes follow the entry")
    if magic == MAGIC_2 and values["runs"] is None:
        raise LedgerCorruptError("the entry does not say where it ran, so its bytes are those of version 1")
    return EntryRow(**values)  # type: ignore[arg-type]  # the tags were checked, the types are the columns'


_TAGS: dict[bytes, type] = {b"N": type(None), b"T": bool, b"F": bool, b"I": int, b"S": str}


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
