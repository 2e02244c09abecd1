"""Ids: prefixed, ordered by the time for which they are made, never made twice."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from ledger.ids import new_attempt_id, new_id, new_request_id

NOW_US = 1_793_534_400_000_000
LAST_US = (2**48 - 1) * 1_000
CROCKFORD = set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@given(st.integers(0, LAST_US), st.integers(1_000, LAST_US))
def test_ids_of_a_later_millisecond_sort_later(first_us: int, later_us: int) -> None:
    after_us = min(first_us + later_us, LAST_US)
    first, after = new_id("ent", first_us), new_id("ent", after_us)
    assert (first < after) or first_us // 1_000 == after_us // 1_000


@given(st.integers(0, LAST_US))
def test_an_id_has_its_prefix_and_26_characters_that_hold_its_time(at_us: int) -> None:
    prefix, _, rest = new_id("lim", at_us).partition("_")
    assert prefix == "lim"
    assert len(rest) == 26
    assert set(rest) <= CROCKFORD
    number = 0
    for digit in rest[:10]:
        number = number * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(digit)
    assert number == at_us // 1_000


def test_each_kind_has_its_prefix() -> None:
    assert new_request_id(NOW_US).startswith("req_")
    assert new_attempt_id(NOW_US).startswith("att_")


def test_no_id_is_made_twice_by_several_threads_at_one_time() -> None:
    with ThreadPoolExecutor(4) as threads:
        batches = list(threads.map(lambda _: [new_id("att", NOW_US) for _ in range(5_000)], range(4)))
    made = [one for batch in batches for one in batch]
    assert len(set(made)) == len(made) == 20_000


FORKING = """
import os, sys
from ledger.ids import new_id
new_id("att", 0)
child = os.fork()
made = [new_id("att", 0) for _ in range(600)]
if child:
    os.waitpid(child, 0)
sys.stdout.write("".join(one + chr(10) for one in made))
sys.stdout.flush()
"""


def test_a_forked_process_makes_other_ids_than_its_parent() -> None:
    done = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, check=True)
    made = done.stdout.split()
    assert len(set(made)) == len(made) == 1_200
