"""Bedrock behind the gateway, spoken by litellm in its own process: answers, money to the nano, and failures."""

import asyncio
import os
import random
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.gateway import Response, RunningGateway, make_key, running_gateway, write_config
from support.processes import end_of
from support.upstream import Upstream, running_upstream
from support.upstream_bill import Ending, FakeUsage, TokenPrices
from support.upstream_script import Behaviour, Fault, Received

CONFIG = """\
ledger: {{disk_reserve_mb: 0}}
providers:
  bedrock:
    type: litellm
    vendor: bedrock
    base_url: {base_url}
    options: {{{options}}}
    secrets: {{aws_access_key_id: TEST_ACCESS_KEY, aws_secret_access_key: TEST_SECRET_KEY}}
routes:
  fake-model:
    provider: bedrock
    upstream_model: amazon.nova-lite-v1:0
    price: {{input_usd_per_million: "1", cache_read_usd_per_million: "0.1", cache_write_usd_per_million: "1.25", output_usd_per_million: "2"}}
    context_window: 100000
    max_output_tokens: 4000
"""
PRICES = TokenPrices(
    input=1_000_000_000,
    cached=100_000_000,
    cache_write_5m=1_250_000_000,
    output=2_000_000_000,
    reasoning=2_000_000_000,
)
ENVIRONMENT = {"TEST_ACCESS_KEY": "AKIATESTTESTTESTTEST", "TEST_SECRET_KEY": "a-secret-that-nobody-else-sees"}
ENDED = "SELECT state, error, cost_nano_usd, bound_nano_usd FROM entry WHERE state <> 'DISPATCHED'"


def scripted(request: Received) -> Behaviour:
    """An answer of odd size, a different one for each request."""
    chance = random.Random(request.number)  # noqa: S311  a script, no secret
    parts = [chance.randrange(2_000) for _ in range(3)]
    usage = FakeUsage(sum(parts) + 1, parts[0], chance.randrange(1, 900), 0, parts[1])
    return Behaviour(text="It is 4.20 euros.", usage=usage)


def configured(folder: Path, base_url: str, options: str = "aws_region_name: eu-central-1") -> Path:
    """A configuration with one route to Bedrock at `base_url`."""
    return write_config(folder, CONFIG.format(base_url=base_url, options=options))


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what the configuration names."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bedrock() -> Iterator[Upstream]:
    """Bedrock's Converse as far as we know it, with a known bill; it checks that requests are signed."""
    with running_upstream(behave=scripted, prices=PRICES, api_key=ENVIRONMENT["TEST_ACCESS_KEY"]) as upstream:
        yield upstream


@pytest.fixture
def gateway(bedrock: Upstream, tmp_path: Path) -> Iterator[RunningGateway]:
    """A gateway before it."""
    with running_gateway(configured(tmp_path, bedrock.base_url.removesuffix("/v1"))) as running:
        yield running


def worker_of(gateway: RunningGateway) -> int:
    """The id of litellm's process."""
    for pid in Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children").read_text().split():
        if b"litellm_child" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return int(pid)
    raise AssertionError("litellm's process does not run")


def text_of(answer: Response) -> str:
    """What was said, in one piece or in many."""
    return "".join(part.decode() for part in re.findall(rb'"content":"([^"]*)"', answer.body))


def shown_of(pid: int) -> list[str]:
    """What others of the same user can look at."""
    return [Path(f"/proc/{pid}/{shown}").read_bytes().decode() for shown in ("environ", "cmdline")]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_bedrock_answers_and_the_ledger_holds_its_bill_to_the_nano(
    gateway: RunningGateway, bedrock: Upstream, *, stream: bool
) -> None:
    key = make_key(gateway.config)
    for _ in range(5):
        answer = gateway.chat(key, stream=stream)
        assert answer.status == 200, answer.body
        assert text_of(answer) == "It is 4.20 euros."
    rows = gateway.wait_for_rows(ENDED, 5)
    assert {row[0] for row in rows} == {"SETTLED"}
    assert sum(int(str(row[2])) for row in rows) == sum(charge.cost_nano_usd for charge in bedrock.bill)
    assert [request.path.rpartition("/")[2] for request in bedrock.requests] == [
        "converse-stream" if stream else "converse"
    ] * 5


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("behaviour", "status", "booked"),
    [
        pytest.param(Behaviour(status=429), 429, "VOID", id="refused for now"),
        pytest.param(Behaviour(status=400, error_code="ValidationException"), 400, "VOID", id="refused"),
        pytest.param(Behaviour(status=503), 502, "SETTLED_ESTIMATED", id="failed"),
        pytest.param(Behaviour(fault=Fault.RESET_BEFORE_HEADERS), 502, "POSTED_WORST", id="reset"),
    ],
)
def test_what_bedrock_fails_with_is_what_the_caller_and_the_ledger_are_told(
    tmp_path: Path, behaviour: Behaviour, status: int, booked: str, *, stream: bool
) -> None:
    with (
        running_upstream(behaviour) as bedrock,
        running_gateway(configured(tmp_path, bedrock.base_url.removesuffix("/v1"))) as gateway,
    ):
        answer = gateway.chat(make_key(gateway.config), stream=stream)
        assert answer.status == status, answer.body
        assert [row[0] for row in gateway.wait_for_rows(ENDED, 1)] == [booked]
        assert len(bedrock.requests) == 1


