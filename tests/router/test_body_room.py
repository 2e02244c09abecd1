"""Room for bodies: for all of them, and for those of one key."""

import pytest

from router.body_room import SHARES, BodyRoom, Claim
from router.errors import BusyError


def test_no_key_has_more_than_its_share_and_others_go_on() -> None:
    room = BodyRoom(100)
    mine, more, other = Claim(room, "key_1"), Claim(room, "key_1"), Claim(room, "key_2")
    mine.cover(20)
    with pytest.raises(BusyError, match="this key's requests") as refused:
        more.cover(6)
    assert refused.value.headers == ((b"retry-after", b"1"),)
    more.cover(5)
    other.cover(25)


def test_all_keys_together_have_no_more_than_the_room() -> None:
    room = BodyRoom(100)
    claims = [Claim(room, f"key_{number}") for number in range(SHARES)]
    for claim in claims:
        claim.cover(25)
    late = Claim(room, "key_late")
    with pytest.raises(BusyError, match="the gateway reads as many"):
        late.cover(1)
    claims[0].release()
    late.cover(25)


def test_what_is_released_is_free_again_once() -> None:
    room = BodyRoom(100)
    for _ in range(3):
        claim = Claim(room, "key_1")
        claim.cover(10)
        claim.cover(25)
        claim.cover(5)
        claim.release()
        claim.release()
    Claim(room, "key_1").cover(25)
    with pytest.raises(BusyError, match="this key's requests"):
        Claim(room, "key_1").cover(1)


def test_a_refusal_takes_nothing() -> None:
    room = BodyRoom(100)
    claim = Claim(room, "key_1")
    with pytest.raises(BusyError):
        claim.cover(26)
    claim.cover(25)
