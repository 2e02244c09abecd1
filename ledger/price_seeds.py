"""Where prices come from: litellm's price list, DeepSeek's price page, the configuration.

litellm's list is a JSON file in its wheel, read without importing the package. Numbers are read
as decimals from the text, never as floats. Where a list names no rate for a class, the nearest
dearer one stands in (a cached token without a cache price is an uncached one), so that nothing is
free by omission.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
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
_TIERS = {"_above_128k_tokens": 128_001, "_above_200k_tokens": 200_001, "_above_272k_tokens": 272_001}

# USD per million tokens, off-peak: cache hit, cache miss, output. Peak is twice as much.
_DEEPSEEK = {
    "deepseek/deepseek-flash": ("0.003", "0.15", "0.60"),
    "deepseek/deepseek-v4-pro": ("0.022", "0.66", "1.98"),
}
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
        return "input_cost_per_token" in self._models.get(sku, {})

    @property
    def names(self) -> Collection[str]:
        """All names in the list."""
        return self._models.keys()

    def limits(self, sku: str) -> ListedModel:
        """The model's limits, where the list has them."""
        model = self._models.get(sku, {})
        return ListedModel(_tokens(model.get("max_input_tokens")), _tokens(model.get("max_output_tokens")))

    def prices(self, sku: str, at_us: int) -> list[Price]:
        """The rows of one sku: its base tier and those above a context length."""
        model = self._models[sku]
        rows = [self._row(sku, model, "", 0, at_us)]
        for suffix, tokens in _TIERS.items():
            if f"input_cost_per_token{suffix}" in model:
                rows.append(self._row(sku, model, suffix, tokens, at_us))
        return rows

    def _row(self, sku: str, model: Mapping[str, object], suffix: str, tokens: int, at_us: int) -> Price:
        def rate(name: str, otherwise: int) -> int:
            value = model.get(f"{name}{suffix}", model.get(name))
            return otherwise if value is None else _rate_per_token(sku, name, value)

        text_in = rate("input_cost_per_token", 0)
        text_out = rate("output_cost_per_token", 0)
        anthropic = model.get("litellm_provider") == "anthropic"
        rates = Rates(
            input_uncached=text_in,
            cache_read=rate("cache_read_input_token_cost", text_in),
            cache_write_5m=rate(
                "cache_creation_input_token_cost", text_in * 5 // 4 if anthropic else text_in
            ),
            cache_write_1h=rate(
                "cache_creation_input_token_cost_above_1hr", text_in * 2 if anthropic else text_in
            ),
            input_image=rate("input_cost_per_image_token", text_in),
            input_audio=rate("input_cost_per_audio_token", text_in),
            output_text=text_out,
            output_reasoning=rate("output_cost_per_reasoning_token", text_out),
            output_audio=rate("output_cost_per_audio_token", text_out),
        )
        return Price(
            new_id("pri", at_us), sku, rates, self.source, self.sha256, 0, at_us, min_input_tokens=tokens
        )


def litellm_source() -> str:
    """The name and version of the installed price list."""
    return f"litellm {importlib.metadata.version('litellm')}"


def deepseek_prices(sku: str, at_us: int) -> list[Price]:
    """DeepSeek's own page for `sku`: one off-peak row and one for each peak; [] for another sku."""
    if sku not in _DEEPSEEK:
        return []
    digest = hashlib.sha256(
        json.dumps([DEEPSEEK_SOURCE, _DEEPSEEK, _PEAKS], sort_keys=True).encode()
    ).hexdigest()

    def row(factor: int, start: int | None, end: int | None) -> Price:
        hit, miss, out = (_rate_per_million(text) * factor for text in _DEEPSEEK[sku])
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


def _rate_per_token(sku: str, name: str, value: object) -> int:
    if not isinstance(value, (Decimal, int)) or isinstance(value, bool) or value < 0:
        raise PriceError(
            f"litellm's list has no usable {name} for '{sku}'; state a price in the configuration"
        )
    return _whole(Decimal(value) * NANO_PER_USD * UNITS_PER_PRICE)


def _rate_per_million(text: str) -> int:
    return _whole(Decimal(text) * NANO_PER_USD)


def _whole(nano: Decimal) -> int:
    """Round a rate up where a list is finer than a nano-USD per million units."""
    return int(nano.to_integral_value(rounding="ROUND_CEILING"))


def _tokens(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
