"""Usage: how many units of each disjoint class an attempt consumed.

The classes never overlap: a token that was read from a cache is not counted as uncached input,
a reasoning token is not counted as text output. Providers count otherwise (OpenAI's
`prompt_tokens` includes cached tokens, Anthropic's `input_tokens` excludes both caches), so each
provider's reader turns its numbers into these.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Units:
    """One number per class. As usage: tokens, or microseconds of compute. As rates: nano-USD per
    million of those."""

    input_uncached: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    input_image: int = 0
    input_audio: int = 0
    output_text: int = 0
    output_reasoning: int = 0
    output_audio: int = 0
    cpu_us: int = 0
    gpu_us: int = 0

    def values(self) -> tuple[int, int, int, int, int, int, int, int, int, int, int]:
        """All classes in the order of `UNIT_CLASSES`."""
        return (
            self.input_uncached,
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.input_image,
            self.input_audio,
            self.output_text,
            self.output_reasoning,
            self.output_audio,
            self.cpu_us,
            self.gpu_us,
        )

    @property
    def input_tokens(self) -> int:
        """All input tokens, whatever their class."""
        return (
            self.input_uncached
            + self.cache_read
            + self.cache_write_5m
            + self.cache_write_1h
            + self.input_image
            + self.input_audio
        )

    @property
    def output_tokens(self) -> int:
        """All output tokens, whatever their class."""
        return self.output_text + self.output_reasoning + self.output_audio


UNIT_CLASSES = tuple(field.name for field in fields(Units))

Usage = Units
Rates = Units
