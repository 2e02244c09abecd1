"""What a key may be used for: paths, models, until when, and out of whose budget."""

import pytest

from ledger.budgets import Scope, ScopeKind, Window
from ledger.ledger import set_limit
from router.commands.state_file import machine_user, office
from router.settings import load_settings
from router.state.rights import ANY, Rights
from support.gateway import RunningGateway, running_gateway
from support.upstream import Upstream


def made(gateway: RunningGateway, rights: Rights = ANY) -> str:
    """A key of team finance, whose project march is made with it."""
    with office(load_settings(gateway.config)) as opened:
        if rights.project is not None:
            opened.directory.create_project("finance", rights.project)
        return opened.register.create("finance", "", rights)[1]


@pytest.mark.parametrize(
    ("paths", "chat", "models"),
    [
        (("/v1/chat/completions",), 200, 403),
        (("/v1/models",), 403, 200),
        (("/v1/*",), 200, 200),
        (("/v1/models", "/v1/chat/*"), 200, 200),
        (("/v1/chat",), 403, 403),
    ],
)
def test_a_key_opens_the_paths_of_its_scope_and_no_others(
    gateway: RunningGateway, paths: tuple[str, ...], chat: int, models: int
) -> None:
    key = made(gateway, Rights(paths=paths))
    asked = gateway.chat(key)
    assert asked.status == chat
    assert gateway.request("GET", "/v1/models", key=key).status == models
    if chat == 403:
        assert asked.error["code"] == "key_scope"
        assert asked.error["type"] == "permission_error"
        assert "use another key" in str(asked.error["message"])
        assert gateway.rows("SELECT * FROM request") == []


def test_a_key_for_other_models_is_told_which_and_reaches_no_provider(
    gateway: RunningGateway, upstream: Upstream
) -> None:
    key = made(gateway, Rights(models=("another-model",)))
    for model in ("auto", "cheap", "fake-model"):
        asked = gateway.chat(key, model=model)
        assert asked.status == 403, model
        assert (asked.error["code"], asked.error["param"]) == ("key_scope", "model")
        assert "this key may use another-model" in str(asked.error["message"])
    listed = gateway.request("GET", "/v1/models", key=key).json["data"]
    assert listed == []
    assert gateway.chat(made(gateway, Rights(models=("fake-model", "x"))), model="auto").status == 200


def test_a_projects_budget_stops_its_keys_and_no_others(gateway: RunningGateway) -> None:
    settings = load_settings(gateway.config)
    key, other = made(gateway, Rights(project="march", environment="test")), made(gateway)
    assert gateway.chat(key).status == 200
    set_limit(
        settings.ledger_path,
        Scope(ScopeKind.PROJECT, "finance/march"),
        Window.MONTH,
        1,
        at_us=1,
        by=machine_user(),
        reason="",
    )
    with office(settings) as opened:
        opened.register.touch()
    while (refused := gateway.chat(key)).status == 200:
        continue  # it holds within 50 ms
    assert refused.status == 402
    assert "a month for project 'finance/march'" in str(refused.error["message"])
    assert gateway.chat(other).status == 200
    rows = gateway.wait_for_rows("SELECT DISTINCT project, environment FROM request ORDER BY project", 2)
    assert rows == [(None, None), ("march", "test")]


def test_a_gateway_that_starts_again_knows_what_a_project_spent(gateway: RunningGateway) -> None:
    settings = load_settings(gateway.config)
    key = made(gateway, Rights(project="march"))
    assert gateway.chat(key).status == 200
    gateway.stop()
    set_limit(
        settings.ledger_path,
        Scope(ScopeKind.PROJECT, "finance/march"),
        Window.DAY,
        1,
        at_us=1,
        by=machine_user(),
        reason="",
    )
    with running_gateway(gateway.config) as again:
        assert again.chat(key).status == 402


def test_a_key_of_no_team_cannot_spend(gateway: RunningGateway) -> None:
    with office(load_settings(gateway.config)) as opened:
        _, key = opened.register.create(None, "of an owner")
    refused = gateway.chat(key)
    assert refused.status == 403
    assert "steelyard keys create --team" in str(refused.error["message"])


def test_the_policies_in_force_are_changes_of_the_ledger(gateway: RunningGateway) -> None:
    ((action, kind, object_id, after),) = gateway.rows(
        "SELECT action, by_kind, object_id, after FROM change WHERE object_kind = 'policy'"
    )
    assert (action, kind, object_id) == ("loaded", "gateway", "finance")
    assert "sha256" in str(after)
