"""A key's rights: closed forms, and never wider than the maker's."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import ForbiddenError, InvalidRequestError
from router.state.rights import ANY, Rights, allows_path, checked, within

NOW_US = 1_000


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        (Rights(paths=()), "paths has 0 entries"),
        (Rights(models=()), "models has 0 entries"),
        (Rights(models=("a b",)), "models: 'a b' cannot be"),
        (Rights(paths=("v1/chat",)), "write e.g. /v1/chat/*"),
        (Rights(paths=("/v1/*/x",)), "cannot be"),
        (Rights(paths=("/v1*",)), "cannot be"),
        (Rights(paths=("*",)), "cannot be"),
        (Rights(paths=("/v1/../x",)), "cannot be"),
        (Rights(environment="Prod uction"), "small letters"),
        (Rights(expires_at_us=NOW_US), "expired already"),
    ],
)
def test_what_means_nothing_is_refused_with_what_to_write(rights: Rights, said: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        checked(rights, NOW_US)
    assert said in caught.value.message


@pytest.mark.parametrize(
    "rights",
    [ANY, Rights(("m",), ("/v1/chat/*", "/*", "/v1/models"), "production", "march", NOW_US + 1)],
    ids=["any", "all"],
)
def test_what_can_be_is_kept_as_it_is(rights: Rights) -> None:
    assert checked(rights, NOW_US) == rights


@pytest.mark.parametrize(
    ("asked", "maker"),
    [
        (Rights(models=("a", "b")), Rights(models=("a",))),
        (Rights(paths=("/*",)), Rights(paths=("/v1/*",))),
        (Rights(paths=("/v1/*",)), Rights(paths=("/v1/chat/*",))),
        (Rights(paths=("/v1/chat/*",)), Rights(paths=("/v1/chat/completions",))),
        (Rights(paths=("/v1/chat",)), Rights(paths=("/v1/chat/*",))),
        (Rights(environment="production"), Rights(environment="test")),
        (Rights(project="april"), Rights(project="march")),
        (Rights(expires_at_us=2), Rights(expires_at_us=1)),
    ],
)
def test_rights_wider_than_the_makers_are_refused(asked: Rights, maker: Rights) -> None:
    with pytest.raises(ForbiddenError):
        within(asked, maker)


def test_what_is_not_asked_for_is_the_makers_own() -> None:
    maker = Rights(("a", "b"), ("/v1/*",), "test", "march", 9)
    assert within(ANY, maker) == maker
    narrower = Rights(("b",), ("/v1/chat/completions",), "test", "march", 8)
    assert within(narrower, maker) == narrower
    assert within(narrower, ANY) == narrower


NAMES = st.sampled_from(["/v1/a", "/v1/b/c", "/v1/b/*", "/v1/*", "/*", "/v1/b/c/*"])
SCOPES = st.none() | st.lists(NAMES, min_size=1, max_size=3).map(tuple)
PATHS = st.sampled_from(["/v1/a", "/v1/b/c", "/v1/b/d", "/v1/b/c/d", "/other", "/v1/b", "/v1/"])


@given(asked=SCOPES, maker=SCOPES, path=PATHS)
def test_no_path_is_open_to_a_new_key_that_was_closed_to_its_maker(
    asked: tuple[str, ...] | None, maker: tuple[str, ...] | None, path: str
) -> None:
    try:
        made = within(replace(ANY, paths=asked), replace(ANY, paths=maker))
    except ForbiddenError:
        return
    if made.paths is None or allows_path(made.paths, path):
        assert maker is None or allows_path(maker, path)
