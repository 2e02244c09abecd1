"""One request's money, whatever happens between its hold and its answer."""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.clock import system_clock
from ledger.errors import LedgerUnavailableError
from ledger.ledger import Ledger
from ledger.rows import Row
from ledger.usage import Usage
from ledger.writer import Done
from policies.decision import Settle
from router import cascade as cascade_module
from router.attempts import Attempts
from router.call import Call
from router.cascade import Cascade
from router.catalog import Origin, Route
from router.completion import Completion
from router.counting import PromptCounter
from router.errors import (
    BudgetExceededError,
    ClientLeftError,
    NotFoundError,
    PolicyDeniedError,
    UnavailableError,
    UpstreamError,
    UpstreamRefusedError,
)
from router.processes.counters import TokenCounter
from router.request import ChatRequest
from support.routes import CHEAP, DEAR, chat
from support.spine import ANSWER, USED, RecordedReply, ScriptedProvider, running_spine

COST = 200_000
"""100 tokens in at $1 a million and 50 out at $2."""
FAILED = UpstreamError("it failed", billable=True)
REFUSED = UpstreamError("it failed with status 500", billable=True, generated=False)
UNBILLED = UpstreamError("it cannot be reached", billable=False)
SHOWN = replace(CHEAP, hidden_reasoning=False)


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    """Read the ledger once it is closed."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


ENTRIES = "SELECT attempt_no, role, state, cost_nano_usd, error FROM entry ORDER BY seq"
ANSWERS = "SELECT status, http_status, error FROM answer"


async def test_an_answer_costs_what_was_used_and_nothing_stays_held(tmp_path: Path) -> None:
    reply = RecordedReply()
    with running_spine(tmp_path, ScriptedProvider()) as spine:
        await spine.answer(chat(), reply)
        assert (spine.held_nano_usd, spine.spent_nano_usd, reply.cost_nano_usd) == (0, COST, COST)
    assert rows(spine.path, ENTRIES) == [
        (1, "answer", "DISPATCHED", None, None), (1, "answer", "SETTLED", COST, None),
    ]  # fmt: skip
    assert rows(spine.path, ANSWERS) == [("answered", 200, None)]
    assert rows(spine.path, "SELECT baseline_route FROM request") == [(DEAR.name,)]


async def test_the_dispatch_is_on_disk_before_the_provider_is_asked(tmp_path: Path) -> None:
    gate = asyncio.Event()
    provider = ScriptedProvider(gate)
    with running_spine(tmp_path, provider) as spine:
        task = asyncio.create_task(spine.answer(chat()))
        await provider.asked.wait()
        assert rows(spine.path, "SELECT state FROM entry") == [("DISPATCHED",)]
        assert spine.held_nano_usd > 0
        gate.set()
        await task


async def test_strict_settlement_is_on_disk_before_the_answer_leaves(tmp_path: Path) -> None:
    class LookingReply(RecordedReply):
        async def whole(self, *_: object) -> None:
            self.seen = rows(tmp_path / "ledger.sqlite", "SELECT state FROM entry ORDER BY seq")

    reply = LookingReply()
    with running_spine(tmp_path, ScriptedProvider(), settle=Settle.STRICT) as spine:
        await spine.answer(chat(), reply)
    assert reply.seen == [("DISPATCHED",), ("SETTLED",)]


class LockingProvider(ScriptedProvider):
    """Answers while another program has the ledger's file to itself, for as long as it likes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.other = sqlite3.connect(path, isolation_level=None)

    async def complete(self, call: Call) -> Completion:
        """Lock the file, and answer."""
        self.other.execute("BEGIN IMMEDIATE")
        return await super().complete(call)


async def test_strict_settlement_waits_for_the_disk_no_longer_than_it_says_and_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.accounts.STRICT_S", 0.05)
    provider, reply = LockingProvider(tmp_path / "ledger.sqlite"), RecordedReply()
    with running_spine(tmp_path, provider, settle=Settle.STRICT) as spine:
        with pytest.raises(UnavailableError, match="is charged"):
            await spine.answer(chat(), reply)
        assert (reply.answer, spine.held_nano_usd, spine.spent_nano_usd) == (None, 0, COST)
        provider.other.close()
    assert [row[2:4] for row in rows(spine.path, ENTRIES)] == [("DISPATCHED", None), ("SETTLED", COST)]
    assert rows(spine.path, ANSWERS) == [("failed", 503, "ledger_unavailable")]


