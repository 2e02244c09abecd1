"""Answers that are lost, or of which a part was never shown: what is booked is never below what was billed."""

import json
from pathlib import Path

import pytest

from support.gateway import POLICY, RunningGateway, config_text, make_key, running_gateway, write_config
from support.upstream import running_upstream
from support.upstream_bill import FakeUsage, TokenPrices
from support.upstream_script import Behaviour, Fault, UsageTold

PRICES = TokenPrices(input=1_000_000_000, cached=100_000_000, output=2_000_000_000, reasoning=2_000_000_000)
LONG = FakeUsage(prompt_tokens=20, cached_tokens=0, completion_tokens=2_000, reasoning_tokens=0)
THOUGHTFUL = FakeUsage(prompt_tokens=20, cached_tokens=0, completion_tokens=2_000, reasoning_tokens=1_900)
ENDED = "SELECT state, cost_nano_usd, bound_nano_usd, overage FROM entry WHERE state <> 'DISPATCHED'"
PLAIN = {
    "the connection was reset": Behaviour(fault=Fault.RESET, usage=LONG),
    "the connection ended": Behaviour(fault=Fault.TRUNCATE, usage=LONG),
    "silence in the middle": Behaviour(fault=Fault.HANG_MID, usage=LONG),
    "silence": Behaviour(fault=Fault.HANG_BEFORE_HEADERS, usage=LONG),
    "HTML": Behaviour(fault=Fault.HTML, usage=LONG),
    "half of the JSON": Behaviour(fault=Fault.INVALID_JSON, usage=LONG),
    "an error in place of an answer": Behaviour(fault=Fault.ERROR_EVENT, usage=LONG),
    "no usage told": Behaviour(usage_told=UsageTold.NEVER, usage=THOUGHTFUL),
}
STREAMED = {
    "cut off": Behaviour(fault=Fault.TRUNCATE, usage=THOUGHTFUL, fault_after=7),
    "ended early": Behaviour(fault=Fault.CUT_SHORT, usage=THOUGHTFUL, fault_after=7),
    "an error in the middle": Behaviour(fault=Fault.ERROR_EVENT, usage=THOUGHTFUL, fault_after=7),
    "silence in the middle": Behaviour(fault=Fault.HANG_MID, usage=THOUGHTFUL, fault_after=7),
    "HTML": Behaviour(fault=Fault.HTML, usage=THOUGHTFUL),
    "no usage told": Behaviour(usage_told=UsageTold.NEVER, usage=THOUGHTFUL),
}
CASES = [
    pytest.param(behaviour, stream, id=f"{'streamed' if stream else 'plain'}: {name}")
    for stream, cases in ((False, PLAIN), (True, STREAMED))
    for name, behaviour in cases.items()
]


@pytest.mark.parametrize(("behaviour", "stream"), CASES)
def test_what_nobody_saw_is_booked_at_its_bound_which_the_bill_does_not_exceed(
    tmp_path: Path, behaviour: Behaviour, *, stream: bool
) -> None:
    with running_upstream(behaviour, prices=PRICES) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url, route="    idle_timeout_s: 1\n"))
        key = make_key(config)
        with running_gateway(config) as gateway:
            gateway.chat(key, stream=stream)
            ((state, cost, bound, overage),) = gateway.wait_for_rows(ENDED, 1)
            (charge,) = upstream.wait_for_charges(1)
            assert (state, cost, overage) == ("POSTED_WORST", bound, 0)
            assert isinstance(cost, int)
            assert 0 < charge.cost_nano_usd <= cost


def test_an_answer_without_usage_is_told_what_we_counted_and_costs_its_bound(tmp_path: Path) -> None:
    behaviour = Behaviour(usage_told=UsageTold.NEVER, text="one two three four five", usage=THOUGHTFUL)
    with running_upstream(behaviour, prices=PRICES) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        key = make_key(config)
        with running_gateway(config) as gateway:
            told = json.loads(gateway.chat(key, steelyard={"return": True}).body)
            ((state, cost, bound, _),) = gateway.wait_for_rows(ENDED, 1)
            assert (state, cost) == ("POSTED_WORST", bound)
            assert told["usage"]["completion_tokens"] == 5
            assert (told["steelyard"]["usage_estimated"], told["steelyard"]["cost_nano_usd"]) == (True, cost)


def spent_of(gateway: RunningGateway) -> int:
    """All that the ledger has booked."""
    ((spent,),) = gateway.rows("SELECT sum(cost_nano_usd) FROM entry")
    assert isinstance(spent, int)
    return spent


def test_a_provider_that_loses_every_answer_cannot_bill_more_than_the_budget(tmp_path: Path) -> None:
    policy = POLICY.replace('{month_usd: "1000"}', '{day_usd: "0.01"}')
    with running_upstream(Behaviour(fault=Fault.RESET, usage=LONG), prices=PRICES) as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url), {"finance": policy})
        key = make_key(config)
        with running_gateway(config) as gateway:
            statuses = [gateway.chat(key, max_tokens=2_000).status for _ in range(100)]
            assert set(statuses) == {502, 402}
            assert statuses == sorted(statuses, reverse=True), "402 once it is spent, and for good"
            gateway.wait_for_rows(ENDED, statuses.count(502))
            assert upstream.cost_nano_usd <= spent_of(gateway) <= 10_000_000
