"""The organisation, its teams, projects and members, each change of which is a row of the ledger."""

import json
import sqlite3
from contextlib import closing

import pytest

from ledger.changes import Change, recent_changes
from ledger.ledger import read_only_engine
from router.errors import InvalidRequestError, NotFoundError
from router.state.office import Office
from router.state.rights import Rights
from router.state.roles import Role
from support.state import ANNA, OwnState


def changes(state: OwnState) -> list[Change]:
    """What the ledger says, oldest first."""
    engine = read_only_engine(state.place.ledger_path)
    try:
        return list(reversed(recent_changes(engine)))
    finally:
        engine.dispose()


def test_every_change_of_a_key_or_a_role_is_a_row_with_who_and_when(state: OwnState, office: Office) -> None:
    directory, register = office.directory, office.register
    directory.found_organisation("Acme")
    directory.create_team("finance")
    directory.create_project("finance", "march")
    member = directory.add_member("Mia", Role.MEMBER, "finance")
    key, text = register.create("finance", "k", Rights(project="march"), member_id=member.member_id)
    _, second = register.rotate(key.key_id, 60)
    register.revoke(key.key_id, "it leaked")
    directory.change_role(member.member_id, Role.ADMIN, "she leads now")
    directory.remove_member(member.member_id)
    directory.close_project("finance", "march")
    directory.close_team("finance")
    found = changes(state)
    assert [(row.action, row.object_kind) for row in found] == [
        ("created", "organisation"), ("created", "team"), ("created", "project"), ("created", "member"),
        ("created", "key"), ("rotated", "key"), ("revoked", "key"), ("set", "member"), ("removed", "member"),
        ("closed", "project"), ("closed", "team"),
    ]  # fmt: skip
    assert {(row.by_kind, row.by_id, row.at_us) for row in found} == {("machine", "anna", state.now.at_us)}
    assert {row.team for row in found[1:]} == {"finance"}
    assert json.loads(found[4].after or "") == {
        "name": "k",
        "member_id": member.member_id,
        "project": "march",
    }
    assert (found[7].before, found[7].after) == ('{"role":"member"}', '{"role":"admin"}')
    assert found[6].reason == "it leaked"
    told = str(found)
    assert text not in told
    assert second not in told


def test_a_change_that_the_ledger_could_not_take_is_delivered_with_the_next(
    state: OwnState, office: Office
) -> None:
    office.directory.create_team("finance")
    state.place.ledger_path.rename(state.place.ledger_path.with_suffix(".away"))
    state.place.ledger_path.mkdir()
    office.directory.create_team("legal")
    state.place.ledger_path.rmdir()
    state.place.ledger_path.with_suffix(".away").rename(state.place.ledger_path)
    assert [row.object_id for row in changes(state)] == ["finance"]
    with state.place.opened(ANNA) as later:
        later.file.deliver()
        later.file.deliver()
    assert [row.object_id for row in changes(state)] == ["finance", "legal"]


def test_a_change_that_fails_is_none(state: OwnState, office: Office) -> None:
    office.directory.create_team("finance")
    with pytest.raises(NotFoundError, match="no project 'march'"):
        office.register.create("finance", "", Rights(project="march"))
    with closing(sqlite3.connect(state.place.path)) as connection:
        assert connection.execute("SELECT count(*) FROM api_key").fetchone() == (0,)
    assert len(changes(state)) == 1


@pytest.mark.parametrize("name", ["", " a", "a\n", "x" * 65, "a,b", "a/b"])
def test_a_team_has_a_name_that_a_path_and_a_report_can_hold(office: Office, name: str) -> None:
    with pytest.raises(InvalidRequestError):
        office.directory.create_team(name)


def test_what_is_there_is_not_made_twice_and_what_is_not_is_not_closed(office: Office) -> None:
    directory = office.directory
    directory.create_team("finance")
    directory.create_project("finance", "march")
    for again in (
        lambda: directory.create_team("finance"),
        lambda: directory.create_project("finance", "march"),
    ):
        with pytest.raises(InvalidRequestError, match="already"):
            again()
    for absent in (
        lambda: directory.close_team("legal"),
        lambda: directory.close_project("finance", "april"),
        lambda: directory.create_project("legal", "march"),
        lambda: directory.add_member("Mia", Role.MEMBER, "legal"),
        lambda: directory.remove_member("mem_1"),
        lambda: directory.project("finance", "april"),
    ):
        with pytest.raises(NotFoundError):
            absent()


@pytest.mark.parametrize(
    ("role", "team", "said"),
    [(Role.ADMIN, None, "name the team"), (Role.OWNER, "finance", "name no team")],
    ids=["admin", "owner"],
)
def test_a_role_has_its_place(office: Office, role: Role, team: str | None, said: str) -> None:
    office.directory.create_team("finance")
    with pytest.raises(InvalidRequestError, match=said):
        office.directory.add_member("Mia", role, team)


def test_the_last_owner_stays(office: Office) -> None:
    first = office.directory.add_member("Ada", Role.OWNER, None)
    for attempt in (
        lambda: office.directory.remove_member(first.member_id),
        lambda: office.directory.change_role(first.member_id, Role.AUDITOR),
    ):
        with pytest.raises(InvalidRequestError, match="last owner"):
            attempt()
    second = office.directory.add_member("Bea", Role.OWNER, None)
    office.directory.remove_member(first.member_id)
    with pytest.raises(InvalidRequestError, match="add a new member"):
        office.directory.change_role(second.member_id, Role.MEMBER)
