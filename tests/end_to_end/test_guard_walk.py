"""Every path of both faces, with no key, a revoked key and an empty budget."""

import re
from pathlib import Path
from typing import cast

import pytest

from router.commands.keys import open_keys
from router.guard import OPEN_PATHS
from router.settings import load_settings
from support.gateway import config_text, make_key, running_gateway, write_config
from support.gateway_paths import every_path
from support.upstream import running_upstream

EMPTY = 'team: poor\nmodels: ["*"]\nplans: {cheap: [fake-model]}\nauto: {generation: cheap}\nlimits: {month_usd: "0"}\n'


def filled(path: str) -> str:
    """The path with something in place of each parameter."""
    return re.sub(r"{[^}]+}", "req_1", path)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("walk")
    from_upstream = config_text("http://127.0.0.1:9/v1")
    return write_config(
        folder,
        from_upstream,
        {
            "finance": 'team: finance\nmodels: ["*"]\nplans: {cheap: [fake-model]}\nauto: {generation: cheap}\n',
            "poor": EMPTY,
        },
    )


def test_only_the_health_paths_answer_without_a_key(config: Path) -> None:
    paths = [(each.method, each.path) for each in every_path(config)]
    assert {path for _, path in paths} >= OPEN_PATHS
    with running_gateway(config) as gateway:
        for method, path in [*paths, ("GET", "/no/such/path"), ("DELETE", "/v1/models")]:
            response = gateway.request(method, filled(path), body=b"{}")
            if path in OPEN_PATHS:
                assert response.status == 200, path
            else:
                assert response.status == 401, path
                assert response.error["code"] == "invalid_api_key"
            assert response.headers["x-steelyard-request-id"].startswith("req_")


def test_a_revoked_key_opens_nothing(config: Path) -> None:
    paths = every_path(config)
    key = make_key(config)
    with running_gateway(config) as gateway:
        assert gateway.request("GET", "/v1/models", key=key).status == 200
        keys = open_keys(load_settings(config))
        keys.revoke(keys.all()[-1].key_id)
        keys.close()
        while gateway.request("GET", "/v1/models", key=key).status == 200:
            continue  # it holds within 50 ms
        for each in paths:
            if each.path not in OPEN_PATHS:
                response = gateway.request(each.method, filled(each.path), key=key, body=b"{}")
                assert response.status == 401, each.path


def test_an_empty_budget_stops_every_path_that_spends_before_its_body_is_read(config: Path) -> None:
    paths = every_path(config)
    assert any(each.spends for each in paths)
    key = make_key(config, "poor")
    with running_gateway(config) as gateway:
        for each in paths:
            response = gateway.request(each.method, filled(each.path), key=key, body=b"not json")
            assert (response.status == 402) == each.spends, each.path
            if each.spends:
                assert "month" in str(response.error["message"])
        assert gateway.rows("SELECT * FROM entry") == []


@pytest.mark.parametrize(
    "header",
    [
        {"authorization": "Bearer sk-steelyard-wrong"},
        {"authorization": "Basic eDp5"},
        {"authorization": "Bearer " + "x" * 5000},
        {"x-api-key": "sk-steelyard-\xff"},
    ],
    ids=["unknown", "basic", "long", "not ascii"],
)
def test_a_wrong_key_is_401(config: Path, header: dict[str, str]) -> None:
    with running_gateway(config) as gateway:
        response = gateway.request("GET", "/v1/models", headers=header)
    assert response.status == 401


def test_a_key_works_as_a_bearer_and_as_an_api_key(config: Path) -> None:
    key = make_key(config)
    with running_upstream(), running_gateway(config) as gateway:
        assert gateway.request("GET", "/v1/models", headers={"x-api-key": key}).status == 200
        assert gateway.request("GET", "/v1/models", headers={"authorization": f"bearer {key}"}).status == 200


def test_whoever_asks_for_nothing_is_told_where_the_paths_are_and_finds_them_there(config: Path) -> None:
    key = make_key(config)
    with running_gateway(config) as gateway:
        lost = gateway.request("GET", "/no/such/path", key=key)
        told = gateway.request("GET", "/openapi.json", key=key)
    assert lost.status == 404
    assert "with your key, GET /openapi.json lists" in str(lost.error["message"])
    assert {each.path for each in every_path(config) if each.path.startswith("/v1/steelyard/")} <= set(
        cast("dict[str, object]", told.json["paths"])
    )
