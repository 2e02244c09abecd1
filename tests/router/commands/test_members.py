"""`steelyard members`, `teams` and `projects`: who is who, made on the gateway's machine."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import Result

from router.endpoints.admin.access import ADMIN
from support.command_line import assert_refused, invoke
from support.gateway import config_text, running_gateway, write_config


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path, config_text("http://127.0.0.1:1/v1"))


def owner(config: Path, *options: str) -> Result:
    return invoke("members", "add", "--name", "Ada", "--role", "owner", "--config", config, *options)


def test_the_first_owner_is_made_by_a_command_and_administers_with_a_key(config: Path) -> None:
    assert_refused(owner(config), 2, "name the organisation with --organisation")
    made = owner(config, "--organisation", "Acme Ltd")
    assert made.exit_code == 0, made.stderr
    member_id = made.stdout.strip()
    key = invoke("keys", "create", "--member", member_id, "--config", config)
    assert "of member 'Ada' (owner); it is shown this once" in key.stderr
    with running_gateway(config) as gateway:
        teams = gateway.request("GET", f"{ADMIN}/teams", key=key.stdout.strip())
    assert teams.status == 200
    assert teams.json["organisation"] == "Acme Ltd"
    assert_refused(owner(config, "--organisation", "Other"), 2, "is 'Acme Ltd' already")


def test_members_are_listed_change_their_role_and_are_removed(config: Path) -> None:
    owner(config, "--organisation", "Acme")
    added = invoke(
        "members", "add", "--name", "Mia", "--role", "member", "--team", "finance", "--config", config
    )
    member_id = added.stdout.strip()
    assert invoke("members", "role", member_id, "admin", "--config", config).exit_code == 0
    _, first, second = invoke("members", "list", "--config", config).stdout.splitlines()
    assert first.split()[1:3] == ["Ada", "owner"]
    assert second.split()[:4] == [member_id, "Mia", "admin", "finance"]
    assert invoke("members", "remove", member_id, "--reason", "left", "--config", config).exit_code == 0
    assert_refused(invoke("members", "remove", member_id, "--config", config), 1, "there is no member")
    assert_refused(
        invoke("keys", "create", "--member", member_id, "--config", config), 1, "there is no member"
    )
    last = first.split()[0]
    assert_refused(invoke("members", "remove", last, "--config", config), 2, "the last owner")


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--role", "admin"), 2, "name the team"),
        (("--role", "admin", "--team", "none"), 1, "there is no team 'none'"),
        (("--role", "auditor", "--team", "finance"), 2, "name no team"),
    ],
)
def test_a_member_has_a_place(config: Path, options: tuple[str, ...], code: int, said: str) -> None:
    assert_refused(invoke("members", "add", "--name", "Mia", "--config", config, *options), code, said)


def test_teams_and_projects_are_made_listed_and_closed(config: Path) -> None:
    made = invoke("teams", "create", "legal", "--config", config)
    assert made.stdout == "team 'legal' is there\n"
    assert "no policy file yet" in made.stderr
    assert_refused(invoke("teams", "create", "legal", "--config", config), 2, "already")
    for team in ("legal", "finance"):
        ran = invoke("projects", "create", "march", "--team", team, "--config", config)
        assert ran.exit_code == 0, "finance is known by its policy file"
    assert_refused(invoke("projects", "create", "march", "--team", "none", "--config", config), 1, "no team")
    rows = [line.split()[:2] for line in invoke("teams", "list", "--config", config).stdout.splitlines()]
    assert rows == [["team", "policy"], ["finance", "finance.yaml"], ["legal", "none"]]
    assert invoke("projects", "close", "march", "--team", "legal", "--config", config).exit_code == 0
    only = invoke("projects", "list", "--team", "finance", "--config", config).stdout.splitlines()
    assert [line.split()[:2] for line in only] == [["team", "project"], ["finance", "march"]]
    assert invoke("teams", "close", "legal", "--reason", "gone", "--config", config).exit_code == 0
    assert_refused(invoke("teams", "close", "legal", "--config", config), 1, "no open team 'legal'")
    with closing(sqlite3.connect(config.parent / "steelyard-data" / "ledger.sqlite")) as connection:
        last = connection.execute("SELECT action, by_kind, reason FROM change ORDER BY seq DESC").fetchone()
    assert last == ("closed", "machine", "gone")
