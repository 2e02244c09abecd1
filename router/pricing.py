"""The price rows that a configuration needs: stated, DeepSeek's page, litellm's list.

litellm's list (3 MB of JSON) is read only if the ledger has no row of its installed version for a
sku that is wanted.
"""

import difflib
from collections.abc import Iterable

from ledger.errors import PriceError
from ledger.price_seeds import LitellmList, deepseek_prices, litellm_source, stated_price
from ledger.prices import Price, PriceBook
from router.settings import Settings


def missing_prices(settings: Settings, known: PriceBook, at_us: int) -> list[Price]:
    """The rows to write for the routes of `settings`. Raises PriceError for a sku that nobody lists."""
    rows = [stated_price(price.sku, price.rates, at_us) for price in settings.stated_prices]
    stated = {price.sku for price in rows}
    listed: set[str] = set()
    for sku in {route.price_sku for route in settings.routes} - stated:
        own = deepseek_prices(sku, at_us)
        if own:
            rows.extend(own)
        elif not _seeded(known, sku, at_us):
            listed.add(sku)
    if listed:
        rows.extend(_from_litellm(sorted(listed), at_us))
    return rows


def _seeded(known: PriceBook, sku: str, at_us: int) -> bool:
    return known.knows(sku) and any(row.source == litellm_source() for row in known.current(sku, at_us))


def _from_litellm(skus: Iterable[str], at_us: int) -> list[Price]:
    prices = LitellmList()
    rows: list[Price] = []
    for sku in skus:
        if sku not in prices:
            near = difflib.get_close_matches(sku, prices.names, n=3)
            hint = f"; near it are {', '.join(near)}" if near else ""
            raise PriceError(f"no price is listed for '{sku}'{hint}. State one under the route's `price`")
        rows.extend(prices.prices(sku, at_us))
    return rows