@pytest.mark.parametrize(
    ("error", "state", "costs"),
    [(FAILED, "POSTED_WORST", True), (REFUSED, "SETTLED_ESTIMATED", True), (UNBILLED, "VOID", False)],
    ids=["may have been answered", "was refused with a 500", "was not billed"],
)
async def test_each_attempt_of_a_plan_has_its_own_rows_within_one_hold(
    tmp_path: Path, error: UpstreamError, state: str, *, costs: bool
) -> None:
    provider = ScriptedProvider(error)
    with running_spine(tmp_path, provider, plan=(CHEAP.name, DEAR.name)) as spine:
        await spine.answer(chat())
        assert [call.route.name for call in provider.calls] == [CHEAP.name, DEAR.name]
        assert spine.held_nano_usd == 0
    found = rows(spine.path, ENTRIES)
    assert [row[:3] for row in found] == [
        (1, "answer", "DISPATCHED"), (1, "answer", state), (2, "fallback", "DISPATCHED"), (2, "fallback", "SETTLED"),
    ]  # fmt: skip
    assert (int(str(found[1][3])) > 0) is costs
    assert found[3][3] == 100 * 10_000 + 50 * 50_000, "priced at its own model"


async def test_a_refusal_of_the_request_itself_is_not_sent_to_the_next_route(tmp_path: Path) -> None:
    provider = ScriptedProvider(UpstreamRefusedError("no", status=400))
    with running_spine(tmp_path, provider, plan=(CHEAP.name, DEAR.name)) as spine:
        with pytest.raises(UpstreamRefusedError):
            await spine.answer(chat())
        assert len(provider.calls) == 1
        assert (spine.held_nano_usd, spine.spent_nano_usd) == (0, 0)
    assert rows(spine.path, ANSWERS) == [("failed", 400, "upstream_refused")]


async def test_a_cancelled_request_is_charged_for_what_it_may_have_used(tmp_path: Path) -> None:
    provider = ScriptedProvider(asyncio.Event())
    with running_spine(tmp_path, provider) as spine:
        task = asyncio.create_task(spine.answer(chat()))
        await provider.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert spine.held_nano_usd == 0
        assert spine.spent_nano_usd > 0
    assert [row[2] for row in rows(spine.path, ENTRIES)] == ["DISPATCHED", "POSTED_WORST"]
    assert rows(spine.path, ANSWERS) == [("failed", 500, "cancelled")]


class SlowLedger(Ledger):
    """Hands new work on only with the next fact, as a slow disk would."""

    def __init__(self, inner: Ledger) -> None:
        self._inner = inner
        self.budgets, self.prices = inner.budgets, inner.prices
        self.waiting: list[tuple[Sequence[Row], Done]] = []
        self.asked = asyncio.Event()

    def admit(self, rows: Sequence[Row], done: Done) -> None:
        """Keep it waiting."""
        self.waiting.append((rows, done))
        self.asked.set()

    def record(self, rows: Sequence[Row], done: Done | None = None) -> None:
        """Hand on what waits, then this."""
        for waiting_rows, waiting_done in self.waiting:
            self._inner.admit(waiting_rows, waiting_done)
        self.waiting.clear()
        self._inner.record(rows, done)


async def test_a_request_cancelled_while_its_hold_is_being_written_was_never_sent(tmp_path: Path) -> None:
    provider = ScriptedProvider()
    slow: list[SlowLedger] = []

    def wrap(ledger: Ledger) -> Ledger:
        slow.append(SlowLedger(ledger))
        return slow[0]

    with running_spine(tmp_path, provider, wrap=wrap) as spine:
        task = asyncio.create_task(spine.answer(chat()))
        await slow[0].asked.wait()
        assert spine.held_nano_usd > 0
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (spine.held_nano_usd, spine.spent_nano_usd, provider.calls) == (0, 0, [])
    assert [row[2] for row in rows(spine.path, ENTRIES)] == ["DISPATCHED", "VOID"]
    assert rows(spine.path, ANSWERS) == [("failed", 503, "cancelled")]


class FullLedger(SlowLedger):
    """Takes no new work."""

    def admit(self, rows: Sequence[Row], done: Done) -> None:
        """Refuse it."""
        raise LedgerUnavailableError(f"no space for {len(rows)} rows, and {done.__name__} is not called")


