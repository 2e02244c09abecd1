"""What follows an answer that has gone out: the audit of a stream or of generated text, and grades.

The hold stays open for it. What waits lies in memory, bounded in number and bytes; what has no room
is not done, and the ledger says so, as it does after a crash of what was chosen and not judged.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ledger.ids import RequestId
from ledger.rows import OutcomeRow, OutcomeSource
from router.accounts import Hold
from router.errors import GatewayError

WAITING_MAX = 256
WAITING_BYTES_MAX = 64 * 1024 * 1024
PARALLEL = 4
CLOSE_S = 20.0
AUDIT, GRADE = "audit", "grade"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One thing to do after an answer: the row that says it was chosen, and the one if it is lost."""

    chosen: OutcomeRow
    lost: OutcomeRow
    run: Callable[[], Awaitable[None]]


class Afterwards:
    """A bounded queue of judgements, and the few that run at a time."""

    def __init__(self, on_failure: Callable[[RequestId, BaseException], None]) -> None:
        """`on_failure` hears of what should not happen, of which request."""
        self._on_failure = on_failure
        self._running: set[asyncio.Task[None]] = set()
        self._bytes = 0
        self._slots = asyncio.Semaphore(PARALLEL)

    def submit(self, hold: Hold, size: int, judgements: Sequence[Judgement]) -> None:
        """Run `judgements` when their turn comes, then end `hold`. `size` is the bytes that wait for it."""
        if len(self._running) >= WAITING_MAX or self._bytes + size > WAITING_BYTES_MAX:
            hold.note(judgement.lost for judgement in judgements)
            hold.finish(())
            return
        self._bytes += size
        task = asyncio.create_task(self._run(hold, size, list(judgements)))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, hold: Hold, size: int, judgements: list[Judgement]) -> None:
        try:
            async with self._slots:
                while judgements:
                    await _judge(hold, judgements[0])
                    judgements.pop(0)
        except Exception as error:  # noqa: BLE001  the boundary of a task: recorded, and the rest is lost
            self._on_failure(hold.request_id, error)
        finally:
            self._bytes -= size
            hold.note(judgement.lost for judgement in judgements)
            hold.finish(())

    async def close(self) -> None:
        """Wait for what runs, a while; break off the rest."""
        if self._running:
            await asyncio.wait(self._running, timeout=CLOSE_S)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


async def _judge(hold: Hold, judgement: Judgement) -> None:
    try:
        await judgement.run()
    except GatewayError as error:
        hold.note([judgement.lost._replace(reason=f"it was chosen and not judged: {error.code}"[:500])])


def judgement(
    hold: Hold,
    attempt_id: str,
    purpose: str,
    propensity: float,
    run: Callable[[], Awaitable[None]],
    *,
    simulated: bool,
) -> Judgement:
    """Something to do for `purpose` about an attempt's answer, which was chosen with this propensity."""

    def row(code: str, reason: str) -> OutcomeRow:
        return OutcomeRow(
            outcome_id=hold.outcome_id(),
            request_id=hold.request_id,
            attempt_id=attempt_id,
            at_us=hold.now_us,
            source=(OutcomeSource.AUDITOR if purpose == AUDIT else OutcomeSource.SHADOW).value,
            check_name="sample",
            field="",
            outcome="abstained",
            code=f"sample.{purpose}.{code}",
            reason=reason,
            span_start=None,
            span_end=None,
            score=None,
            flagged=False,
            propensity=propensity,
            simulated=simulated,
        )

    return Judgement(
        row("chosen", f"its {purpose} follows"), row("lost", "it was chosen and not judged"), run
    )
