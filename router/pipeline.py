"""THE request: classify, decide, plan, hold, run, check, audit, answer, settle.

Whatever happens after the hold, the attempts are settled and the answer's row is written.
"""

import asyncio
import contextlib
from dataclasses import dataclass, replace

from ledger.clock import Clock
from ledger.errors import PriceError
from ledger.ids import RequestId
from ledger.prices import PriceBook
from ledger.rows import RequestRow
from policies.audits import Delivery
from policies.decision import Allow
from policies.facts import Facts
from router.accounts import Accounts, Hold
from router.admission import Admission
from router.afterwards import Afterwards, Judgement
from router.auditing import Auditor, AuditStatus, Reviewed
from router.caller import Caller
from router.cascade import Cascade, Question, Ran
from router.catalog import Catalog
from router.checking import Checker, details_of
from router.conversations import Conversations
from router.deciding import allowed, decide
from router.errors import ClientLeftError, GatewayError, UnavailableError, UpstreamError
from router.followups import FollowUps
from router.heartbeats import heartbeats
from router.json_types import JsonObject
from router.off_loop import meanwhile
from router.planning import Plan
from router.reply import AnswerHead, Reply
from router.request import ChatRequest
from router.request_rows import Baseline, answer_row, check_rows, request_row
from router.sampling import Sampling
from router.settlement import unanswered
from router.wire.whole_answer import events_of
from verifiers.checks.schema import ExtractionSchema
from verifiers.indexed import Indexed

BYTES_PER_TOKEN = 4
"""Of English text: what a byte bound is divided by where the likely tokens are meant."""


