"""Every path of roles x every role x an own, a foreign and an absent object, against the tables in docs/teams.md."""

import itertools
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ledger.rows import RequestRow
from ledger.writer import INSERTS
from router.commands.state_file import office
from router.endpoints.admin.access import ADMIN
from router.settings import load_settings
from router.state.roles import Reach, Role
from support.gateway import Response, RunningGateway, config_text, running_gateway, write_config
from support.gateway_paths import every_path
from support.ledger_rows import RequestMaker

DOCS = Path(__file__).parents[2] / "docs" / "teams.md"
LINE = re.compile(r"\| (GET|POST|PUT|PATCH|DELETE) \| `(\S+)` \|(.*)\|")
COLUMNS = (Role.OWNER, Role.AUDITOR, Role.ADMIN, Role.MEMBER)
POLICY = 'team: {0}\nmodels: ["*"]\nplans: {{cheap: [fake-model]}}\nauto: {{generation: cheap}}\n'


def documented() -> dict[tuple[str, str], dict[Role, Reach]]:
    """What docs/teams.md promises: how far each role reaches at each path."""
    found = {}
    for method, path, rest in LINE.findall(DOCS.read_text()):
        cells = [cell.strip() for cell in rest.split("|")]
        found[method, path if path.startswith("/v1/") else ADMIN + path] = {
            role: Reach(cell) for role, cell in zip(COLUMNS, cells, strict=True) if cell
        }
    return found


TABLE = documented()
ADMINISTERED = tuple(each for each in TABLE if each[1].startswith(f"{ADMIN}/"))
OF_REQUESTS = tuple(each for each in TABLE if each not in ADMINISTERED)


@dataclass
class Organisation:
    """A gateway, a member of each role with a key, and as many objects as a test wants."""

    gateway: RunningGateway
    members: dict[Role, str] = field(default_factory=dict)
    texts: dict[Role, str] = field(default_factory=dict)
    key_ids: dict[Role, str] = field(default_factory=dict)
    service: str = ""
    service_id: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        """Make the four members, all but the two of the organisation in team finance."""
        with office(load_settings(self.gateway.config)) as opened:
            for role in Role:
                team = "finance" if role.in_team else None
                member = opened.directory.add_member(role.value, role, team)
                key, text = opened.register.create(team, role.value, member_id=member.member_id)
                self.members[role], self.texts[role] = member.member_id, text
                self.key_ids[role] = key.key_id
            key, self.service = opened.register.create("finance", "an application's")
            self.service_id = key.key_id

    def fill(self, path: str, role: Role, whose: str) -> str:
        """The path with objects of `whose` in place of its parameters, fresh ones where it can be."""
        names = re.findall(r"{(\w+)}", path)
        own = whose == "own"
        team = "finance" if own else "legal"
        number = next(self.numbers)
        made = {"window": "day"}
        with office(load_settings(self.gateway.config)) as opened:
            if "team" in names:
                made["team"] = team
            if "project" in names:
                opened.directory.create_project(team, f"p{number}")
                made["project"] = f"p{number}"
            if "member_id" in names:
                place = team if role is not Role.MEMBER else "finance"
                other = opened.directory.add_member("other", Role.MEMBER, place).member_id
                made["member_id"] = self.members[role] if own and role is Role.MEMBER else other
            if "key_id" in names:
                place = team if role is not Role.MEMBER else "finance"
                holder = self.members[role] if own and role is Role.MEMBER else None
                made["key_id"] = opened.register.create(place, "", member_id=holder)[0].key_id
        if "request_id" in names:
            key_id = self.key_ids[role] if own and role is Role.MEMBER else "key_other"
            made["request_id"] = self.request("finance" if role is Role.MEMBER else team, key_id)
        if whose == "absent":
            last = [name for name in names if name != "window"][-1:]
            made.update(dict.fromkeys(last, "absent"))
        return re.sub(r"{(\w+)}", lambda match: made[match[1]], path)

    def ask(self, method: str, path: str, key: str) -> Response:
        """Send one request with a body that the path takes."""
        name = f"n{next(self.numbers)}"
        body: dict[str, object] | None = None
        if method == "PUT":
            body = {"amount_usd": "0.5"}
        elif method == "PATCH":
            body = {"role": "admin"}
        elif path == f"{ADMIN}/members":
            body = {"name": name, "role": "auditor"}
        elif path.endswith("/outcomes"):
            body = {"outcomes": [{"outcome": "right"}]}
        elif path.endswith(("/teams", "/projects")):
            body = {"name": name}
        elif method == "POST":
            body = {}
        return self.gateway.request(
            method, path, key=key, body=body, headers={"content-type": "application/json"}
        )

    def request(self, team: str, key_id: str) -> str:
        """The id of an answered request of `team` that was asked with `key_id`."""
        maker = RequestMaker(10_000 + next(self.numbers), team=team)
        maker.answer(maker.attempt())
        with closing(sqlite3.connect(self.gateway.data / "ledger.sqlite", timeout=30)) as connection:
            for row in maker.rows:
                kept = row._replace(key_id=key_id) if isinstance(row, RequestRow) else row
                connection.execute(INSERTS[type(row)], kept)
            connection.commit()
        return maker.request_id


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    folder = tmp_path_factory.mktemp("roles")
    policies = {name: POLICY.format(name) for name in ("finance", "legal")}
    config = write_config(folder, config_text("http://127.0.0.1:9/v1"), policies)
    with running_gateway(config) as gateway:
        yield Organisation(gateway)


