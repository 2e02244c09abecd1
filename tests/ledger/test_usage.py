"""Usage: classes that do not overlap, in one order."""

from dataclasses import astuple

from hypothesis import given
from hypothesis import strategies as st

from ledger.rows import EntryRow
from ledger.usage import UNIT_CLASSES, Units

units = st.builds(Units, **dict.fromkeys(UNIT_CLASSES, st.integers(0, 10**12)))


@given(units)
def test_the_values_stand_in_the_order_of_the_classes(used: Units) -> None:
    assert used.values() == astuple(used) == tuple(getattr(used, name) for name in UNIT_CLASSES)


@given(units)
def test_every_class_is_input_output_or_compute_and_only_one_of_them(used: Units) -> None:
    assert used.input_tokens + used.output_tokens + used.cpu_us + used.gpu_us == sum(used.values())


def test_every_class_of_input_counts_as_input_and_no_other() -> None:
    counted = {name for name in UNIT_CLASSES if Units(**{name: 1}).input_tokens}
    assert counted == {
        "input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "input_image", "input_audio",
    }  # fmt: skip
    assert {name for name in UNIT_CLASSES if Units(**{name: 1}).output_tokens} == {
        "output_text", "output_reasoning", "output_audio",
    }  # fmt: skip


def test_an_entry_holds_every_class_in_their_order() -> None:
    first = EntryRow._fields.index(UNIT_CLASSES[0])
    assert EntryRow._fields[first : first + len(UNIT_CLASSES)] == UNIT_CLASSES
