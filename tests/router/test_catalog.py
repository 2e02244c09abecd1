"""The routes that exist, by name and by model."""

from dataclasses import replace

import pytest

from policies.team import PLAN_NAMES as POLICY_PLANS
from router.catalog import PLAN_NAMES, Catalog
from support.routes import CHEAP, DEAR

SECOND = replace(CHEAP, name="second", model="cheap-model")
CATALOG = Catalog([CHEAP, DEAR, SECOND])


def test_a_models_routes_are_in_the_configurations_order() -> None:
    assert CATALOG.models == ("cheap-model", "dear-model")
    assert CATALOG.serving("cheap-model") == (CHEAP, SECOND)
    assert CATALOG.serving("nobody") == ()


def test_a_route_is_found_by_its_own_name() -> None:
    assert CATALOG.route("second") is SECOND
    with pytest.raises(KeyError):
        CATALOG.route("nobody")


def test_a_client_may_name_plans_and_models_but_no_route() -> None:
    assert all(CATALOG.known(name) for name in (*PLAN_NAMES, "cheap-model", "dear-model"))
    assert not any(CATALOG.known(name) for name in ("second", "", "*", "AUTO"))


def test_the_plans_are_those_of_policies_and_auto() -> None:
    assert {"auto", *POLICY_PLANS} == PLAN_NAMES


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("cheap-modl", "did you mean 'cheap-model'?"),
        ("premum", "did you mean 'premium'?"),
        ("zzz", "GET /v1/models lists what there is"),
        ("x" * 10_000, "GET /v1/models lists what there is"),
    ],
)
def test_an_unknown_model_is_a_404_with_the_nearest_name(name: str, hint: str) -> None:
    error = CATALOG.unknown(name)
    assert (error.status, error.param, error.code) == (404, "model", "model_not_found")
    assert hint in str(error)
    assert len(str(error)) < 250
