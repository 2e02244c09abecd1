"""The most tokens that one image can cost, by model.

An image is scaled to a model's limits before it is cut into tiles or patches, so its cost has a
ceiling whatever its size. Sources, November 2026: OpenAI's guide "Images and vision" (tiles of
512 px: a base and a price a tile, at most 8; patches of 32 px with a multiplier: 1,536, or 10,000
at detail `original` since gpt-5.4) with the multipliers that its forum measured on bills
(community.openai.com 1377015) where they exceed the guide's; Anthropic's vision guide (patches of
28 px, at most 1,600, since Opus 4.7 4,784); Together's vision page (at most 4 tiles of 1,601).
"""

IMAGE_TOKENS_DEAREST = 12_000
"""For a model that the table does not name: 10,000 patches at 1.2."""

_BY_PREFIX = (
    ("gpt-4o-mini", 48_169),  # 2,833 + 8 x 5,667: the tokens of gpt-4o's images, at a 33rd of its price
    ("gpt-4o", 1_445),  # 85 + 8 x 170
    ("gpt-4.1-nano", 3_779),  # 1,536 x 2.46
    ("gpt-4.1-mini", 2_489),  # 1,536 x 1.62
    ("gpt-4.1", 1_445),
    ("o4-mini", 2_642),  # 1,536 x 1.72
    ("o3", 1_275),  # 75 + 8 x 150
    ("o1", 1_275),
    ("claude-", 4_784),
    ("meta-llama/", 6_404),
)


def image_tokens_max(model: str) -> int:
    """The ceiling for one image sent to `model` (the provider's own name for it), in tokens."""
    for prefix, tokens in _BY_PREFIX:
        if model.startswith(prefix):
            return tokens
    return IMAGE_TOKENS_DEAREST
