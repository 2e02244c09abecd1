"""A route's price as the configuration gives it: the name of a listed one, or stated in the file.

An unknown price is never zero: what costs nothing says so.
"""

from dataclasses import dataclass

from ledger.money import NANO_PER_USD
from ledger.usage import Rates
from policies.nodes import Mapping, Scalar

CPU_KEY = "cpu_usd_per_hour"
PRICE_KEYS = {
    "input_usd_per_million": (
        "input_uncached",
        "cache_read",
        "cache_write_5m",
        "cache_write_1h",
        "input_image",
        "input_audio",
    ),
    "cache_read_usd_per_million": ("cache_read",),
    "cache_write_usd_per_million": ("cache_write_5m", "cache_write_1h"),
    "output_usd_per_million": ("output_text", "output_reasoning", "output_audio"),
}
"""What a key sets; the first sets what the next two do not."""
HOSTED_KEYS = ("input_usd_per_million", "output_usd_per_million")
USD_MAX = 1_000_000
"""A dollar a token: more is a slip, and would not fit the ledger's integers."""


@dataclass(frozen=True, slots=True)
class StatedPrice:
    """A price that the configuration states for one route."""

    sku: str
    rates: Rates


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """The name of a price that a list should have, and where the configuration names it."""

    sku: str
    place: Scalar


def read_price(route: Mapping, name: str, *, local: bool) -> StatedPrice | ListedPrice:
    """Read a route's price. Raises PolicyError."""
    if not route.has("price"):
        listed = "" if local else "name a listed price (e.g. deepseek/deepseek-flash) or "
        raise route.error(
            f"{route.path('price')} is missing: {listed}state one; an unknown price is never zero"
        )
    if not isinstance(route.entries["price"], Mapping):
        place = route.scalar("price")
        if local:
            raise place.error(
                f'{route.path("price")} must be stated for a local engine, which no list knows: write {{{CPU_KEY}: "0.02"}}'
            )
        return ListedPrice(route.text("price"), place)
    price = route.mapping("price")
    price.only((*PRICE_KEYS, CPU_KEY))
    if not local and price.has(CPU_KEY):
        raise price.error(f"{price.path(CPU_KEY)} belongs to a local engine; leave it out", CPU_KEY)
    for key in (CPU_KEY,) if local else HOSTED_KEYS:
        if not price.has(key):
            raise price.error(f'{price.path(key)} is missing; write it, "0" if it really costs nothing')
    rates: dict[str, int] = {}
    for key, classes in PRICE_KEYS.items():
        if price.has(key):
            rates.update(dict.fromkeys(classes, _usd(price, key)))
    if local:
        rates["cpu_us"] = _per_cpu_second(_usd(price, CPU_KEY))
    return StatedPrice(f"route:{name}", Rates(**rates))


def _usd(price: Mapping, key: str) -> int:
    amount = price.usd(key)
    if amount > USD_MAX * NANO_PER_USD:
        raise price.error(f"{price.path(key)} is more than {USD_MAX} US dollars; write less", key)
    return amount


def _per_cpu_second(per_hour_nano_usd: int) -> int:
    """Nano-USD per million microseconds of one core, rounded up: 3,600 seconds an hour."""
    return -(-per_hour_nano_usd // 3_600)
