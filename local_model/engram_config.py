"""Engram's dimensions, from the key `engram` of a `config.json`.

V4 has no Engram, so the key is our own; inside it stand V4.1's names without their prefix `engram_`. How many
rows a layer's table has follows from a rule: every n-gram size and head has buckets of its own, as many as the next
prime number from `vocab_size` on that is not yet taken by another one, of this layer or of an earlier one.

Source: the paper (arXiv 2601.07372); V4.1's configuration and inference code, read November 2026.
"""

from dataclasses import dataclass
from math import isqrt

from local_model.config_reader import Reader

SCALE_BLOCK = 32
"""Elements of a table's row that share a scale."""
BUCKETS_MAX = 1 << 32
"""The largest `vocab_size`: beyond it, looking for primes would take minutes."""


@dataclass(frozen=True, slots=True)
class EngramConfig:
    """Where the memory is read and how it is addressed."""

    layers: tuple[int, ...]
    """Before which layers, ascending."""
    buckets: tuple[tuple[int, ...], ...]
    """By layer: rows of each n-gram size and head, the sizes from 2 on, the heads within a size."""
    ngram: int
    """The longest n-gram: tokens that a row depends on."""
    heads: int
    width: int
    """Elements of a row."""
    pad_id: int
    """The token that stands before a sequence's first; an id before compression."""
    ids: int
    """Compressed ids."""
    seed: int

    @property
    def columns(self) -> int:
        """Rows that a token reads in a layer."""
        return (self.ngram - 1) * self.heads

    def rows(self, layer: int) -> int:
        """Rows of the table of the layer `layer`."""
        return sum(self.buckets[self.layers.index(layer)])


def read_engram(reader: Reader, layers: int, vocab_size: int) -> EngramConfig | None:
    """Take the key `engram` of a model with `layers` layers; None where there is none. Raises ConfigError."""
    section = reader.section("engram")
    if not section.is_there:
        return None
    places = _whole_numbers(section, "layer_ids")
    if list(places) != sorted(set(places)) or not places or places[-1] >= layers:
        raise section.error("layer_ids", f"is {list(places)}; it must name layers below {layers}, ascending")
    ngram, heads = section.integer("max_ngram_size", least=2), section.integer("n_heads")
    width, base = section.integer("head_dim"), section.integer("vocab_size", least=2)
    if width % SCALE_BLOCK:
        raise section.error("head_dim", f"is {width}; rows have a scale for every {SCALE_BLOCK} elements")
    if base > BUCKETS_MAX:
        raise section.error("vocab_size", f"is {base}; it must be at most {BUCKETS_MAX}")
    pad_id, ids = section.integer("pad_token_id", least=0), section.integer("compressed_vocab_size")
    if pad_id >= vocab_size:
        raise section.error("pad_token_id", f"is {pad_id}, which is not in the vocabulary of {vocab_size}")
    if ids > vocab_size:
        raise section.error("compressed_vocab_size", f"is {ids}, more than the vocabulary of {vocab_size}")
    said = _whole_numbers(section, "num_embeddings")
    seed = section.integer("seed", 0, least=0)
    section.nothing_left()
    buckets = bucket_sizes(len(places), ngram - 1, heads, base)
    rows = [sum(sizes) for sizes in buckets]
    if list(said) != rows:
        raise section.error("num_embeddings", f"is {list(said)}; the rule of the primes makes it {rows}")
    return EngramConfig(places, buckets, ngram, heads, width, pad_id, ids, seed)


def bucket_sizes(layers: int, sizes: int, heads: int, base: int) -> tuple[tuple[int, ...], ...]:
    """By layer, `sizes * heads` different primes: for each n-gram size the next ones from `base` on."""
    taken: set[int] = set()
    found: list[tuple[int, ...]] = []
    for _ in range(layers):
        of_layer: list[int] = []
        for _ in range(sizes):
            candidate = base - 1
            for _ in range(heads):
                candidate += 1
                while candidate in taken or not _is_prime(candidate):
                    candidate += 1
                taken.add(candidate)
                of_layer.append(candidate)
        found.append(tuple(of_layer))
    return tuple(found)


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, isqrt(number) + 1))


def _whole_numbers(section: Reader, key: str) -> tuple[int, ...]:
    said = section.list(key)
    if said is None:
        raise section.error(key, "is missing")
    numbers = tuple(value for value in said if isinstance(value, int) and not isinstance(value, bool))
    if len(numbers) != len(said) or any(number < 0 for number in numbers):
        raise section.error(key, f"is {said!r}; it must be a list of whole numbers from 0")
    return numbers
