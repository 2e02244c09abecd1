"""Where money is only held by others, a request waits a moment, and never longer."""

import asyncio
from pathlib import Path

import pytest

from ledger.budgets import Reservation
from router.errors import BudgetHeldError
from support.routes import chat
from support.spine import ScriptedProvider, Spine, running_spine

ONE_FITS_NANO_USD = 3_000_000
"""A request's worst case is 2.2 million: 1,000 tokens out at $2 a million, and its prompt."""
PATIENCE_S = 30.0


class Ticker:
    """Releases nothing, a hundred times a second: whoever waits for money is woken each time."""

    def __init__(self, spine: Spine) -> None:
        self._accounts = spine.pipeline.accounts
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_soon(self._tick)
        self.ticks = 0

    def _tick(self) -> None:
        self.ticks += 1
        self._accounts.release(Reservation((), 0, 0))
        self._next = self._loop.call_later(0.01, self._tick)

    def stop(self) -> None:
        """Let them wait in peace."""
        self._next.cancel()


async def test_a_wait_for_held_money_ends_although_others_release_theirs_all_the_time(tmp_path: Path) -> None:
    gate = asyncio.Event()
    provider = ScriptedProvider(gate)
    with running_spine(tmp_path, provider, limit_nano_usd=ONE_FITS_NANO_USD) as spine:
        first = asyncio.create_task(spine.answer(chat()))
        await provider.asked.wait()
        ticker = Ticker(spine)
        with pytest.raises(BudgetHeldError):
            async with asyncio.timeout(PATIENCE_S):
                await spine.answer(chat())
        ticker.stop()
        assert ticker.ticks > 1
        gate.set()
        await first


async def test_money_that_comes_back_in_time_is_used(tmp_path: Path) -> None:
    gate = asyncio.Event()
    provider = ScriptedProvider(gate)
    with running_spine(tmp_path, provider, limit_nano_usd=ONE_FITS_NANO_USD) as spine:
        first = asyncio.create_task(spine.answer(chat()))
        await provider.asked.wait()
        second = asyncio.create_task(spine.answer(chat()))
        gate.set()
        assert len({await first, await second}) == 2
        assert len(provider.calls) == 2
