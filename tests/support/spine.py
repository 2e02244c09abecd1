"""The pipeline over a real ledger and a scripted provider, in this process: what HTTP cannot time."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ledger.budgets import Limit, Scope, ScopeKind, Window
from ledger.clock import system_clock
from ledger.ids import RequestId, new_request_id
from ledger.ledger import Ledger
from ledger.usage import Usage
from policies.decision import AtLimit, Settle
from policies.facts import TaskKind
from policies.route_facts import RouteFacts
from policies.rulebook import Rulebook
from policies.team import SpendingLimits, TeamPolicy
from router.accounts import Accounts
from router.admission import Admission
from router.afterwards import Afterwards
from router.attempts import Attempts
from router.auditing import Auditor
from router.call import Call
from router.caller import Caller
from router.cascade import Cascade
from router.catalog import Catalog, Route
from router.checking import Checker
from router.completion import Completion, CompletionStream
from router.conversations import Conversations
from router.counting import PromptCounter
from router.followups import FollowUps
from router.generation_auditing import GenerationAuditor
from router.grading import Grader
from router.json_types import JsonObject
from router.pipeline import Pipeline
from router.planning import Planner
from router.processes.counters import TokenCounter
from router.reply import AnswerHead
from router.request import ChatRequest
from router.sampling import Sampling
from support.routes import CHEAP, DEAR, flat_price
from verifiers.gate import Gate

USED = Usage(input_uncached=100, output_text=50)
ANSWER = Completion(b'{"choices":[]}', "fine", None, "stop", USED, "served")


Step = Completion | BaseException | asyncio.Event | Callable[[Call], Completion]


class ScriptedProvider:
    """Answers each call with the next step of its script: a completion or what makes one of the call, an
    error, or something to await."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self.calls: list[Call] = []
        self.asked = asyncio.Event()

    async def complete(self, call: Call) -> Completion:
        """Take the next step."""
        self.calls.append(call)
        self.asked.set()
        step = self._steps.pop(0) if self._steps else ANSWER
        if isinstance(step, asyncio.Event):
            await step.wait()
            return ANSWER
        if isinstance(step, BaseException):
            raise step
        return step if isinstance(step, Completion) else step(call)

    async def stream(self, call: Call) -> CompletionStream:
        """Not scripted: streams are tested over HTTP."""
        raise AssertionError(f"a stream was asked of {call.route.name}")

    async def close(self) -> None:
        """There is nothing to give back."""


@dataclass
class RecordedReply:
    """Keeps what was answered."""

    started: bool = False
    client_left: bool = False
    cost_nano_usd: int | None = None
    answer: tuple[AnswerHead, Completion, JsonObject | None] | None = None
    pieces: list[tuple[AnswerHead, bytes]] = field(default_factory=list)
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_until_left(self) -> None:
        """Return when `leave` was called."""
        await self._left.wait()

    def leave(self) -> None:
        """The caller closes its connection."""
        self.client_left = True
        self._left.set()

    async def whole(
        self, head: AnswerHead, completion: Completion, cost_nano_usd: int, details: JsonObject | None
    ) -> None:
        """Keep the answer and its cost."""
        self.started = True
        self.answer = (head, completion, details)
        self.cost_nano_usd = cost_nano_usd

    async def piece(self, head: AnswerHead, data: bytes) -> None:
        """Keep a part of a streamed answer."""
        self.started = True
        self.pieces.append((head, data))

    async def heartbeat(self, head: AnswerHead) -> None:
        """Keep it as a part."""
        await self.piece(head, b": heartbeat")

    async def end(self, head: AnswerHead, completion: Completion, details: JsonObject | None) -> None:
        """Keep what a streamed answer came to."""
        self.answer = (head, completion, details)


