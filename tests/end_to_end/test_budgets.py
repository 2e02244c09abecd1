"""Budgets over HTTP: parallel requests cannot overspend; refusals say the numbers."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.commands.main import command_line
from support.gateway import Response, config_text, make_key, running_gateway, write_config
from support.upstream import running_upstream
from support.upstream_bill import FakeUsage, TokenPrices
from support.upstream_script import Behaviour

PRICES = TokenPrices(input=1_000_000_000, cached=100_000_000, output=2_000_000_000, reasoning=2_000_000_000)
USAGE = FakeUsage(100, 0, 1_000, 0)
"""100 x $1 + 1,000 x $2 a million: 2,100,000 nano-USD an answer."""
ANSWER_NANO = 2_100_000


def policy(limits: str, more: str = "") -> dict[str, str]:
    """Rules of team finance with these limits."""
    return {
        "finance": f'team: finance\nmodels: ["*"]\nplans: {{cheap: [fake-model]}}\nauto: {{generation: cheap}}\n'
        f"limits: {limits}\n{more}"
    }


def test_parallel_requests_never_spend_more_than_the_limit(tmp_path: Path) -> None:
    with running_upstream(Behaviour(usage=USAGE), prices=PRICES) as upstream:
        rules = policy('{day_usd: "0.03"}', "at_limit: deny\n")
        config = write_config(tmp_path, config_text(upstream.base_url), rules)
        key = make_key(config)
        with running_gateway(config) as gateway, ThreadPoolExecutor(24) as threads:

            def ask(_: int) -> Response:
                return gateway.chat(key, max_tokens=1_000)

            responses = list(threads.map(ask, range(48)))
            answered = sum(response.status == 200 for response in responses)
            refused = {response.status for response in responses} - {200}
            assert refused <= {402, 429}
            assert answered >= 10, "the budget holds fourteen answers of 2.1 mUSD"
            rows = gateway.wait_for_rows("SELECT cost_nano_usd FROM entry WHERE state = 'SETTLED'", answered)
            assert sum(int(str(cost)) for (cost,) in rows) == upstream.cost_nano_usd <= 30_000_000
            assert all(
                response.headers.get("retry-after") for response in responses if response.status == 429
            )


def test_a_spent_budget_is_402_with_the_numbers(tmp_path: Path) -> None:
    with running_upstream(Behaviour(usage=USAGE), prices=PRICES) as upstream:
        config = write_config(
            tmp_path, config_text(upstream.base_url), policy('{day_usd: "0.003"}', "at_limit: deny\n")
        )
        key = make_key(config)
        with running_gateway(config) as gateway:
            assert gateway.chat(key, max_tokens=1_000).status == 200
            response = gateway.chat(key, max_tokens=1_000)
            assert response.status == 402
            assert "0.003" in str(response.error["message"])
            assert "spent 0.0021" in str(response.error["message"])


def test_the_limit_holds_across_a_restart(tmp_path: Path) -> None:
    with running_upstream(Behaviour(usage=USAGE), prices=PRICES) as upstream:
        config = write_config(
            tmp_path, config_text(upstream.base_url), policy('{day_usd: "0.003"}', "at_limit: deny\n")
        )
        key = make_key(config)
        with running_gateway(config) as gateway:
            assert gateway.chat(key, max_tokens=1_000).status == 200
        with running_gateway(config) as gateway:
            assert gateway.chat(key, max_tokens=1_000).status == 402


def test_clamp_lowers_the_output_limit_and_says_so(tmp_path: Path) -> None:
    with running_upstream(prices=PRICES) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url), policy('{day_usd: "0.004"}'))
        key = make_key(config)
        with running_gateway(config) as gateway:
            response = gateway.chat(key, max_tokens=4_000)
            assert response.status == 200
            lowered = int(response.headers["x-steelyard-max-tokens"])
            assert 1_024 <= lowered < 2_000
            assert upstream.requests[0].json["max_tokens"] == lowered


def test_clamp_never_goes_under_the_policys_floor(tmp_path: Path) -> None:
    with running_upstream(prices=PRICES) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url), policy('{day_usd: "0.002"}'))
        key = make_key(config)
        with running_gateway(config) as gateway:
            assert gateway.chat(key, max_tokens=4_000).status == 402
            assert upstream.requests == ()


@pytest.mark.parametrize(("limit", "status"), [("0.001", 402), ("1", 200)], ids=["too small", "enough"])
def test_a_request_has_a_limit_of_its_own(tmp_path: Path, limit: str, status: int) -> None:
    with running_upstream(prices=PRICES) as upstream:
        rules = policy(f'{{request_usd: "{limit}"}}', "at_limit: deny\n")
        config = write_config(tmp_path, config_text(upstream.base_url), rules)
        key = make_key(config)
        with running_gateway(config) as gateway:
            assert gateway.chat(key, max_tokens=1_000).status == status


def test_cheap_only_answers_from_the_cheap_plan(tmp_path: Path) -> None:
    dear = (
        "  dear:\n    provider: fake\n    premium: true\n    context_window: 100000\n    max_output_tokens: 4000\n"
        '    price: {input_usd_per_million: "100", output_usd_per_million: "500"}\n'
    )
    rules = {
        "finance": 'team: finance\nmodels: ["*"]\nplans: {cheap: [fake-model], premium: [dear]}\n'
        'auto: {generation: premium}\nlimits: {day_usd: "0.05"}\nat_limit: cheap_only\n'
    }
    with running_upstream(prices=PRICES) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url, rest=dear), rules)
        key = make_key(config)
        with running_gateway(config) as gateway:
            response = gateway.chat(key, max_tokens=1_000)
            assert (response.status, response.headers["x-steelyard-route"]) == (200, "fake-model")


FREE = (
    "  free:\n    provider: fake\n    context_window: 100000\n    max_output_tokens: 4000\n"
    '    price: {input_usd_per_million: "0", output_usd_per_million: "0"}\n'
)


@pytest.mark.parametrize(
    ("at_limit", "model", "cheap", "route"),
    [
        ("cheap_only", "auto", "[fake-model, free]", "free"),
        ("cheap_only", "free", "[fake-model]", "free"),
        ("cheap_only", "auto", "[fake-model]", None),
        ("clamp", "free", "[free]", None),
        ("deny", "free", "[free]", None),
    ],
)
def test_a_limit_of_zero_leaves_what_costs_nothing_and_only_under_cheap_only(
    tmp_path: Path, at_limit: str, model: str, cheap: str, route: str | None
) -> None:
    rules = {
        "finance": f'team: finance\nmodels: ["*"]\nplans: {{cheap: {cheap}}}\nauto: {{generation: cheap}}\n'
        f"limits: {{day_usd: 0}}\nat_limit: {at_limit}\n"
    }
    with running_upstream(prices=PRICES) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url, rest=FREE), rules)
        key = make_key(config)
        with running_gateway(config) as gateway:
            response = gateway.chat(key, model=model, max_tokens=1_000)
            assert response.headers.get("x-steelyard-route") == route
            assert response.status == (402 if route is None else 200)
            assert len(upstream.requests) == (0 if route is None else 1)


def test_a_keys_own_limit_set_beside_a_running_gateway_holds(tmp_path: Path) -> None:
    with running_upstream(Behaviour(usage=USAGE), prices=PRICES) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        with running_gateway(config) as gateway:
            key = _key_with_limit(config, "0.0001")
            response = gateway.chat(key, max_tokens=2_000)
            assert response.status == 402
            assert "key" in str(response.error["message"])


def _key_with_limit(config: Path, day_usd: str) -> str:
    done = CliRunner().invoke(
        command_line(), ["keys", "create", "--team", "finance", "--day-usd", day_usd, "--config", str(config)]
    )
    assert done.exit_code == 0, done.output
    return done.stdout.strip().splitlines()[-1]
