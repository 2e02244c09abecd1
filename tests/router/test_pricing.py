"""A route's price is found in the file, on DeepSeek's page or in litellm's list, or the file is refused."""

from pathlib import Path

import pytest

from ledger.clock import system_clock
from ledger.price_seeds import DEEPSEEK_SOURCE, LitellmList, litellm_source
from ledger.prices import Price, PriceBook
from policies.errors import PolicyError
from router.pricing import missing_prices
from router.settings import Settings, load_settings

NOW_US = system_clock()
SHAPE = "    provider: fake\n    context_window: 1000\n    max_output_tokens: 100\n"
STATED = "{input_usd_per_million: 1, output_usd_per_million: 2}"


def settings_of(folder: Path, *prices: str) -> Settings:
    """One route a price."""
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies" / "finance.yaml").write_text('team: finance\nmodels: ["*"]\n')
    routes = "".join(f"  route-{number}:\n    price: {price}\n{SHAPE}" for number, price in enumerate(prices))
    path = folder / "steelyard.yaml"
    path.write_text(f"providers: {{fake: {{base_url: http://127.0.0.1:9}}}}\nroutes:\n{routes}")
    return load_settings(path)


def by_sku(rows: list[Price]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.sku, set()).add(row.source)
    return found


def test_each_price_comes_from_where_it_is_known(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, STATED, "deepseek/deepseek-flash", "gpt-5-mini")
    rows = missing_prices(settings, PriceBook(), NOW_US)
    assert by_sku(rows) == {
        "route:route-0": {"configuration"},
        "deepseek/deepseek-flash": {DEEPSEEK_SOURCE},
        "gpt-5-mini": {litellm_source()},
    }
    book = PriceBook(rows)
    for route in settings.routes:
        assert book.select(route.price_sku, NOW_US, 0).rates.output_text > 0


def test_a_price_that_two_routes_name_is_written_once(tmp_path: Path) -> None:
    rows = missing_prices(settings_of(tmp_path, "gpt-5-mini", "gpt-5-mini"), PriceBook(), NOW_US)
    assert len([row for row in rows if row.min_input_tokens == 0]) == 1


def test_a_page_that_two_routes_name_is_written_once(tmp_path: Path) -> None:
    one = missing_prices(settings_of(tmp_path, "deepseek/deepseek-flash"), PriceBook(), NOW_US)
    two = missing_prices(settings_of(tmp_path, *["deepseek/deepseek-flash"] * 2), PriceBook(), NOW_US)
    assert len(one) == len(two) == 3


def test_a_list_that_the_ledger_has_in_this_version_is_not_written_again(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "gpt-5-mini", STATED)
    known = PriceBook(missing_prices(settings, PriceBook(), NOW_US))
    assert by_sku(missing_prices(settings, known, NOW_US)) == {"route:route-1": {"configuration"}}


def test_a_list_that_the_ledger_has_in_another_version_is_written(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "gpt-5-mini")
    (row, *_) = LitellmList().prices("gpt-5-mini", NOW_US)
    older = Price(row.price_id, row.sku, row.rates, "litellm 1.0.0", row.source_sha256, 0, NOW_US)
    assert by_sku(missing_prices(settings, PriceBook([older]), NOW_US)) == {"gpt-5-mini": {litellm_source()}}


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ("gpt-5-mni", "no price is listed for 'gpt-5-mni'; did you mean gpt-5-mini"),
        ("zzzzzzzzzzzzzzzz", "no price is listed for 'zzzzzzzzzzzzzzzz'. If it is none that is listed, state a price"),
        ("deepseek/deepseek-flush", "no price is listed for 'deepseek/deepseek-flush'"),
        ("sample_spec", "'sample_spec'"),
    ],
)  # fmt: skip
def test_a_price_that_nobody_lists_is_refused_at_its_line(tmp_path: Path, price: str, said: str) -> None:
    settings = settings_of(tmp_path, STATED, price)
    with pytest.raises(PolicyError) as caught:
        missing_prices(settings, PriceBook(), NOW_US)
    assert str(caught.value).startswith("steelyard.yaml line 9: ")
    assert said in str(caught.value)


def test_a_price_of_zero_in_the_list_is_no_price(tmp_path: Path) -> None:
    prices = LitellmList()
    free = next(name for name in sorted(prices.names) if name.startswith("github_copilot/gpt"))
    with pytest.raises(PolicyError, match=r"steelyard.yaml line 4: .*state a price"):
        missing_prices(settings_of(tmp_path, free), PriceBook(), NOW_US)
