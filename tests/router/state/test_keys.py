"""Keys as they are looked up: shown once, stored as HMACs, refused when revoked, expired or closed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.errors import LedgerBusyError, LedgerCorruptError
from router.errors import InvalidRequestError, NotFoundError
from router.state.keys import PREFIX, KeyStore
from router.state.office import Office
from router.state.rights import Rights
from router.state.roles import Role
from support.state import START_US, OwnState

FIRST_RELEASE = Path(__file__).parents[2] / "vectors" / "state_first_release.sql"
HOUR_US = 3_600_000_000


def test_a_key_is_found_and_its_text_is_stored_nowhere(
    state: OwnState, office: Office, store: KeyStore
) -> None:
    stored, text = office.register.create("finance", "invoices")
    assert text.startswith(PREFIX)
    assert len(text) > 40
    assert store.find(text) == stored
    on_disk = b"".join(file.read_bytes() for file in state.place.path.parent.iterdir())
    assert text.encode() not in on_disk
    assert text.removeprefix(PREFIX)[:20].encode() not in on_disk


@pytest.mark.parametrize(
    "presented",
    [
        "",
        "sk-other",
        PREFIX,
        PREFIX + "x",
        PREFIX + "x" * 43,
        PREFIX + "x" * 10_000,
        PREFIX + "\ud800",
        PREFIX + "\0",
    ],
    ids=["empty", "foreign", "prefix", "short", "unknown", "long", "surrogate", "nul"],
)
def test_what_is_no_key_is_not_found(office: Office, store: KeyStore, presented: str) -> None:
    office.register.create("finance", "invoices")
    assert store.find(presented) is None


def test_a_key_means_nothing_under_another_pepper(state: OwnState, office: Office) -> None:
    _, text = office.register.create("finance", "")
    state.peppers.current = b"q" * 64
    with closing(state.store()) as other:
        assert other.find(text) is None


def test_a_key_that_another_process_revokes_is_soon_refused(office: Office, store: KeyStore) -> None:
    stored, text = office.register.create("finance", "")
    assert store.find(text) is not None
    office.register.revoke(stored.key_id)
    store.refresh()
    assert store.find(text) is None
    with pytest.raises(NotFoundError, match="no active key"):
        office.register.revoke(stored.key_id)


def test_a_new_key_is_found_at_once_by_a_store_that_read_before_it(office: Office, store: KeyStore) -> None:
    _, first = office.register.create("finance", "")
    assert store.find(first) is not None
    generation = store.generation
    _, second = office.register.create("finance", "")
    assert store.find(second) is not None
    assert store.generation > generation


def test_who_holds_a_new_key_is_known_to_a_store_that_read_before_it(office: Office, store: KeyStore) -> None:
    office.directory.create_team("finance")
    member = office.directory.add_member("Ada", Role.MEMBER, "finance")
    key = office.register.create("finance", "", member_id=member.member_id)[0]
    assert store.holder_of(key.key_id) == member.member_id


def test_a_key_expires_to_the_microsecond(state: OwnState, office: Office, store: KeyStore) -> None:
    _, text = office.register.create("finance", "", Rights(expires_at_us=START_US + 10))
    state.now.at_us = START_US + 9
    assert store.find(text) is not None
    state.now.at_us = START_US + 10
    assert store.find(text) is None


def test_a_rotated_key_is_the_same_key_and_its_old_text_opens_it_until_the_overlap_ends(
    state: OwnState, office: Office, store: KeyStore
) -> None:
    key, old = office.register.create("finance", "", Rights(models=("m",)))
    rotated, new = office.register.rotate(key.key_id, overlap_s=3_600)
    assert new != old
    assert (rotated.key_id, rotated.rights) == (key.key_id, key.rights)
    for text in (old, new):
        found = store.find(text)
        assert found is not None
        assert found.key_id == key.key_id
    state.now.at_us += HOUR_US
    assert store.find(old) is None
    assert store.find(new) is not None


def test_a_second_rotation_does_not_lengthen_the_first_ones_overlap(
    state: OwnState, office: Office, store: KeyStore
) -> None:
    key, first = office.register.create("finance", "")
    office.register.rotate(key.key_id, overlap_s=0)
    office.register.rotate(key.key_id, overlap_s=86_400)
    assert store.find(first) is None


def test_a_revoked_key_has_no_text_that_opens_it(office: Office, store: KeyStore) -> None:
    key, old = office.register.create("finance", "")
    _, new = office.register.rotate(key.key_id)
    office.register.revoke(key.key_id)
    assert [store.find(text) for text in (old, new)] == [None, None]
    with pytest.raises(NotFoundError):
        office.register.rotate(key.key_id)


def test_keys_of_a_closed_team_a_closed_project_or_a_removed_member_open_nothing(
    office: Office, store: KeyStore
) -> None:
    directory, register = office.directory, office.register
    for name in ("finance", "legal"):
        directory.create_team(name)
    directory.create_project("finance", "march")
    member = directory.add_member("Mia", Role.MEMBER, "finance")
    _, of_project = register.create("finance", "", Rights(project="march"))
    _, of_member = register.create("finance", "", member_id=member.member_id)
    _, of_team = register.create("finance", "")
    _, of_other = register.create("legal", "")
    assert all(map(store.find, (of_project, of_member, of_team, of_other)))
    directory.close_project("finance", "march")
    directory.remove_member(member.member_id)
    store.refresh()
    assert list(map(store.find, (of_project, of_member))) == [None, None]
    assert store.find(of_team) is not None
    directory.close_team("finance")
    store.refresh()
    assert store.find(of_team) is None
    assert store.find(of_other) is not None
    directory.create_team("finance")
    store.refresh()
    assert store.find(of_team) is not None


def test_a_key_works_on_while_its_pepper_is_rotated_and_moves_to_the_new_one_when_it_is_used(
    state: OwnState, office: Office, store: KeyStore
) -> None:
    used, idle = (office.register.create("finance", name)[1] for name in ("used", "idle"))
    assert store.find(used) is not None
    state.peppers.rotate(until_us=START_US + HOUR_US)
    with closing(state.store()) as restarted:
        assert restarted.find(used) is not None
        restarted.refresh()
        state.now.at_us += HOUR_US
        assert restarted.find(used) is not None, "it was stored anew"
        assert restarted.find(idle) is None, "its overlap is over"
        names = {key.name: key.pepper_ids for key in restarted.all()}
    assert names == {"used": (state.peppers().current.id,), "idle": (state.peppers.previous.id,)}  # type: ignore[union-attr]  # it was rotated


def test_a_running_gateway_learns_a_new_pepper_from_the_first_key_that_names_it(
    state: OwnState, office: Office, store: KeyStore
) -> None:
    _, old = office.register.create("finance", "")
    assert store.find(old) is not None
    state.peppers.rotate(until_us=START_US + HOUR_US)
    with closing(state.open().file) as file:
        from_new = state.open()
        _, new = from_new.register.create("finance", "")
        from_new.file.close()
        assert file.by.id == "anna"
    assert store.find(new) is not None
    assert store.find(old) is not None


def test_a_state_file_of_the_first_release_is_migrated_and_its_keys_open_what_they_opened(
    state: OwnState,
) -> None:
    text = FIRST_RELEASE.read_text()
    live, revoked, other = (line.split()[1:] for line in text.splitlines()[1:4])
    with closing(sqlite3.connect(state.place.path)) as connection:
        connection.executescript(text)
    with closing(state.store()) as store:
        found = store.find(live[1])
        assert found is not None
        assert (found.key_id, found.team, found.name, found.hint) == (
            live[0],
            "finance",
            "invoices",
            live[1][-4:],
        )
        assert found.rights == Rights()
        assert store.find(revoked[1]) is None
        assert store.find(other[1]) is not None
        state.peppers.rotate(until_us=START_US + HOUR_US)
    with closing(state.store()) as store:
        assert store.find(live[1]) is not None


@pytest.mark.parametrize("team", ["", "x" * 65, "a\nb"], ids=["empty", "long", "two lines"])
def test_a_team_has_a_printable_name(office: Office, team: str) -> None:
    with pytest.raises(InvalidRequestError, match="printable"):
        office.register.create(team, "")


def test_a_state_file_from_a_newer_release_is_refused(state: OwnState, store: KeyStore) -> None:
    with closing(sqlite3.connect(state.place.path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(LedgerCorruptError, match="newer Steelyard"):
        state.store()


def test_a_locked_state_file_is_a_sentence(state: OwnState, office: Office) -> None:
    office.file.connection.execute("PRAGMA busy_timeout=0")
    with closing(sqlite3.connect(state.place.path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusyError, match="being written by another program"):
            office.register.create("finance", "")
        holder.execute("ROLLBACK")
    assert office.register.create("finance", "")[0].team == "finance"


def test_a_pepper_file_that_cannot_be_read_for_a_while_closes_nothing(
    state: OwnState, office: Office, store: KeyStore
) -> None:
    _, first = office.register.create("finance", "")
    assert store.find(first) is not None
    state.peppers.broken = True
    _, second = office.register.create("finance", "")
    assert store.find(first) is not None
    assert store.find(second) is not None