def test_a_stream_of_bedrock_that_is_cut_is_no_answer(tmp_path: Path) -> None:
    with (
        running_upstream(Behaviour(fault=Fault.TRUNCATE, fault_after=1)) as bedrock,
        running_gateway(configured(tmp_path, bedrock.base_url.removesuffix("/v1"))) as gateway,
    ):
        answer = gateway.chat(make_key(gateway.config), stream=True)
        assert b'"error"' in answer.body
        assert b"[DONE]" not in answer.body
        ((state, _, cost, bound),) = gateway.wait_for_rows(ENDED, 1)
        assert (state, cost) == ("POSTED_WORST", bound)


def test_at_the_deadline_the_call_to_bedrock_ends_too(tmp_path: Path) -> None:
    with running_upstream(Behaviour(fault=Fault.HANG_BEFORE_HEADERS)) as bedrock:
        config = configured(tmp_path, bedrock.base_url.removesuffix("/v1"))
        config.write_text(f"{config.read_text()}    deadline_s: 8\n")
        with running_gateway(config) as gateway:
            answer = gateway.chat(make_key(gateway.config))
            assert (answer.status, answer.error["code"]) == (504, "upstream_timeout")
            assert [charge.ending for charge in bedrock.wait_for_charges(1)] == [Ending.CLIENT_LEFT]
            assert [row[0] for row in gateway.wait_for_rows(ENDED, 1)] == ["POSTED_WORST"]


def test_a_field_that_could_be_an_argument_of_litellms_is_refused_by_its_name(
    gateway: RunningGateway, bedrock: Upstream
) -> None:
    key = make_key(gateway.config)
    for name in ("api_key", "mock_response", "aws_bedrock_runtime_endpoint", "extra_headers"):
        answer = gateway.chat(key, **{name: "x"})
        assert (answer.status, answer.error["param"]) == (400, name)
    assert bedrock.requests == ()


def test_a_provider_that_is_down_costs_nothing(tmp_path: Path) -> None:
    with running_upstream() as bedrock:
        address = bedrock.base_url.removesuffix("/v1")
    with running_gateway(configured(tmp_path, address)) as gateway:
        answer = gateway.chat(make_key(gateway.config))
        assert (answer.status, answer.error["code"]) == (502, "upstream_unreachable")
        ((state, error, _, _),) = gateway.wait_for_rows(ENDED, 1)
        assert (state, error) == ("VOID", "upstream_unreachable")


def test_an_address_beyond_the_configured_one_is_refused(tmp_path: Path) -> None:
    with running_upstream() as configured_one, running_upstream() as another:
        elsewhere = another.base_url.removesuffix("/v1")
        config = configured(
            tmp_path,
            configured_one.base_url.removesuffix("/v1"),
            f'aws_region_name: eu-central-1, aws_bedrock_runtime_endpoint: "{elsewhere}"',
        )
        with running_gateway(config) as gateway:
            answer = gateway.chat(make_key(gateway.config))
            assert (answer.status, answer.error["code"]) == (502, "egress_refused")
            assert [row[0] for row in gateway.wait_for_rows(ENDED, 1)] == ["VOID"]
        assert another.requests == ()


def test_a_process_that_is_killed_in_the_middle_is_booked_at_its_bound_and_started_again(
    tmp_path: Path,
) -> None:
    answers: list[Response] = []
    with (
        running_upstream(Behaviour(fault=Fault.HANG_BEFORE_HEADERS)) as bedrock,
        running_gateway(configured(tmp_path, bedrock.base_url.removesuffix("/v1"))) as gateway,
    ):
        key = make_key(gateway.config)
        asking = threading.Thread(target=lambda: answers.append(gateway.chat(key)))
        asking.start()
        bedrock.wait_for_requests(1)
        killed = worker_of(gateway)
        os.kill(killed, signal.SIGKILL)
        asking.join()
        assert (answers[0].status, answers[0].error["code"]) == (502, "upstream_broken")
        ((state, _, cost, bound),) = gateway.wait_for_rows(ENDED, 1)
        assert (state, cost) == ("POSTED_WORST", bound)
        bedrock.release()
        while (again := gateway.chat(key)).status == 503:
            assert again.error["code"] == "engine_unavailable"
        assert again.status == 200
        assert worker_of(gateway) != killed


async def test_the_process_ends_with_the_gateway_and_holds_no_key_where_others_can_look(
    gateway: RunningGateway,
) -> None:
    answer = await asyncio.to_thread(gateway.chat, make_key(gateway.config))
    assert answer.status == 200
    worker = worker_of(gateway)
    for told in shown_of(worker):
        assert not [value for value in ENVIRONMENT.values() if value in told]
    gateway.kill()
    await end_of(worker)
