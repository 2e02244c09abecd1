"""A key's own budget is one of its rights: what is made with a key spends out of that budget, too."""

from router.endpoints.admin.access import ADMIN
from router.state.rights import MAKERS_MAX, Rights
from router.state.roles import Role
from support.command_line import invoke
from support.console import Console
from support.gateway import RunningGateway, running_gateway


def limited(gateway: RunningGateway, amount_usd: str) -> tuple[Console, Console]:
    """A member whose key has a limit a day, and the owner who set it."""
    owner, member = Console(gateway, Role.OWNER), Console(gateway, Role.MEMBER)
    limit(owner, member.key_id, amount_usd)
    return member, owner


def limit(owner: Console, key_id: str, amount_usd: str) -> None:
    assert owner("PUT", f"/keys/{key_id}/budgets/day", amount_usd=amount_usd).status == 200


def make(console: Console, **asked: object) -> tuple[str, str]:
    """A key that a console makes for itself: its id and its text."""
    made = console("POST", f"/members/{console.member_id}/keys", **asked)
    assert made.status == 201, made.body
    return str(made.json["key_id"]), str(made.json["key"])


def test_a_member_whose_key_is_spent_gets_no_money_by_making_keys(gateway: RunningGateway) -> None:
    member, _ = limited(gateway, "0")
    second_id, second = make(member)
    _, third = make(member.with_key(second_id, second))
    for text in (member.text, second, third):
        refused = gateway.chat(text)
        assert refused.status == 402, refused.body
        assert f"for key '{member.key_id}'" in str(refused.error["message"])


def test_what_a_made_key_spends_is_spent_of_its_makers_budget_before_and_after_a_restart(
    gateway: RunningGateway,
) -> None:
    owner, member = Console(gateway, Role.OWNER), Console(gateway, Role.MEMBER)
    made_id, made = make(member)
    assert owner("GET", f"/keys/{made_id}").json["draws_on"] == [member.key_id]
    assert gateway.chat(made).status == 200
    gateway.wait_for_rows("SELECT * FROM answer", 1)
    path = f"/keys/{member.key_id}/budgets"
    spent = owner("GET", path).json["spent_usd"]
    assert (
        spent
        == owner("GET", f"/keys/{made_id}/budgets").json["spent_usd"]
        != {"day": "0.00", "month": "0.00"}
    )
    limit(owner, member.key_id, "0.000000001")
    assert gateway.chat(made).status == gateway.chat(member.text).status == 402
    gateway.stop()
    listed = invoke("budgets", "list", "--config", gateway.config).stdout
    (row,) = [line.split() for line in listed.splitlines() if member.key_id in line]
    assert row[4] not in ("$0.00", "0")
    with running_gateway(gateway.config) as again:
        assert again.request("GET", ADMIN + path, key=owner.text).json["spent_usd"] == spent
        assert again.chat(made).status == again.chat(member.text).status == 402


def test_a_limited_key_gets_no_text_of_a_key_that_spends_elsewhere(gateway: RunningGateway) -> None:
    member, owner = limited(gateway, "5")
    path = f"/members/{member.member_id}/keys"
    elsewhere = str(owner("POST", path).json["key_id"])
    refused = member("POST", f"/keys/{elsewhere}/rotate")
    assert (refused.status, refused.error["code"]) == (403, "wider_rights")
    made, _ = make(member)
    assert member("POST", f"/keys/{made}/rotate").status == 200
    assert member("POST", f"/keys/{member.key_id}/rotate").status == 200
    limit(owner, elsewhere, "1")
    assert member("POST", f"/keys/{elsewhere}/rotate").status == 403, "its limit is not this one"


def test_who_could_lift_the_limit_makes_keys_that_it_does_not_bind(gateway: RunningGateway) -> None:
    owner, admin = Console(gateway, Role.OWNER), Console(gateway, Role.ADMIN)
    limit(owner, admin.key_id, "0")
    made = admin("POST", "/teams/finance/keys").json
    assert made["draws_on"] == []
    assert gateway.chat(str(made["key"])).status == 200
    assert gateway.chat(admin.text).status == 402
    elsewhere = str(owner("POST", f"/members/{admin.member_id}/keys").json["key_id"])
    assert admin("POST", f"/keys/{elsewhere}/rotate").status == 200


def test_an_admins_key_whose_paths_hold_no_budgets_is_bound_by_its_own(gateway: RunningGateway) -> None:
    paths = ("/v1/chat/*", f"{ADMIN}/teams/finance/keys", f"{ADMIN}/members/*")
    admin = Console(gateway, Role.ADMIN, Rights(paths=paths))
    limit(Console(gateway, Role.OWNER), admin.key_id, "0")
    for made in (admin("POST", "/teams/finance/keys"), admin("POST", f"/members/{admin.member_id}/keys")):
        assert made.json["draws_on"] == [admin.key_id]
        assert gateway.chat(str(made.json["key"])).status == 402


def test_a_chain_of_keys_that_make_keys_has_an_end(gateway: RunningGateway) -> None:
    console = Console(gateway, Role.MEMBER)
    for _ in range(MAKERS_MAX):
        console = console.with_key(*make(console))
    refused = console("POST", f"/members/{console.member_id}/keys")
    assert (refused.status, refused.error["code"]) == (403, "wider_rights")
    assert gateway.chat(console.text).status == 200