def test_the_table_has_every_admin_path_and_no_other(tmp_path: Path) -> None:
    config = write_config(tmp_path, config_text("http://127.0.0.1:9/v1"))
    routes = {(each.method, each.path) for each in every_path(config) if each.path.startswith(f"{ADMIN}/")}
    assert routes == set(ADMINISTERED)


def expected(reach: Reach | None, whose: str, *, has_object: bool) -> int:
    """200 for what is within reach."""
    if reach is None:
        return 403
    if not has_object or whose == "own" or (whose == "foreign" and reach is Reach.ALL):
        return 200
    return 404


@pytest.mark.parametrize(("method", "path"), TABLE, ids=[" ".join(each) for each in TABLE])
def test_a_role_reaches_what_the_table_says_and_a_foreign_object_is_as_one_that_is_not_there(
    organisation: Organisation, method: str, path: str
) -> None:
    has_object = "{" in path
    for role in Role:
        said = {}
        for whose in ("own", "foreign", "absent"):
            filled = organisation.fill(path, role, whose)
            if method == "DELETE" and path == f"{ADMIN}/teams/{{team}}" and whose != "absent":
                filled = f"{ADMIN}/teams/{fresh_team(organisation)}"
            answer = organisation.ask(method, filled, organisation.texts[role])
            status = expected(TABLE[method, path].get(role), whose, has_object=has_object)
            assert answer.status // 100 == 2 if status == 200 else answer.status == status, (
                f"{role}: {whose} {filled} is {answer.status} {answer.body!r}"
            )
            if answer.status == 404:
                said[whose] = re.sub(r"'[^']*'", "''", str(answer.error["message"]))
        assert len(set(said.values())) <= 1, f"{role} can tell a foreign object from an absent one: {said}"


@pytest.mark.parametrize(("method", "path"), ADMINISTERED, ids=[" ".join(each) for each in ADMINISTERED])
def test_a_key_of_an_application_and_no_key_administer_nothing(
    organisation: Organisation, method: str, path: str
) -> None:
    filled = organisation.fill(path, Role.OWNER, "own")
    assert organisation.ask(method, filled, organisation.service).status == 403
    assert organisation.ask(method, filled, "sk-steelyard-none").status == 401


@pytest.mark.parametrize(("method", "path"), OF_REQUESTS, ids=[" ".join(each) for each in OF_REQUESTS])
def test_a_key_of_an_application_reaches_what_was_asked_with_it_and_nothing_else_of_its_team(
    organisation: Organisation, method: str, path: str
) -> None:
    said = {}
    for key_id, status in (
        (organisation.service_id, 2),
        ("key_other", 4),
        (organisation.key_ids[Role.MEMBER], 4),
    ):
        request_id = organisation.request("finance", key_id)
        answer = organisation.ask(method, path.format(request_id=request_id), organisation.service)
        assert answer.status // 100 == status, (key_id, answer.body)
        said[key_id] = answer.body
    absent = organisation.ask(method, path.format(request_id="req_absent"), organisation.service)
    foreign = organisation.ask(
        method, path.format(request_id=organisation.request("legal", "key_x")), organisation.service
    )
    assert absent.body == foreign.body == said["key_other"]


def test_a_member_sees_with_each_of_their_keys_what_was_asked_with_any(organisation: Organisation) -> None:
    with office(load_settings(organisation.gateway.config)) as opened:
        second = opened.register.create("finance", "", member_id=organisation.members[Role.MEMBER])[0]
        opened.register.revoke(second.key_id)
    request_id = organisation.request("finance", second.key_id)
    for method, path in OF_REQUESTS:
        filled = path.format(request_id=request_id)
        assert organisation.ask(method, filled, organisation.texts[Role.MEMBER]).status // 100 == 2


def fresh_team(organisation: Organisation) -> str:
    name = f"t{next(organisation.numbers)}"
    with office(load_settings(organisation.gateway.config)) as opened:
        opened.directory.create_team(name)
    return name
