"""A request's money: its hold, its attempts' entries, its answer's row.

The async face of the ledger. The hold and the first dispatch are one durable commit before the
first byte goes out; settlements, outcomes and the answer join the next group commit.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

from ledger.budgets import Reservation
from ledger.clock import Clock
from ledger.errors import LedgerError
from ledger.ids import RequestId, new_attempt_id, new_id
from ledger.ledger import Ledger
from ledger.prices import Price
from ledger.rows import AnswerRow, EntryRow, OutcomeRow, RequestRow, Role, Row, State
from policies.decision import Settle
from router.caller import Caller
from router.errors import UnavailableError
from router.planning import PlannedAttempt
from router.settlement import Attempt, Settlement, unanswered

STRICT_S = 10.0
"""How long an answer under `settle: strict` waits for the disk."""


def _unsettled(why: str) -> UnavailableError:
    """What a caller under `settle: strict` hears instead of the end of its answer."""
    return UnavailableError(
        f"the answer was made and is charged, but what it cost {why}; "
        "under `settle: strict` an answer ends only after that",
        code="ledger_unavailable",
    )


def _written(_error: LedgerError | None) -> None:
    """Nobody waits for it; that there is a `done` keeps the rows in their order."""


class Accounts:
    """Opens holds on the ledger."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger = ledger
        self.clock = clock
        self._released: asyncio.Event = asyncio.Event()

    async def open(
        self, request_row: RequestRow, first: PlannedAttempt, reservation: Reservation, caller: Caller
    ) -> "Hold":
        """Write the hold and the first attempt's dispatch; return once they are on disk.

        Raises UnavailableError, with the reservation released, if the ledger cannot take them. Cancelled
        meanwhile, it says in the ledger that nothing was sent.
        """
        hold = Hold(self, request_row, reservation, caller)
        entry = hold.dispatch_entry(first, Role.ANSWER)
        try:
            await self._admit((request_row, entry))
        except asyncio.CancelledError:
            hold.settle(hold.current, Settlement(State.VOID, error="cancelled"))
            hold.close(unanswered(request_row, self.clock(), None, 503, "cancelled"), ())
            raise
        except BaseException:
            self.release(reservation)
            raise
        return hold

    async def _admit(self, rows: Sequence[Row]) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(error: LedgerError | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(
                    UnavailableError(f"the ledger takes no new work: {error}", code="ledger_unavailable")
                )

        try:
            self.ledger.admit(rows, done)
        except LedgerError as error:
            raise UnavailableError(
                f"the ledger takes no new work: {error}", code="ledger_unavailable"
            ) from error
        await future

    async def written(self, rows: Sequence[Row]) -> None:
        """Record facts and return once they are on disk.

        Raises UnavailableError if that takes longer than `STRICT_S`: the writer keeps them and goes on trying.
        """
        future: asyncio.Future[LedgerError | None] = asyncio.get_running_loop().create_future()

        def done(error: LedgerError | None) -> None:
            if not future.done():
                future.set_result(error)

        self.ledger.record(rows, done)
        try:
            async with asyncio.timeout(STRICT_S):
                error = await future
        except TimeoutError:
            raise _unsettled(f"could not be written within {STRICT_S:g} s") from None
        if error is not None:
            raise _unsettled(f"cannot be written: {error}") from error

    def release(self, reservation: Reservation) -> None:
        """Give back what is still held, and wake whoever waits for it."""
        self.ledger.budgets.release(reservation)
        self._released.set()
        self._released = asyncio.Event()

    async def wait_for_release(self, timeout_s: float) -> None:
        """Return when some hold was released, or when the time is up."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._released.wait(), timeout_s)


class Hold:
    """The money of one request, from dispatch to the answer's row."""

    def __init__(
        self, accounts: Accounts, request_row: RequestRow, reservation: Reservation, caller: Caller
    ) -> None:
        self._accounts = accounts
        self._row = request_row
        self._reservation = reservation
        self._caller = caller
        self.attempts = 0
        """How many were dispatched."""
        self._settled: list[EntryRow] = []
        self._noted: list[OutcomeRow] = []
        self._open: dict[str, tuple[Attempt, EntryRow]] = {}
        self.cost_nano_usd = self.input_tokens = self.output_tokens = 0
        self._closed = False

    @property
    def request_id(self) -> RequestId:
        """The request that this money is for."""
        return RequestId(self._row.request_id)

    @property
    def current(self) -> Attempt:
        """The attempt that is open now."""
        return next(reversed(self._open.values()))[0]

    async def dispatch(self, planned: PlannedAttempt, role: Role) -> Attempt:
        """Put a further attempt of the plan on disk, within the hold; return once it is there."""
        entry = self.dispatch_entry(planned, role)
        try:
            self.flush()
            await self._accounts._admit((entry,))  # noqa: SLF001  (Hold is Accounts' other half)
        except asyncio.CancelledError:  # the row may be on disk, and nothing was sent
            self.settle(self.current, Settlement(State.VOID, error="cancelled"))
            raise
        except BaseException:
            del self._open[entry.attempt_id]
            raise
        return self.current

    def dispatch_entry(self, planned: PlannedAttempt, role: Role) -> EntryRow:
        """Make the DISPATCHED entry of the plan's next attempt."""
        at_us = self._accounts.clock()
        self.attempts += 1
        attempt = Attempt(new_attempt_id(at_us), self.attempts, role, planned, at_us)
        entry = self._entry(attempt, State.DISPATCHED, at_us, Settlement(State.DISPATCHED), None, None)
        self._open[attempt.attempt_id] = (attempt, entry)
        return entry

    def settle(self, attempt: Attempt, settlement: Settlement) -> None:
        """Book what an attempt cost, or that it cost nothing. The row is written by `close`, or with the
        plan's next dispatch."""
        if self._open.pop(attempt.attempt_id, None) is None:
            return
        at_us = self._accounts.clock()
        price, cost = self._price_of(attempt, settlement)
        self._accounts.ledger.budgets.post(self._reservation, cost)
        self.cost_nano_usd += cost
        self.input_tokens += settlement.usage.input_tokens
        self.output_tokens += settlement.usage.output_tokens
        self._settled.append(self._entry(attempt, settlement.state, at_us, settlement, cost, price))

    def close(self, answer: AnswerRow, outcomes: Sequence[OutcomeRow]) -> None:
        """Release what is left and let the answer's row join the next commit."""
        self._closed = True
        self.finish((answer, *outcomes))

    async def close_answered(
        self, answer: AnswerRow, outcomes: Sequence[OutcomeRow], *, goes_on: bool = False
    ) -> None:
        """The same before the answer's last byte: under `settle: strict`, once what it cost is on disk. If
        something `goes_on` afterwards, the rest of the hold stays for it, until `finish`.

        Raises UnavailableError if that takes too long: there is no answer then, and the hold is still open.
        """
        if self._caller.policy.settle is Settle.STRICT:
            settled = tuple(self._settled)
            self._settled.clear()
            await self._accounts.written(settled)
        if goes_on:
            self._closed = True
            self._write((answer, *outcomes))
        else:
            self.close(answer, outcomes)

    def finish(self, rows: Sequence[Row]) -> None:
        """Release what is left; `rows` join the next commit, after the settlements so far."""
        self._accounts.release(self._reservation)
        self._write(rows)

    def note(self, outcomes: Iterable[OutcomeRow]) -> None:
        """Keep what somebody says of the answer: it is written with the answer's row, or with the last."""
        self._noted.extend(outcomes)

    def _write(self, rows: Sequence[Row]) -> None:
        self._accounts.ledger.record((*self._settled, *rows, *self._noted))
        self._settled.clear()
        self._noted.clear()

    def flush(self) -> None:
        """Write the settlements so far, before whatever is written next."""
        if self._settled:
            self._accounts.ledger.record(tuple(self._settled), _written)
            self._settled.clear()

    @property
    def now_us(self) -> int:
        """The time of the ledger's clock."""
        return self._accounts.clock()

    @property
    def closed(self) -> bool:
        """Whether the answer's row was written."""
        return self._closed

    def outcome_id(self) -> str:
        """Make an id for an outcome of this request."""
        return new_id("out", self._accounts.clock())

    def _price_of(self, attempt: Attempt, settlement: Settlement) -> tuple[Price | None, int]:
        """What an attempt cost, and at which price. What we guess stays within what was held for it; what a
        provider states is booked as it is."""
        bound = attempt.planned.bound_nano_usd
        if settlement.state is State.VOID:
            return None, 0
        if settlement.state is State.POSTED_WORST:
            return None, bound
        prices = self._accounts.ledger.prices
        price = prices.select(
            attempt.planned.route.price_sku, attempt.dispatched_at_us, settlement.usage.input_tokens
        )
        cost = prices.cost(price, settlement.usage)
        return price, min(cost, bound) if settlement.state is State.SETTLED_ESTIMATED else cost

    def _entry(
        self,
        attempt: Attempt,
        state: State,
        at_us: int,
        settlement: Settlement,
        cost: int | None,
        price: Price | None,
    ) -> EntryRow:
        planned, row = attempt.planned, self._row
        route = planned.route
        facts = route.facts
        return EntryRow(
            f"ent{attempt.attempt_id[3:]}_{state.value.lower()}",  # an attempt reaches each state once
            attempt.attempt_id,
            row.request_id,
            state.value,
            at_us,
            row.at_us,
            attempt.number,
            attempt.role.value,
            row.team,
            row.key_id,
            row.plan,
            route.name,
            route.provider,
            route.origin.value,
            route.upstream_model,
            settlement.model_served,
            settlement.fingerprint,
            settlement.upstream_id,
            planned.bound_nano_usd,
            cost,
            price.price_id if price is not None else None,
            *settlement.usage.values(),
            settlement.finish_reason,
            settlement.error,
            cost is not None and cost > planned.bound_nano_usd,
            settlement.ttft_us,
            at_us - attempt.dispatched_at_us if state is not State.DISPATCHED else None,
            row.policy_hash,
            row.rule_ids,
            route.simulated,
            facts.runs.value,
            facts.place,
            facts.jurisdiction,
            facts.weights_origin,
            facts.weights_licence,
        )
