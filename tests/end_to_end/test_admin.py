"""The admin API beyond its table of roles: rights that never widen, limits that hold, what is told of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from router.endpoints.admin.access import ADMIN
from router.state.rights import Rights
from router.state.roles import Role
from support.console import Console
from support.gateway import RunningGateway, config_text, running_gateway, write_config
from support.upstream import running_upstream


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[RunningGateway]:
    with running_upstream() as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        with running_gateway(config) as running:
            yield running


SCOPED = Rights(
    models=("fake-model",), paths=("/v1/chat/*", f"{ADMIN}/*"), environment="test", expires_at_us=1 << 51
)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 201),
        ({"models": ["fake-model"], "paths": ["/v1/chat/completions"], "environment": "test"}, 201),
        ({"models": ["other"]}, 403),
        ({"models": ["fake-model", "other"]}, 403),
        ({"paths": ["/v1/*"]}, 403),
        ({"paths": ["/*"]}, 403),
        ({"environment": "production"}, 403),
        ({"expires_at": "2999-01-01T00:00:00Z"}, 403),
    ],
)
def test_a_new_keys_rights_are_never_wider_than_its_makers(
    gateway: RunningGateway, asked: dict[str, object], status: int
) -> None:
    scoped = Console(gateway, Role.ADMIN, SCOPED)
    for path in ("/teams/finance/keys", f"/members/{scoped.member_id}/keys"):
        made = scoped("POST", path, **asked)
        assert made.status == status, made.body
        if status == 403:
            assert made.error["code"] == "wider_rights"
        else:
            assert (made.json["models"], made.json["environment"]) == (["fake-model"], "test")
            assert made.json["expires_at"] is not None


def test_rotating_a_wider_key_or_one_of_another_admin_gives_nobody_its_text(gateway: RunningGateway) -> None:
    scoped, admin, other = (
        Console(gateway, Role.ADMIN, SCOPED), Console(gateway, Role.ADMIN), Console(gateway, Role.ADMIN),
    )  # fmt: skip
    wide = admin("POST", "/teams/finance/keys").json["key_id"]
    refused = scoped("POST", f"/keys/{wide}/rotate")
    assert (refused.status, refused.error["code"]) == (403, "wider_rights")
    assert scoped("DELETE", f"/keys/{wide}").status == 204
    for attempt in (f"/keys/{other.key_id}/rotate", f"/members/{other.member_id}/keys"):
        assert admin("POST", attempt).status == 403, attempt
    assert admin("POST", f"/keys/{admin.key_id}/rotate", overlap_s=0).status == 200
    refused = admin("GET", "/keys")
    assert refused.status == 401, "its old text is over"


def test_a_key_that_is_made_rotated_and_revoked_works_from_the_next_request_on(
    gateway: RunningGateway,
) -> None:
    owner = Console(gateway, Role.OWNER)
    made = owner("POST", "/teams/finance/keys", name="invoices").json
    key_id, text = str(made["key_id"]), str(made["key"])
    assert gateway.chat(text).status == 200
    second = str(owner("POST", f"/keys/{key_id}/rotate", overlap_s=0).json["key"])
    assert gateway.chat(text).status == 401
    assert gateway.chat(second).status == 200
    assert owner("DELETE", f"/keys/{key_id}?reason=it+leaked").status == 204
    assert gateway.chat(second).status == 401
    assert owner("DELETE", f"/keys/{key_id}").status == 404
    shown = owner("GET", "/keys").body + owner("GET", f"/keys/{key_id}").body + owner("GET", "/changes").body
    assert text.encode() not in shown
    assert second.encode() not in shown
    assert b"it leaked" in shown
    rows = gateway.rows(
        "SELECT action, by_id, by_key_id FROM change WHERE object_id = ? ORDER BY seq", key_id
    )
    assert rows == [(action, owner.member_id, owner.key_id) for action in ("created", "rotated", "revoked")]


def test_a_limit_holds_from_the_next_request_on_and_an_admin_only_lowers_a_teams(
    gateway: RunningGateway,
) -> None:
    owner, admin = Console(gateway, Role.OWNER), Console(gateway, Role.ADMIN)
    text = str(admin("POST", "/teams/finance/keys").json["key"])
    assert gateway.chat(text).status == 200
    assert admin("PUT", "/teams/finance/budgets/day", amount_usd="0", reason="stop").status == 200
    assert gateway.chat(text).status == 402
    for raised in ("0.01", None):
        assert admin("PUT", "/teams/finance/budgets/day", amount_usd=raised).status == 403
    told = owner("PUT", "/teams/finance/budgets/day", amount_usd=None).json
    assert [limit["source"] for limit in told["limits"]] == ["finance.limits.month_usd"]  # type: ignore[attr-defined]  # a list of objects
    assert gateway.chat(text).status == 200
    assert admin("GET", "/teams/finance/budgets").json["spent_usd"] != {"day": "0.00", "month": "0.00"}


@pytest.mark.parametrize(
    ("method", "path", "body", "param"),
    [
        ("PUT", "/teams/finance/budgets/day", {"amount_usd": "a lot"}, "amount_usd"),
        ("PUT", "/teams/finance/budgets/day", {"amount_usd": 5}, "amount_usd"),
        ("PUT", "/teams/finance/budgets/request", {"amount_usd": "5"}, "window"),
        ("POST", "/teams", {"name": "a", "owner": "b"}, "owner"),
        ("POST", "/members", {"name": "a", "role": "king"}, "role"),
        ("POST", "/members", {"name": "a", "role": "admin"}, "team"),
        ("POST", "/teams/finance/keys", {"paths": ["v1"]}, "paths"),
        ("POST", "/teams/finance/keys", {"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ("POST", "/teams/finance/keys", {"expires_at": "2020-01-01T00:00:00Z"}, "expires"),
        ("POST", "/teams/finance/keys", {"project": "none"}, "project"),
    ],
)
def test_what_cannot_be_is_refused_with_the_field_that_is_wrong(
    gateway: RunningGateway, method: str, path: str, body: dict[str, object], param: str
) -> None:
    refused = Console(gateway, Role.OWNER)(method, path, **body)
    assert refused.status in (400, 404)
    assert refused.error["param"] == param


def test_a_member_loses_what_a_role_gave_when_it_is_taken(gateway: RunningGateway) -> None:
    owner, admin = Console(gateway, Role.OWNER), Console(gateway, Role.ADMIN)
    assert admin("POST", "/teams/finance/projects", name="march").status == 201
    assert owner("PATCH", f"/members/{admin.member_id}", role="member", reason="moved on").status == 200
    assert admin("POST", "/teams/finance/projects", name="april").status == 403
    assert owner("DELETE", f"/members/{admin.member_id}").status == 204
    assert admin("GET", "/teams").status == 401
    assert owner("DELETE", f"/members/{owner.member_id}").status == 400, "the last owner stays"


def test_the_openapi_page_shows_every_admin_path_and_who_reaches_it(gateway: RunningGateway) -> None:
    owner = Console(gateway, Role.OWNER)
    document = gateway.request("GET", "/openapi.json", key=owner.text).json
    paths = document["paths"]
    assert isinstance(paths, dict)
    assert paths[f"{ADMIN}/teams"]["post"]["x-steelyard-reach"] == {"owner": "all"}
