"""The canonical bytes of an entry: one row, one encoding, and no other row has it."""

import json
import struct
from dataclasses import asdict
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.canonical import FIELDS, FIELDS_1, MAGIC_1, MAGIC_2, decode_entry, encode_entry
from ledger.errors import LedgerCorruptError
from ledger.history import request_history
from ledger.ledger import read_only_engine
from ledger.rows import EntryRow
from ledger.usage import Units
from support.ledger_rows import NOT_RECORDED, Ran, RequestMaker, write_ledger

VECTORS = Path(__file__).parent.parent / "vectors"
WHERE = FIELDS[len(FIELDS_1) :]
GERMAN = Ran("hosted", "frankfurt", "DE", "CN", "MIT")

_integers = st.integers(-(2**63), 2**63 - 1)
_BY_TYPE: dict[object, st.SearchStrategy[object]] = {
    str: st.text(max_size=30),
    str | None: st.none() | st.text(max_size=30),
    int: _integers,
    int | None: st.none() | _integers,
    bool: st.booleans(),
}
_FIELDS = {name: _BY_TYPE[hint] for name, hint in get_type_hints(EntryRow).items()}
entries = st.one_of(
    st.builds(EntryRow, **{**_FIELDS, "runs": _BY_TYPE[str]}),
    st.builds(EntryRow, **{**_FIELDS, **dict.fromkeys(WHERE, st.none())}),
)


def an_entry(ran: Ran = GERMAN) -> EntryRow:
    request = RequestMaker(1)
    request.attempt(cost=1_234, used=Units(input_uncached=30, output_text=4, cpu_us=900_000), ran=ran)
    row = request.rows[-1]
    assert isinstance(row, EntryRow)
    return row


@given(entries)
def test_what_was_encoded_is_decoded_as_it_was(row: EntryRow) -> None:
    found = decode_entry(encode_entry(row))
    assert found == row
    assert [type(value) for value in found] == [type(value) for value in row]


@given(entries, entries)
def test_two_rows_have_the_same_bytes_only_if_they_are_the_same(first: EntryRow, second: EntryRow) -> None:
    assert (encode_entry(first) == encode_entry(second)) is (first == second)


@given(entries, st.data())
def test_a_change_of_one_field_changes_the_bytes(row: EntryRow, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(FIELDS_1 if row.runs is None else tuple({*FIELDS} - {"runs"})))
    value = data.draw(_BY_TYPE[get_type_hints(EntryRow)[name]])
    changed = EntryRow(**{**row._asdict(), name: value})
    assert (encode_entry(changed) == encode_entry(row)) is (changed == row)


def test_text_cannot_move_from_one_field_to_its_neighbour() -> None:
    row = an_entry()._replace(policy_hash="ab", rule_ids="c")
    assert encode_entry(row) != encode_entry(row._replace(policy_hash="a", rule_ids="bc"))


def test_nothing_is_not_the_empty_text_nor_zero_nor_false() -> None:
    row = an_entry()
    assert encode_entry(row._replace(error=None)) != encode_entry(row._replace(error=""))
    assert encode_entry(row._replace(cost_nano_usd=None)) != encode_entry(row._replace(cost_nano_usd=0))


@pytest.mark.parametrize(("version", "fields"), [(1, FIELDS_1), (2, FIELDS)])
def test_the_bytes_are_those_of_the_golden_vector(version: int, fields: tuple[str, ...]) -> None:
    """A change of layout must be a new version with a magic of its own: what was hashed stays hashed."""
    vector = json.loads((VECTORS / f"entry_canonical_v{version}.json").read_text())
    assert list(vector["row"]) == list(fields)
    row = EntryRow(**vector["row"])
    assert encode_entry(row).hex() == vector["hex"]
    assert decode_entry(bytes.fromhex(vector["hex"])) == row


@pytest.mark.parametrize(("ran", "version", "fields"), [(NOT_RECORDED, 1, 40), (GERMAN, 2, 45)])
def test_the_layout_is_the_one_that_is_written_down(ran: Ran, version: int, fields: int) -> None:
    """Against the docstring alone, by hand."""
    row = an_entry(ran)
    expected = b"SYE%d\0\n" % version
    for value in row[:fields]:
        if value is None:
            expected += b"N"
        elif value is True:
            expected += b"T"
        elif value is False:
            expected += b"F"
        elif isinstance(value, int):
            expected += b"I" + value.to_bytes(8, "big", signed=True)
        else:
            expected += b"S" + len(value.encode()).to_bytes(4, "big") + value.encode()
    assert encode_entry(row) == expected