@dataclass(frozen=True, slots=True)
class _Given:
    """What a request is answered with, and how: a stream that was held back until it was checked goes out
    whole."""

    ran: Ran
    reviewed: Reviewed | None
    """None for generated text."""
    audit: AuditStatus | None
    """None where the plan has no audits."""
    held_back: bool


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything that a request passes through, built once."""

    catalog: Catalog
    prices: PriceBook
    sampling: Sampling
    admission: Admission
    accounts: Accounts
    cascade: Cascade
    checker: Checker
    auditor: Auditor
    followups: FollowUps
    afterwards: Afterwards
    conversations: Conversations
    clock: Clock
    pepper: bytes

    async def answer(self, request: ChatRequest, request_id: RequestId, caller: Caller, reply: Reply) -> None:
        """Answer `request` for `caller` through `reply`. Raises GatewayError; what it cost is
        settled even so."""
        at_us = self.clock()
        if not self.catalog.known(request.model):
            raise self.catalog.unknown(request.model)
        schema = self.checker.schema_of(request)
        decided = decide(request, caller, self.pepper)
        task, decision = decided.task, allowed(request, decided.decision, caller)
        baseline = self._baseline(request, decision, at_us)
        allow = self.sampling.chosen(decision, task.kind)
        plan, reservation = await self.admission.admit(request, allow, caller, at_us)
        conversation = f"{caller.team}\0{task.conversation}"
        plan = self.conversations.led(plan, request, conversation)
        row = request_row(request, request_id, caller, task, plan, baseline, at_us)
        hold = await self.accounts.open(row, plan.attempts[0], reservation, caller)
        audit = AuditStatus.NOT_NEEDED if decision.audits is not None else None
        head = AnswerHead(request_id, task.conversation, plan.name, "", decision.policy_hash, None, audit)
        given: _Given | None = None
        try:
            given = await self._give(request, schema, plan, hold, head, reply)
            details = self._details(request, hold, given)
            judgements = self._judgements(request, schema, plan, given, hold, reply)
            hold.note(judgement.chosen for judgement in judgements)
            await self._close(hold, given, reply, at_us, goes_on=bool(judgements))
            self.conversations.keep(request, conversation, given.ran.head.route)
            try:
                await self._deliver(request, given, hold, details, reply)
            finally:
                if judgements:
                    self.afterwards.submit(hold, task.document_bytes, judgements)
        except BaseException as error:
            _tell_what_rules_closed(error, caller, decided.facts)
            if not hold.closed:
                self._close_failed(hold, row, given, error, reply)
            raise

    async def _give(
        self,
        request: ChatRequest,
        schema: ExtractionSchema | None,
        plan: Plan,
        hold: Hold,
        head: AnswerHead,
        reply: Reply,
    ) -> _Given:
        """Run the plan: the cheap answer, its checks, and its audit where that comes before the answer."""
        rules = plan.allow.audits
        if schema is None:
            follows = bool(plan.audit)
            head = replace(head, audit=AuditStatus.FOLLOWS.value) if follows else head
            question = Question(request, None, keep_text=follows or bool(plan.grade))
            ran = await self.cascade.answer(plan, question, hold, head, reply)
            return _Given(ran, None, _status(ran), held_back=False)
        held_back = request.stream and rules is not None and rules.delivery is Delivery.VERIFY_THEN_STREAM
        follows = request.stream and rules is not None and not held_back and bool(plan.audit)
        head = replace(head, audit=AuditStatus.FOLLOWS.value) if follows else head
        question = Question(_not_streamed(request) if held_back else request, schema.plain)
        pending = replace(head, audit=AuditStatus.PENDING.value)
        async with heartbeats(reply, pending) if held_back else contextlib.nullcontext():
            indexed = Indexed(request.document)
            async with meanwhile(len(request.document), indexed.read):
                ran = await self.cascade.answer(plan, question, hold, head, reply)
            checked = await self.checker.check(indexed, schema, ran.completion)
            reviewed = Reviewed(
                AuditStatus.FOLLOWS if follows else AuditStatus.NOT_NEEDED, ran, checked, ran, checked
            )
            if rules is not None and not follows and not reply.client_left:
                reviewed = await self.auditor.review(
                    plan, question, schema, ran, checked, indexed, hold, reply
                )
        return _Given(reviewed.ran, reviewed, _status(reviewed.ran), held_back)

    def _judgements(
        self,
        request: ChatRequest,
        schema: ExtractionSchema | None,
        plan: Plan,
        given: _Given,
        hold: Hold,
        reply: Reply,
    ) -> list[Judgement]:
        """What is to follow the answer; nothing if nobody waited for it."""
        if reply.client_left:
            return []
        if schema is None or given.reviewed is None:
            return self.followups.of_generation(plan, request, given.ran, hold)
        follows = given.audit is AuditStatus.FOLLOWS
        return self.followups.of_extraction(
            plan, request, schema, given.reviewed, hold, audit_follows=follows
        )

    async def _close(self, hold: Hold, given: _Given, reply: Reply, at_us: int, *, goes_on: bool) -> None:
        reviewed = given.reviewed
        checked = reviewed.checked if reviewed is not None else None
        audit = given.audit.value if given.audit is not None else None
        row = answer_row(hold, given.ran, checked, at_us, audit, client_left=reply.client_left)
        outcomes = check_rows(hold, reviewed) if reviewed is not None else []
        await hold.close_answered(row, outcomes, goes_on=goes_on)

    async def _deliver(
        self, request: ChatRequest, given: _Given, hold: Hold, details: JsonObject | None, reply: Reply
    ) -> None:
        ran = given.ran
        if not request.stream:
            await reply.whole(ran.head, ran.completion, hold.cost_nano_usd, details)
            return
        completion = ran.completion
        if given.held_back:
            events, usage_event = events_of(completion.body)
            completion = replace(completion, usage_event=usage_event)
            await reply.piece(ran.head, events)
        await reply.end(ran.head, completion, details)

    def _close_failed(
        self, hold: Hold, row: RequestRow, given: _Given | None, error: BaseException, reply: Reply
    ) -> None:
        left = isinstance(error, ClientLeftError) or reply.client_left
        status, code = 500, "internal_error"
        if isinstance(error, GatewayError):
            status, code = error.status, error.code
        elif isinstance(error, asyncio.CancelledError):
            code = "cancelled"
        http_status = 200 if reply.started else status
        attempt_id = given.ran.attempt.attempt_id if given is not None else None
        hold.close(unanswered(row, self.clock(), attempt_id, http_status, code, client_left=left), ())

    def _details(self, request: ChatRequest, hold: Hold, given: _Given) -> JsonObject | None:
        """The `steelyard` object of the answer, where it was asked for."""
        if not request.declared.return_details:
            return None
        ran = given.ran
        details: JsonObject = {
            "request_id": hold.request_id,
            "plan": ran.head.plan,
            "route": ran.head.route,
            "cost_nano_usd": hold.cost_nano_usd,
            "attempts": hold.attempts,
            "tokens": {"input": hold.input_tokens, "output": hold.output_tokens},
            "simulated": ran.attempt.planned.route.simulated,
            "usage_estimated": ran.completion.usage is None,
        }
        if given.audit is not None:
            details["audit"] = given.audit.value
        if given.reviewed is not None:
            details["checks"] = details_of(given.reviewed.checked)
        return details

    def _baseline(self, request: ChatRequest, allow: Allow, at_us: int) -> Baseline:
        """What the policy names for the estimate; a tier of price is chosen by the likely tokens."""
        routes = self.catalog.serving(allow.baseline_route) if allow.baseline_route is not None else ()
        if not routes:
            return Baseline()
        tokens = request.bound.text_tokens // BYTES_PER_TOKEN
        try:
            price = self.prices.select(routes[0].price_sku, at_us, tokens)
        except PriceError:  # it has ended or not begun: no estimate, rather than one at another's price
            return Baseline()
        return Baseline(routes[0].name, price.price_id)


def _status(ran: Ran) -> AuditStatus | None:
    return AuditStatus(ran.head.audit) if ran.head.audit is not None else None


def _not_streamed(request: ChatRequest) -> ChatRequest:
    """The same request, asked of a provider as a whole."""
    body = {key: value for key, value in request.body.items() if key not in ("stream", "stream_options")}
    return replace(request, body=body, stream=False, include_usage=False)


def _tell_what_rules_closed(error: BaseException, caller: Caller, facts: Facts) -> None:
    """Where no route answered, say which others no rule lets be asked: else a caller wonders why none was."""
    if not isinstance(error, (UpstreamError, UnavailableError)):
        return
    closed = caller.rulebook.closed_to(facts)
    if closed and error.status >= 500 and error.code != "ledger_unavailable":
        error.message = f"{error.message}; no other route may be asked: {closed}"
