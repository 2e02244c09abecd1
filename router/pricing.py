"""The price rows that a configuration needs: stated, DeepSeek's page, litellm's list.

litellm's list (3 MB of JSON) is read only if the ledger has no row of its installed version for a
sku that is wanted.
"""

import difflib
from collections.abc import Mapping

from ledger.errors import PriceError
from ledger.price_seeds import LitellmList, deepseek_prices, litellm_source, stated_price
from ledger.prices import Price, PriceBook
from policies.nodes import Scalar
from router.route_price import ListedPrice, StatedPrice
from router.settings import Settings


def missing_prices(settings: Settings, known: PriceBook, at_us: int) -> list[Price]:
    """The rows to write for the routes of `settings`.

    Raises PolicyError at the place that names a sku which nobody prices; PriceError if there is no list.
    """
    rows = [
        stated_price(price.sku, price.rates, at_us)
        for price in settings.prices
        if isinstance(price, StatedPrice)
    ]
    named = {price.sku: price.place for price in settings.prices if isinstance(price, ListedPrice)}
    from_litellm: dict[str, Scalar] = {}
    for sku, place in named.items():
        if own := deepseek_prices(sku, at_us):
            rows.extend(own)
        elif not _seeded(known, sku, at_us):
            from_litellm[sku] = place
    if from_litellm:
        rows.extend(_from_litellm(from_litellm, at_us))
    return rows


def _seeded(known: PriceBook, sku: str, at_us: int) -> bool:
    return known.knows(sku) and any(row.source == litellm_source() for row in known.current(sku, at_us))


def _from_litellm(places: Mapping[str, Scalar], at_us: int) -> list[Price]:
    prices = LitellmList()
    rows: list[Price] = []
    for sku, place in places.items():
        if sku not in prices:
            near = difflib.get_close_matches(sku, [name for name in prices.names if name in prices], n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else "."
            raise place.error(
                f"no price is listed for '{sku[:100]}'{hint} If it is none that is listed, state a price instead of its name"
            )
        try:
            rows.extend(prices.prices(sku, at_us))
        except PriceError as error:
            raise place.error(str(error)) from error
    return rows
