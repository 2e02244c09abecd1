"""Where prices come from: litellm's list as its wheel carries it, DeepSeek's page, the configuration."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from importlib.metadata import files

import pytest

from ledger.errors import PriceError
from ledger.money import parse_usd
from ledger.price_seeds import LITELLM_FILE, LitellmList, deepseek_prices, litellm_source, stated_price
from ledger.prices import Price, PriceBook
from ledger.usage import Rates

CHAT_MODES = {"chat", "completion", "responses"}
NANO_PER_MILLION = 10**15
"""From US dollars a token to nano-USD a million tokens."""

Model = dict[str, object]


@pytest.fixture(scope="module")
def listed() -> LitellmList:
    return LitellmList()


@pytest.fixture(scope="module")
def raw() -> dict[str, Model]:
    (path,) = (path for path in files("litellm") or () if path.name == LITELLM_FILE)
    found: dict[str, Model] = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return found


def priced(raw: dict[str, Model]) -> Iterator[tuple[str, Model]]:
    """The chat models to which the list gives prices above zero."""
    for sku, model in raw.items():
        if (
            model.get("mode") in CHAT_MODES
            and model.get("input_cost_per_token")
            and model.get("output_cost_per_token")
        ):
            yield sku, model


def tiered(raw: dict[str, Model]) -> dict[str, list[dict[str, Decimal | list[Decimal]]]]:
    """The chat models that the list prices by ranges of input tokens alone."""
    return {
        sku: tiers
        for sku, model in raw.items()
        if model.get("mode") in CHAT_MODES
        and "input_cost_per_token" not in model
        and isinstance(tiers := model.get("tiered_pricing"), list)
    }


def test_the_list_is_read_without_importing_litellm() -> None:
    program = (
        "import sys; from ledger.price_seeds import LitellmList; LitellmList().prices('gpt-4o', 0); "
        "print(sorted(name for name in sys.modules if name.split('.')[0] == 'litellm'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_source_names_the_installed_version(listed: LitellmList) -> None:
    assert listed.source == litellm_source()
    assert litellm_source().startswith("litellm 1.")
    assert len(listed.sha256) == 64


def test_every_listed_chat_model_with_a_price_has_its_rows(
    listed: LitellmList, raw: dict[str, Model]
) -> None:
    models = dict(priced(raw))
    for sku in models:
        rows = listed.prices(sku, 5)
        assert rows[0].always
        assert len({row.price_id for row in rows}) == len(rows)
        assert {(row.sku, row.source, row.recorded_at_us, row.effective_from_us) for row in rows} == {
            (sku, listed.source, 5, 0)
        }
        assert all(type(rate) is int for row in rows for rate in row.rates.values())
        assert all(row.rates.input_uncached > 0 and row.rates.output_text > 0 for row in rows)
    assert len(models) > 2_500


def test_every_other_listed_chat_model_is_refused_by_its_name(
    listed: LitellmList, raw: dict[str, Model]
) -> None:
    models = {**dict(priced(raw)), **tiered(raw)}
    others = [sku for sku, model in raw.items() if model.get("mode") in CHAT_MODES and sku not in models]
    for sku in others:
        with pytest.raises(PriceError, match=re.escape(f"'{sku}'")):
            listed.prices(sku, 5)
    assert len(others) > 100


def test_a_model_priced_by_ranges_of_input_tokens_has_a_row_for_each(
    listed: LitellmList, raw: dict[str, Model]
) -> None:
    models = tiered(raw)
    for sku, tiers in models.items():
        assert sku in listed
        book = PriceBook(listed.prices(sku, 0))
        for tier in tiers:
            ends = tier["range"]
            assert isinstance(ends, list)
            first, last = (int(tokens) for tokens in ends)
            for tokens in (first + 1, last):
                rates = book.select(sku, 1, tokens).rates
                assert rates.input_uncached == tier["input_cost_per_token"] * NANO_PER_MILLION
                assert rates.output_text == tier["output_cost_per_token"] * NANO_PER_MILLION
                reasoning = tier.get("output_cost_per_reasoning_token", tier["output_cost_per_token"])
                assert rates.output_reasoning == reasoning * NANO_PER_MILLION
                cached = tier.get("cache_read_input_token_cost", tier["input_cost_per_token"])
                assert rates.cache_read == cached * NANO_PER_MILLION
        assert book.select(sku, 1, 0).always
    assert len(models) > 40


def test_every_rate_is_the_lists_decimal_and_no_floats_neighbour(
    listed: LitellmList, raw: dict[str, Model]
) -> None:
    """Exact to the nano-USD a million tokens; what is finer is rounded up."""
    compared = 0
    for sku, model in priced(raw):
        cost = model["input_cost_per_token"]
        if isinstance(cost, Decimal):
            rate = listed.prices(sku, 0)[0].rates.input_uncached
            assert 0 <= rate - cost * NANO_PER_MILLION < 1, sku
            compared += 1
    assert compared > 2_500


def test_every_context_length_that_the_list_prices_has_a_row(
    listed: LitellmList, raw: dict[str, Model]
) -> None:
    """A new length in a new list is read as the old ones are, not passed over at the base price."""
    lengths = set()
    for sku, model in priced(raw):
        tiers = {
            int(key.split("_above_")[1].removesuffix("k_tokens"))
            for key in model
            if key.startswith("input_cost_per_token_above_") and key.endswith("k_tokens")
        }
        lengths |= tiers
        if tiers:
            rows = listed.prices(sku, 0)
            assert {row.min_input_tokens for row in rows} == {0, *(1_000 * length + 1 for length in tiers)}, (
                sku
            )
    assert lengths >= {100, 200, 272, 512}


KNOWN = {
    # USD a million tokens: input, cache read, cache write 5m, 1h, output
    ("claude-haiku-5-5", 100_000): ("0.1", "0.01", "0.125", "0.2", "0.5"),
    ("claude-haiku-5-5", 100_001): ("0.5", "0.05", "0.625", "1", "2.5"),
    ("gpt-5.5", 272_000): ("5", "0.5", "5", "5", "30"),
    ("gpt-5.5", 272_001): ("10", "1", "10", "10", "45"),
    ("perplexity/openai/gpt-5.5", 272_001): ("10", "1", "10", "10", "45"),
    ("claude-sonnet-4-5", 1_000): ("3", "0.3", "3.75", "6", "15"),
    ("gemini/gemini-2.5-pro", 200_001): ("2.5", "0.25", "2.5", "2.5", "15"),
}


@pytest.mark.parametrize(("case", "usd"), KNOWN.items(), ids=lambda value: str(value[0]))
def test_a_known_model_has_its_known_price(
    listed: LitellmList, case: tuple[str, int], usd: tuple[str, str, str, str, str]
) -> None:
    sku, tokens = case
    found = PriceBook(listed.prices(sku, 0)).select(sku, 0, tokens).rates
    assert (
        found.input_uncached, found.cache_read, found.cache_write_5m, found.cache_write_1h, found.output_text,
    ) == tuple(parse_usd(text) for text in usd)  # fmt: skip
    assert found.output_reasoning == found.output_text


def test_a_long_prompt_is_never_cheaper_than_a_short_one(listed: LitellmList, raw: dict[str, Model]) -> None:
    tiers_seen = 0
    for sku, _ in priced(raw):
        base, *tiers = listed.prices(sku, 0)
        for tier in tiers:
            tiers_seen += 1
            for name in ("input_uncached", "cache_read", "output_text", "output_reasoning"):
                assert getattr(base.rates, name) <= getattr(tier.rates, name), (sku, name)
    assert tiers_seen > 200


def test_a_class_without_a_rate_is_not_free(listed: LitellmList, raw: dict[str, Model]) -> None:
    for sku, model in priced(raw):
        rates = listed.prices(sku, 0)[0].rates
        if "cache_creation_input_token_cost" not in model and "claude" in sku:
            assert rates.cache_write_5m * 4 >= rates.input_uncached * 5, sku
        if "cache_creation_input_token_cost_above_1hr" not in model:
            assert rates.cache_write_1h >= rates.cache_write_5m, sku
        if "cache_read_input_token_cost" not in model:
            assert rates.cache_read == rates.input_uncached, sku
        if "output_cost_per_reasoning_token" not in model:
            assert rates.output_reasoning == rates.output_text, sku


REFUSED = {
    "not in the list": "no-such-model",
    "priced by the second": "bedrock/*/1-month-commitment/cohere.command-text-v14",
    "priced by the query": "exa_ai/search",
    "listed at zero": "gigachat/GigaChat-2",
    "its answers listed at zero": "azure/model-router",
    "its prompts listed at zero": "perplexity/sonar-medium-online",
}


@pytest.mark.parametrize("sku", REFUSED.values(), ids=REFUSED.keys())
def test_a_model_without_a_price_is_refused_never_free(listed: LitellmList, sku: str) -> None:
    with pytest.raises(PriceError, match="state a price in the configuration"):
        listed.prices(sku, 0)


def test_an_embedding_has_no_output_to_price(listed: LitellmList) -> None:
    (row,) = listed.prices("mistral/mistral-embed", 0)
    assert row.rates.input_uncached > 0
    assert row.rates.output_text == 0


def test_limits_are_those_of_the_list(listed: LitellmList) -> None:
    limits = listed.limits("gpt-4o")
    assert (limits.max_input_tokens, limits.max_output_tokens) == (128_000, 16_384)
    assert listed.limits("no-such-model").max_input_tokens is None


DEEPSEEK_PAGE = {
    # deepseek-v4.md, section 5: off-peak / peak, $/M
    "deepseek-flash": {"cache_read": ("0.003", "0.006"), "input_uncached": ("0.15", "0.30"), "output_text": ("0.60", "1.20")},
    "deepseek-v4-pro": {"cache_read": ("0.022", "0.044"), "input_uncached": ("0.66", "1.32"), "output_text": ("1.98", "3.96")},
}  # fmt: skip


@pytest.mark.parametrize("sku", DEEPSEEK_PAGE)
@pytest.mark.parametrize("prefix", ["", "deepseek/"], ids=["own name", "litellm's name"])
def test_deepseeks_rows_are_those_of_its_page(sku: str, prefix: str) -> None:
    off_peak, *peaks = deepseek_prices(prefix + sku, 0)
    assert [(row.weekday_mask, row.start_minute, row.end_minute) for row in peaks] == [
        (0b0011111, 60, 240),
        (0b0011111, 360, 600),
    ]
    for name, (low, high) in DEEPSEEK_PAGE[sku].items():
        assert getattr(off_peak.rates, name) == parse_usd(low)
        assert {getattr(row.rates, name) for row in peaks} == {parse_usd(high)}
    assert off_peak.rates.output_reasoning == off_peak.rates.output_text
    assert {row.sku for row in (off_peak, *peaks)} == {prefix + sku}


def test_deepseeks_older_names_cost_what_they_are_served_by() -> None:
    def terms(rows: list[Price]) -> list[tuple[object, ...]]:
        return [row.terms[1:] for row in rows]

    for name in ("deepseek-v4-flash", "deepseek/deepseek-v4-flash-vision-exp"):
        assert terms(deepseek_prices(name, 0)) == terms(deepseek_prices("deepseek-flash", 0))
    assert terms(deepseek_prices("deepseek-v4-pro", 0)) != terms(deepseek_prices("deepseek-flash", 0))


def test_deepseeks_page_says_nothing_of_other_models_and_other_providers() -> None:
    assert deepseek_prices("gpt-5.5", 0) == []
    assert deepseek_prices("tencent/deepseek-v4.1-flash", 0) == []


def test_deepseeks_peak_is_the_price_that_litellm_lists(listed: LitellmList) -> None:
    """Two sources that agree: a typing error in ours would show."""
    for sku in ("deepseek/deepseek-flash", "deepseek/deepseek-v4-pro"):
        theirs, ours = listed.prices(sku, 0)[0].rates, deepseek_prices(sku, 0)[1].rates
        assert (theirs.input_uncached, theirs.cache_read, theirs.output_text) == (
            ours.input_uncached, ours.cache_read, ours.output_text,
        )  # fmt: skip


def test_a_stated_price_may_be_zero_and_says_where_it_comes_from() -> None:
    price = stated_price("local/smollm2", Rates(), 7)
    assert (price.source, price.recorded_at_us, price.effective_from_us) == ("configuration", 7, 0)
    assert price.always
    assert price.source_sha256 != stated_price("local/smollm2", Rates(cpu_us=1), 7).source_sha256
