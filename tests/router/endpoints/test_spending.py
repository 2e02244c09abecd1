"""Each route of FastAPI says whether it spends, and the guard hears it of every one."""

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from router.endpoints.spending import SPENDS, SPENDS_NOTHING, GatewayPath, SpendingPaths, paths_of


def face(mark: dict[str, Any] | None) -> FastAPI:
    """A face with one route beneath two prefixes."""
    app, outer, inner = FastAPI(redoc_url=None), APIRouter(prefix="/v1"), APIRouter(prefix="/batches")

    @inner.post("/{batch_id}/run", openapi_extra=mark)
    async def run(batch_id: str) -> str:
        return batch_id

    outer.include_router(inner)
    app.include_router(outer)
    return app


def test_a_route_that_spends_is_found_by_itself_with_its_whole_path() -> None:
    found = [each for each in paths_of(face(SPENDS)) if each.spends]
    assert found == [GatewayPath("POST", "/v1/batches/{batch_id}/run", spends=True)]


def test_fastapis_own_pages_spend_nothing_and_need_no_mark() -> None:
    found = paths_of(face(SPENDS_NOTHING))
    assert {"/docs", "/openapi.json"} < {each.path for each in found}
    assert not any(each.spends for each in found)


@pytest.mark.parametrize("mark", [None, {}, {"x-steelyard-spends": "yes"}])
def test_a_route_without_a_mark_is_refused_at_the_start(mark: dict[str, Any] | None) -> None:
    with pytest.raises(TypeError, match=r"/v1/batches/\{batch_id\}/run does not say whether it spends"):
        paths_of(face(mark))


def test_a_route_hidden_from_the_schema_needs_its_mark_too() -> None:
    app = FastAPI()

    @app.get("/hidden", include_in_schema=False)
    async def hidden() -> str:
        return ""

    with pytest.raises(TypeError, match="/hidden does not say"):
        paths_of(app)


def test_what_the_guard_cannot_look_into_is_refused() -> None:
    app = FastAPI()
    app.mount("/other", FastAPI())
    with pytest.raises(TypeError, match="Mount is a kind of route that the guard does not know"):
        paths_of(app)


@pytest.mark.parametrize(
    ("path", "spends"),
    [
        ("/v1/chat/completions", True),
        ("/v1/batches/batch_1/run", True),
        ("/v1/batches/batch_1", False),
        ("/v1/batches/batch_1/run/more", False),
        ("/v1/models", False),
    ],
)
def test_a_path_with_parameters_spends_whatever_they_are(path: str, *, spends: bool) -> None:
    paths = SpendingPaths(
        [
            GatewayPath("POST", "/v1/chat/completions", spends=True),
            GatewayPath("POST", "/v1/batches/{batch_id}/run", spends=True),
            GatewayPath("GET", "/v1/batches/{batch_id}", spends=False),
            GatewayPath("GET", "/v1/models", spends=False),
        ]
    )
    assert paths.include(path) == spends