async def test_what_the_ledger_cannot_take_is_not_sent_and_nothing_stays_held(tmp_path: Path) -> None:
    provider = ScriptedProvider()
    with running_spine(tmp_path, provider, wrap=FullLedger) as spine:
        with pytest.raises(UnavailableError, match="no space"):
            await spine.answer(chat())
        assert (spine.held_nano_usd, provider.calls) == (0, [])
    assert rows(spine.path, ENTRIES) == []


async def test_a_caller_that_leaves_ends_a_local_engines_work(tmp_path: Path) -> None:
    local = replace(CHEAP, origin=Origin.LOCAL)
    provider = ScriptedProvider(asyncio.Event())
    reply = RecordedReply()
    with running_spine(tmp_path, provider, routes=(local,)) as spine:
        task = asyncio.create_task(spine.answer(chat(), reply))
        await provider.asked.wait()
        reply.leave()
        with pytest.raises(ClientLeftError):
            await task
        assert spine.held_nano_usd == 0
    assert rows(spine.path, "SELECT status FROM answer") == [("client_left",)]


class QueueingProvider(ScriptedProvider):
    """A local engine that is asked at 0, begins after a minute if at all, and fails 5 seconds later."""

    def __init__(self, error: BaseException, *, begins: bool) -> None:
        super().__init__(error)
        self._begins = begins
        self.now_us = 0

    def clock(self) -> int:
        """What the time is in this story."""
        return self.now_us

    async def complete(self, call: Call) -> Completion:
        """Wait, perhaps work, and fail."""
        self.now_us += 60_000_000
        if self._begins:
            call.stopwatch.start()
            self.now_us += 5_000_000
        return await super().complete(call)


@pytest.mark.parametrize(
    ("begins", "state", "cpu_us"),
    [(True, "SETTLED_ESTIMATED", 2 * 5_000_000), (False, "VOID", 0)],
    ids=["it had begun", "it was still in the queue"],
)
@pytest.mark.parametrize("error", [FAILED, asyncio.CancelledError()], ids=["failed", "cancelled"])
async def test_a_local_attempt_that_fails_is_charged_from_when_the_engine_began(
    tmp_path: Path, error: BaseException, state: str, cpu_us: int, *, begins: bool
) -> None:
    local = replace(CHEAP, origin=Origin.LOCAL, compute_threads=2)
    provider = QueueingProvider(error, begins=begins)
    counter = PromptCounter(TokenCounter(tmp_path / "tokenizers"), {})
    with running_spine(tmp_path, provider, routes=(local,)) as spine:
        cascade = Cascade(Attempts({"fake": provider}, counter, provider.clock))
        with pytest.raises(type(error)):
            await replace(spine, pipeline=replace(spine.pipeline, cascade=cascade)).answer(chat())
    last = "SELECT state, cpu_us FROM entry ORDER BY seq DESC LIMIT 1"
    assert rows(spine.path, last) == [(state, cpu_us)]


@pytest.mark.parametrize(
    ("model", "error"),
    [("nobody", NotFoundError), ("premium", PolicyDeniedError)],
    ids=["unknown model", "a plan that the team does not have"],
)
async def test_what_is_refused_before_the_hold_leaves_no_row(
    tmp_path: Path, model: str, error: type[Exception]
) -> None:
    with running_spine(tmp_path, ScriptedProvider()) as spine:
        with pytest.raises(error):
            await spine.answer(replace(chat(), model=model))
        assert spine.held_nano_usd == 0
    assert rows(spine.path, "SELECT * FROM request") == []


async def test_parallel_requests_hold_no_more_than_the_limit(tmp_path: Path) -> None:
    gate = asyncio.Event()
    provider = ScriptedProvider(*[gate] * 20)
    with running_spine(tmp_path, provider, limit_nano_usd=3_000_000) as spine:
        tasks = [asyncio.create_task(spine.answer(chat(max_tokens=500))) for _ in range(20)]
        done, _ = await asyncio.wait(tasks, timeout=5, return_when=asyncio.FIRST_EXCEPTION)
        assert spine.held_nano_usd <= 3_000_000
        gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert done
        assert 0 < sum(isinstance(result, str) for result in results) < 20
        assert spine.held_nano_usd == 0
        assert spine.spent_nano_usd == COST * len(provider.calls) <= 3_000_000