@pytest.mark.parametrize("name", WHERE[1:])
def test_a_row_that_says_where_it_ran_says_on_whose_machines(name: str) -> None:
    with pytest.raises(TypeError, match=f"the entry's field {name} says where it ran, and runs is None"):
        encode_entry(EntryRow(**{**an_entry(NOT_RECORDED)._asdict(), name: "DE"}))


def test_a_row_that_says_nothing_of_it_has_no_second_layout() -> None:
    data = encode_entry(an_entry(NOT_RECORDED))
    with pytest.raises(LedgerCorruptError, match="its bytes are those of version 1"):
        decode_entry(MAGIC_2 + data[len(MAGIC_1) :] + b"N" * len(WHERE))


def test_a_row_has_the_same_bytes_after_its_way_through_the_file(empty_ledger: Path, tmp_path: Path) -> None:
    request = RequestMaker(1, simulated=True)
    request.attempt(used=Units(gpu_us=2**40))
    request.attempt(state=None, ran=GERMAN)
    engine = read_only_engine(write_ledger(empty_ledger, tmp_path / "ledger.sqlite", [request]))
    history = request_history(engine, request.request_id)
    engine.dispose()
    assert history is not None
    written = [encode_entry(row) for row in request.rows if isinstance(row, EntryRow)]
    assert sorted(map(encode_entry, history.entries)) == sorted(written)


WRONG_TYPES: dict[str, dict[str, object]] = {
    "SQL's zero for false": {"overage": 0},
    "SQL's one for true": {"simulated": 1},
    "a boolean for a number": {"attempt_no": True},
    "a float": {"cost_nano_usd": 1.0},
    "bytes": {"team": b"finance"},
    "nothing where something must be": {"team": None},
    "a number for text": {"rule_ids": 7},
}


@pytest.mark.parametrize("wrong", WRONG_TYPES.values(), ids=WRONG_TYPES.keys())
def test_a_value_of_another_type_has_no_encoding(wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError, match=next(iter(wrong))):
        encode_entry(EntryRow(**{**an_entry()._asdict(), **wrong}))


def test_a_number_beyond_64_bits_has_no_encoding() -> None:
    with pytest.raises(struct.error):
        encode_entry(an_entry()._replace(cost_nano_usd=2**63))


@given(st.binary(max_size=400))
def test_junk_is_refused(junk: bytes) -> None:
    with pytest.raises(LedgerCorruptError):
        decode_entry(junk)
    for magic in (MAGIC_1, MAGIC_2):
        with pytest.raises(LedgerCorruptError):
            decode_entry(magic + junk)


@given(entries, st.data())
def test_bytes_that_were_changed_are_refused_or_are_another_rows(row: EntryRow, data: st.DataObject) -> None:
    """Whatever decodes is what `encode_entry` writes: no two layouts of one row."""
    good = encode_entry(row)
    at = data.draw(st.integers(0, len(good) - 1))
    changed = bytearray(good)
    changed[at] = data.draw(st.integers(0, 255))
    try:
        found = decode_entry(bytes(changed))
    except LedgerCorruptError:
        return
    assert encode_entry(found) == bytes(changed)


@given(entries, st.data())
def test_bytes_that_end_too_early_or_too_late_are_refused(row: EntryRow, data: st.DataObject) -> None:
    good = encode_entry(row)
    for bad in (good[: data.draw(st.integers(0, len(good) - 1))], good + data.draw(st.binary(min_size=1))):
        with pytest.raises(LedgerCorruptError):
            decode_entry(bad)


def test_text_that_is_no_utf_8_is_refused() -> None:
    good = encode_entry(an_entry()._replace(team="AAAA"))
    with pytest.raises(LedgerCorruptError, match="team"):
        decode_entry(good.replace(b"AAAA", b"\xff\xfe\xfd\xfc"))


def test_every_unit_class_is_in_the_bytes() -> None:
    row = an_entry()
    changed = {name: encode_entry(EntryRow(**{**row._asdict(), name: 77})) for name in asdict(Units())}
    assert len(set(changed.values())) == len(changed)
