"""Where prices come from: litellm's price list, DeepSeek's price page, the configuration.

litellm's list is a JSON file in its wheel, read without importing the package. Numbers are read
as decimals from the text, never as floats. Where a list names no rate for a class, the nearest
dearer one stands in (a cached token without a cache price is an uncached one), so that nothing is
free by omission. A model without an input or output price, or with one of zero, is refused: the
list says zero of many models that are not free.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ledger.errors import PriceError
from ledger.ids import new_id
from ledger.money import NANO_PER_USD, UNITS_PER_PRICE
from ledger.prices import Price
from ledger.usage import Rates

LITELLM_FILE = "model_prices_and_context_window_backup.json"
DEEPSEEK_SOURCE = "DeepSeek price page, read 2026-11-15"
_TIER = re.compile(r"input_cost_per_token(?P<suffix>_above_(?P<thousands>[0-9]+)k_tokens)")
_INPUT_KEYS = {
    "cache_read": "cache_read_input_token_cost",
    "cache_write_5m": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "input_image": "input_cost_per_image_token",
    "input_audio": "input_cost_per_audio_token",
}
_OUTPUT_KEYS = {
    "output_reasoning": "output_cost_per_reasoning_token",
    "output_audio": "output_cost_per_audio_token",
}

# USD per million tokens, off-peak: cache hit, cache miss, output. Peak is twice as much.
_FLASH = ("0.003", "0.15", "0.60")
_DEEPSEEK = {
    "deepseek-flash": _FLASH,
    "deepseek-v4-flash": _FLASH,
    "deepseek-v4-flash-vision-exp": _FLASH,
    "deepseek-v4-pro": ("0.022", "0.66", "1.98"),
}
"""By the API's own names, two older ones that it still takes among them; litellm's begin with "deepseek/"."""
_WORKDAYS = 0b0011111
_PEAKS = ((60, 240), (360, 600))
"""Minutes of the UTC day, Monday to Friday. Chinese holidays are off-peak at DeepSeek and peak here:
a cost that is too high by a holiday is corrected by the invoice, never the other way round."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """What litellm's list says of a model's limits, in tokens."""

    max_input_tokens: int | None
    max_output_tokens: int | None


class LitellmList:
    """litellm's price list, as its wheel carries it."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("litellm")
        if spec is None or not spec.submodule_search_locations:
            raise PriceError(
                "litellm is not installed, so its price list is not there; run: "
                "pip install --no-deps --require-hashes -r requirements-litellm.txt"
            )
        data = (Path(spec.submodule_search_locations[0]) / LITELLM_FILE).read_bytes()
        self.source = litellm_source()
        self.sha256 = hashlib.sha256(data).hexdigest()
        self._models: Mapping[str, Mapping[str, object]] = json.loads(data, parse_float=Decimal)

    def __contains__(self, sku: str) -> bool:
        model = self._models.get(sku, {})
        return "input_cost_per_token" in model or bool(_tiers(model))

    @property
    def names(self) -> Collection[str]:
        """All names in the list."""
        return self._models.keys()

    def limits(self, sku: str) -> ListedModel:
        """The model's limits, where the list has them."""
        model = self._models.get(sku, {})
        return ListedModel(_tokens(model.get("max_input_tokens")), _tokens(model.get("max_output_tokens")))

    def prices(self, sku: str, at_us: int) -> list[Price]:
        """The rows of one sku: its base tier and those above a context length.

        Raises PriceError if the list has no price for it.
        """
        model = self._models.get(sku, {})
        if "input_cost_per_token" not in model and (tiers := _tiers(model)):
            return [
                self._row(sku, self._base_rates(sku, {**model, **tier}), begins, at_us)
                for begins, tier in tiers
            ]
        base = self._base_rates(sku, model)
        rows = [self._row(sku, base, 0, at_us)]
        for key in model:
            tier = _TIER.fullmatch(key)
            if tier is not None:
                rates = self._tier_rates(sku, model, tier["suffix"], base)
                rows.append(self._row(sku, rates, int(tier["thousands"]) * 1_000 + 1, at_us))
        return rows

    def _row(self, sku: str, rates: Rates, min_input_tokens: int, at_us: int) -> Price:
        return Price(
            new_id("pri", at_us),
            sku,
            rates,
            self.source,
            self.sha256,
            0,
            at_us,
            min_input_tokens=min_input_tokens,
        )

    def _base_rates(self, sku: str, model: Mapping[str, object]) -> Rates:
        text_in = _rate_per_token(sku, "input_cost_per_token", model.get("input_cost_per_token"))
        text_out = 0
        if model.get("mode") != "embedding":
            text_out = _rate_per_token(sku, "output_cost_per_token", model.get("output_cost_per_token"))

        def rate(name: str, otherwise: int) -> int:
            key = _INPUT_KEYS.get(name) or _OUTPUT_KEYS[name]
            value = model.get(key)
            return otherwise if value is None else _rate_per_token(sku, key, value, zero=True)

        claude = model.get("litellm_provider") == "anthropic" or "claude" in sku
        write_5m = rate("cache_write_5m", -(-text_in * 5 // 4) if claude else text_in)
        return Rates(
            input_uncached=text_in,
            cache_read=rate("cache_read", text_in),
            cache_write_5m=write_5m,
            cache_write_1h=rate("cache_write_1h", text_in * 2 if claude else max(text_in, write_5m)),
            input_image=rate("input_image", text_in),
            input_audio=rate("input_audio", text_in),
            output_text=text_out,
            output_reasoning=rate("output_reasoning", text_out),
            output_audio=rate("output_audio", text_out),
        )

    def _tier_rates(self, sku: str, model: Mapping[str, object], suffix: str, base: Rates) -> Rates:
        """The rates above a context length; a class without one there grows as its text tokens do."""
        found: dict[str, int] = {}
        for text_name, text_key, keys in (
            ("input_uncached", "input_cost_per_token", _INPUT_KEYS),
            ("output_text", "output_cost_per_token", _OUTPUT_KEYS),
        ):
            text_base = getattr(base, text_name)
            value = model.get(f"{text_key}{suffix}")
            text = text_base if value is None else _rate_per_token(sku, f"{text_key}{suffix}", value)
            found[text_name] = text
            for name, key in keys.items():
                value = model.get(f"{key}{suffix}")
                found[name] = (
                    -(-getattr(base, name) * text // text_base)
                    if value is None
                    else _rate_per_token(sku, f"{key}{suffix}", value, zero=True)
                )
        return Rates(**found)


def _tiers(model: Mapping[str, object]) -> list[tuple[int, Mapping[str, object]]]:
    """The tiers of a model that the list prices by ranges of input tokens alone: the first length of each,
    and its prices. A range begins above the end of the one before."""
    listed = model.get("tiered_pricing")
    found: list[tuple[int, Mapping[str, object]]] = []
    for tier in listed if isinstance(listed, list) else ():
        above = tier["range"][0] if "range" in tier else None
        if not isinstance(above, Decimal | int) or "input_cost_per_token" not in tier:
            return []
        found.append((int(above) + 1 if above else 0, tier))
    return found


def litellm_source() -> str:
    """The name and version of the installed price list."""
    return f"litellm {importlib.metadata.version('litellm')}"


def deepseek_prices(sku: str, at_us: int) -> list[Price]:
    """DeepSeek's own page for `sku`: one off-peak row and one for each peak; [] for another sku."""
    page = _DEEPSEEK.get(sku.removeprefix("deepseek/"))
    if page is None:
        return []
    digest = hashlib.sha256(
        json.dumps([DEEPSEEK_SOURCE, _DEEPSEEK, _PEAKS], sort_keys=True).encode()
    ).hexdigest()

    def row(factor: int, start: int | None, end: int | None) -> Price:
        hit, miss, out = (_rate_per_million(text) * factor for text in page)
        rates = Rates(miss, hit, miss, miss, miss, miss, out, out, out)
        return Price(
            new_id("pri", at_us),
            sku,
            rates,
            DEEPSEEK_SOURCE,
            digest,
            0,
            at_us,
            weekday_mask=_WORKDAYS if start is not None else None,
            start_minute=start,
            end_minute=end,
        )

    return [row(1, None, None), *(row(2, start, end) for start, end in _PEAKS)]


def stated_price(sku: str, rates: Rates, at_us: int) -> Price:
    """A price that the configuration states."""
    digest = hashlib.sha256(repr((sku, rates.values())).encode()).hexdigest()
    return Price(new_id("pri", at_us), sku, rates, "configuration", digest, 0, at_us)


def _rate_per_token(sku: str, name: str, value: object, *, zero: bool = False) -> int:
    if (
        isinstance(value, Decimal | int)
        and not isinstance(value, bool)
        and (value > 0 or (zero and value == 0))
    ):
        return _whole(Decimal(value) * NANO_PER_USD * UNITS_PER_PRICE)
    said = "no" if value is None else f"'{value}' as"
    raise PriceError(
        f"litellm's list has {said} {name} for '{sku}'; state a price in the configuration, 0 if it is free"
    )


def _rate_per_million(text: str) -> int:
    return _whole(Decimal(text) * NANO_PER_USD)


def _whole(nano: Decimal) -> int:
    """Round a rate up where a list is finer than a nano-USD per million units."""
    return int(nano.to_integral_value(rounding="ROUND_CEILING"))


def _tokens(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
