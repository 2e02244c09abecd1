"""The table of images' ceilings."""

import pytest

from router.image_tokens import IMAGE_TOKENS_DEAREST, image_tokens_max


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("gpt-4o", 85 + 8 * 170),
        ("gpt-4o-mini-2024-07-18", 2_833 + 8 * 5_667),
        ("gpt-4.1", 1_445),
        ("gpt-4.1-mini", 2_489),
        ("claude-opus-5-5", 4_784),
        ("gpt-6-sol", IMAGE_TOKENS_DEAREST),
        ("a-deployment-of-somebody", IMAGE_TOKENS_DEAREST),
    ],
)
def test_a_model_is_found_by_its_name_and_an_unknown_one_is_dear(model: str, tokens: int) -> None:
    assert image_tokens_max(model) == tokens