async def test_a_completion_without_usage_is_counted_into_suspense(tmp_path: Path) -> None:
    with running_spine(
        tmp_path, ScriptedProvider(replace(ANSWER, usage=None)), routes=(SHOWN, DEAR)
    ) as spine:
        await spine.answer(chat())
    assert [row[2] for row in rows(spine.path, ENTRIES)] == ["DISPATCHED", "SETTLED_ESTIMATED"]


class HangingCounter(PromptCounter):
    """Begins to count and never ends."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def usage_of(self, request: ChatRequest, route: Route, answer: str) -> Usage:
        """Wait until it is broken off."""
        self.asked.set()
        await asyncio.Event().wait()
        return self.bound_usage(request, route, answer)


@pytest.mark.parametrize(
    ("step", "error"),
    [(replace(ANSWER, usage=None), None), (REFUSED, "upstream_error")],
    ids=["answered without usage", "refused with a 500"],
)
async def test_a_request_cancelled_while_its_usage_is_counted_is_settled_once_by_its_bound(
    tmp_path: Path, step: Completion | BaseException, error: str | None
) -> None:
    provider, counter = ScriptedProvider(step), HangingCounter()
    with running_spine(tmp_path, provider, routes=(SHOWN, DEAR)) as spine:
        cascade = Cascade(Attempts({"fake": provider}, counter, system_clock))
        task = asyncio.create_task(
            replace(spine, pipeline=replace(spine.pipeline, cascade=cascade)).answer(chat())
        )
        await counter.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert spine.held_nano_usd == 0
        assert spine.spent_nano_usd > 0
    found = rows(spine.path, ENTRIES)
    assert [(row[2], row[4]) for row in found] == [("DISPATCHED", None), ("SETTLED_ESTIMATED", error)]
    assert rows(spine.path, ANSWERS) == [("failed", 500, "cancelled")]


async def test_a_cost_beyond_its_bound_is_booked_all_the_same_and_marked(tmp_path: Path) -> None:
    huge = replace(ANSWER, usage=replace(USED, output_text=10**6))
    with running_spine(tmp_path, ScriptedProvider(huge)) as spine:
        await spine.answer(chat())
        assert spine.spent_nano_usd == 100_000 + 2 * 10**9
        with pytest.raises(BudgetExceededError):
            await spine.answer(chat())
    assert rows(spine.path, "SELECT overage FROM entry WHERE state = 'SETTLED'") == [(1,)]


BUSY = UpstreamRefusedError("full", status=429, code="rate_limited", retry_after=b"0")


@pytest.mark.parametrize("error", [BUSY, UNBILLED], ids=["refused for now", "not reached"])
async def test_a_failure_that_cost_nothing_is_tried_again_as_often_as_the_policy_says(
    tmp_path: Path, error: UpstreamError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cascade_module, "RETRY_S", 0.0)
    provider = ScriptedProvider(error, error, ANSWER)
    with running_spine(tmp_path, provider, retries=2) as spine:
        await spine.answer(chat())
    assert [row[:3] for row in rows(spine.path, ENTRIES)] == [
        (1, "answer", "DISPATCHED"), (1, "answer", "VOID"),
        (2, "retry", "DISPATCHED"), (2, "retry", "VOID"),
        (3, "retry", "DISPATCHED"), (3, "retry", "SETTLED"),
    ]  # fmt: skip


NOT_AGAIN: dict[str, UpstreamError] = {
    "it may have cost something": FAILED,
    "it would be refused again": UpstreamRefusedError("no", status=400, code="bad"),
    "the provider wants a long rest": UpstreamRefusedError(
        "full", status=429, code="full", retry_after=b"3600"
    ),
}


@pytest.mark.parametrize("error", NOT_AGAIN.values(), ids=NOT_AGAIN.keys())
async def test_what_may_cost_twice_or_cannot_succeed_is_not_tried_again(
    tmp_path: Path, error: UpstreamError
) -> None:
    provider = ScriptedProvider(error, ANSWER)
    with running_spine(tmp_path, provider, retries=5) as spine, pytest.raises(type(error)):
        await spine.answer(chat())
    assert len(provider.calls) == 1


async def test_without_a_word_of_the_policy_nothing_is_tried_again(tmp_path: Path) -> None:
    provider = ScriptedProvider(UNBILLED, ANSWER)
    with running_spine(tmp_path, provider) as spine, pytest.raises(UpstreamError, match="cannot be reached"):
        await spine.answer(chat())
    assert len(provider.calls) == 1