@dataclass
class Spine:
    """One pipeline, its parts, and a caller of team finance."""

    pipeline: Pipeline
    ledger: Ledger
    caller: Caller
    path: Path

    async def answer(self, request: ChatRequest, reply: RecordedReply | None = None) -> RequestId:
        """Answer one request; return its id."""
        request_id = new_request_id(system_clock())
        await self.pipeline.answer(request, request_id, self.caller, reply or RecordedReply())
        return request_id

    @property
    def held_nano_usd(self) -> int:
        """What is held of the team's money now."""
        room = self.ledger.budgets.headroom(self.caller.scopes, system_clock())
        assert room is not None
        return room.spendable_nano_usd - room.available_nano_usd

    @property
    def spent_nano_usd(self) -> int:
        """What the team has spent today."""
        room = self.ledger.budgets.headroom(self.caller.scopes, system_clock())
        assert room is not None
        return room.limit.amount_nano_usd - room.spendable_nano_usd


def policy(plan: Sequence[str], settle: Settle = Settle.AFTER, retries: int = 0) -> TeamPolicy:
    """Rules of team finance: one plan, a dollar a request at most."""
    return TeamPolicy(
        retries=retries,
        team="finance",
        models=(CHEAP.name, DEAR.name),
        plans={"cheap": tuple(plan)},
        auto=dict.fromkeys(TaskKind, "cheap"),
        baseline=DEAR.name,
        limits=SpendingLimits(None, None, None),
        at_limit=AtLimit.DENY,
        min_output_tokens=100,
        settle=settle,
        policy_hash="hash",
        file="finance.yaml",
        rule_lines={},
    )


@contextmanager
def running_spine(
    folder: Path,
    provider: ScriptedProvider,
    *,
    plan: Sequence[str] = (CHEAP.name,),
    routes: Sequence[Route] = (CHEAP, DEAR),
    limit_nano_usd: int = 10**9,
    settle: Settle = Settle.AFTER,
    retries: int = 0,
    rules: TeamPolicy | None = None,
    wrap: Callable[[Ledger], Ledger] = lambda ledger: ledger,
) -> Iterator[Spine]:
    """Run a pipeline for as long as the block lasts; call it in a running loop."""
    from_writer = asyncio.get_running_loop().call_soon_threadsafe

    def notify(callbacks: Sequence[Callable[[], None]]) -> None:
        for callback in callbacks:
            from_writer(callback)

    ledger = Ledger.open(folder / "ledger.sqlite", notify=notify)
    ledger.ensure_prices([flat_price(CHEAP.price_sku, 1, 2), flat_price(DEAR.price_sku, 10, 50)])
    scopes = (Scope(ScopeKind.TEAM, "finance"), Scope(ScopeKind.KEY, "key_1"))
    rules = rules or policy(plan, settle, retries)
    facts = [RouteFacts(route.name, route.model, route.provider) for route in routes]
    _limit(ledger, limit_nano_usd)
    catalog, counter = Catalog(routes), PromptCounter(TokenCounter(folder / "tokenizers"), {})
    accounts = Accounts(wrap(ledger), system_clock)
    cascade, checker = Cascade(Attempts({"fake": provider}, counter, system_clock)), Checker(Gate())
    auditor = Auditor(cascade, checker)
    pipeline = Pipeline(
        catalog=catalog,
        prices=ledger.prices,
        sampling=Sampling(),
        admission=Admission(Planner(catalog, ledger.prices), accounts, counter),
        accounts=accounts,
        cascade=cascade,
        checker=checker,
        auditor=auditor,
        followups=FollowUps(auditor, Grader(cascade), GenerationAuditor(cascade)),
        afterwards=Afterwards(_raise),
        conversations=Conversations(system_clock),
        clock=system_clock,
        pepper=b"p" * 32,
    )
    try:
        yield Spine(
            pipeline,
            ledger,
            Caller("key_1", "finance", Rulebook(rules, facts), scopes),
            folder / "ledger.sqlite",
        )
    finally:
        ledger.close()


def _raise(_request_id: RequestId, error: BaseException) -> None:
    raise error


def _limit(ledger: Ledger, amount_nano_usd: int) -> None:
    ledger.budgets.set_policy_limits(
        [Limit(Scope(ScopeKind.TEAM, "finance"), Window.DAY, amount_nano_usd, "finance.limits.day_usd")]
    )
