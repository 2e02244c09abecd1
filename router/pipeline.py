"""THE request: classify, decide, plan, hold, run, check, answer, settle.

Whatever happens after the hold, the attempts are settled and the answer's row is written.
"""

import asyncio
from dataclasses import dataclass

from ledger.clock import Clock
from ledger.errors import PriceError
from ledger.ids import RequestId
from ledger.prices import PriceBook
from ledger.rows import AnswerRow, RequestRow
from policies.decision import Allow, Deny
from policies.engine import decide
from router.accounts import Accounts, Hold, unanswered
from router.admission import Admission
from router.caller import Caller
from router.cascade import Cascade, Question, Ran
from router.catalog import Catalog
from router.checking import Checked, Checker, details_of, outcome_rows
from router.classification import FEATURES_VERSION, Task, classify, facts_of
from router.errors import ClientLeftError, GatewayError, PolicyDeniedError
from router.json_types import JsonObject
from router.planning import Plan
from router.reply import AnswerHead, Reply
from router.request import ChatRequest

BYTES_PER_TOKEN = 4
"""Of English text: what a byte bound is divided by where the likely tokens are meant."""


@dataclass(frozen=True, slots=True)
class _Baseline:
    """The premium route that a report's estimate names, and its price row."""

    route: str | None
    price_id: str | None


_NO_BASELINE = _Baseline(None, None)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything that a request passes through, built once."""

    catalog: Catalog
    prices: PriceBook
    admission: Admission
    accounts: Accounts
    cascade: Cascade
    checker: Checker
    clock: Clock
    pepper: bytes

    async def answer(self, request: ChatRequest, request_id: RequestId, caller: Caller, reply: Reply) -> None:
        """Answer `request` for `caller` through `reply`. Raises GatewayError; what it cost is
        settled even so."""
        at_us = self.clock()
        if not self.catalog.known(request.model):
            raise self.catalog.unknown(request.model)
        schema = self.checker.schema_of(request)
        task = classify(request, caller.team, self.pepper)
        decision = decide(caller.policy, facts_of(request, task, caller.team))
        if isinstance(decision, Deny):
            raise PolicyDeniedError(f"{decision.reason} (rules: {', '.join(decision.rule_ids)})")
        baseline = self._baseline(request, decision, at_us)
        plan, reservation = await self.admission.admit(request, decision, caller, at_us)
        row = self._request_row(request, request_id, caller, task, plan, baseline, at_us)
        hold = await self.accounts.open(row, plan.attempts[0], reservation, caller)
        head = AnswerHead(request_id, task.conversation, plan.name, "", decision.policy_hash, None)
        ran: Ran | None = None
        checked: Checked | None = None
        try:
            plain = schema.plain if schema is not None else None
            ran = await self.cascade.answer(plan, Question(request, plain), hold, head, reply)
            if schema is not None:
                checked = await self.checker.check(request, schema, ran.completion)
            details = self._details(request, hold, ran, checked)
            await self._close(hold, ran, checked, reply, at_us)
            if request.stream:
                await reply.end(ran.head, ran.completion, details)
            else:
                await reply.whole(ran.head, ran.completion, hold.cost_nano_usd, details)
        except BaseException as error:
            if not hold.closed:
                self._close_failed(hold, row, ran, error, reply)
            raise

    async def _close(self, hold: Hold, ran: Ran, checked: Checked | None, reply: Reply, at_us: int) -> None:
        now_us = self.clock()
        scores = checked.scores if checked is not None else []
        attempt = ran.attempt
        outcomes = (
            outcome_rows(
                checked,
                hold.request_id,
                attempt.attempt_id,
                now_us,
                hold.outcome_id,
                simulated=attempt.planned.route.simulated,
            )
            if checked is not None
            else ()
        )
        row = AnswerRow(
            request_id=hold.request_id,
            at_us=now_us,
            attempt_id=attempt.attempt_id,
            status="client_left" if reply.client_left else "answered",
            http_status=200,
            error=None,
            fields_checked=checked.fields_checked if checked is not None else 0,
            fields_flagged=checked.fields_flagged if checked is not None else 0,
            passed=checked.verdict.passed if checked is not None else None,
            score_min=min(scores) if scores else None,
            score_mean=sum(scores) / len(scores) if scores else None,
            latency_us=now_us - at_us,
        )
        await hold.close_answered(row, outcomes)

    def _close_failed(
        self, hold: Hold, request_row: RequestRow, ran: Ran | None, error: BaseException, reply: Reply
    ) -> None:
        left = isinstance(error, ClientLeftError) or reply.client_left
        status, code = 500, "internal_error"
        if isinstance(error, GatewayError):
            status, code = error.status, error.code
        elif isinstance(error, asyncio.CancelledError):
            code = "cancelled"
        attempt_id = ran.attempt.attempt_id if ran is not None else None
        http_status = 200 if reply.started else status
        hold.close(unanswered(request_row, self.clock(), attempt_id, http_status, code, client_left=left), ())

    def _details(
        self, request: ChatRequest, hold: Hold, ran: Ran, checked: Checked | None
    ) -> JsonObject | None:
        """The `steelyard` object of the answer, where it was asked for."""
        if not request.declared.return_details:
            return None
        details: JsonObject = {
            "request_id": hold.request_id,
            "plan": ran.head.plan,
            "route": ran.head.route,
            "cost_nano_usd": hold.cost_nano_usd,
            "attempts": ran.attempt.number,
            "simulated": ran.attempt.planned.route.simulated,
            "usage_estimated": ran.completion.usage is None,
        }
        if checked is not None:
            details["checks"] = details_of(checked)
        return details

    def _baseline(self, request: ChatRequest, allow: Allow, at_us: int) -> _Baseline:
        """What the policy names for the estimate; a tier of price is chosen by the likely tokens."""
        routes = self.catalog.serving(allow.baseline_route) if allow.baseline_route is not None else ()
        if not routes:
            return _NO_BASELINE
        tokens = request.bound.text_tokens // BYTES_PER_TOKEN
        try:
            price = self.prices.select(routes[0].price_sku, at_us, tokens)
        except PriceError:  # it has ended or not begun: no estimate, rather than one at another's price
            return _NO_BASELINE
        return _Baseline(routes[0].name, price.price_id)

    def _request_row(
        self,
        request: ChatRequest,
        request_id: RequestId,
        caller: Caller,
        task: Task,
        plan: Plan,
        baseline: _Baseline,
        at_us: int,
    ) -> RequestRow:
        return RequestRow(
            request_id=request_id,
            at_us=at_us,
            team=caller.team,
            key_id=caller.key_id,
            endpoint=request.endpoint,
            model_requested=request.model,
            plan=plan.name,
            routes=",".join(attempt.route.name for attempt in plan.attempts),
            task_kind=task.kind.value,
            task_class=task.task_class,
            template_hash=task.template_hash,
            label=request.declared.label,
            purpose=request.declared.purpose,
            conversation=task.conversation,
            stream=request.stream,
            message_count=len(request.messages),
            document_bytes=task.document_bytes,
            prompt_tokens_bound=plan.prompt_tokens_bound,
            output_tokens_limit=plan.attempts[0].max_tokens,
            choices=request.choices,
            hold_nano_usd=plan.hold_nano_usd,
            baseline_route=baseline.route,
            baseline_price_id=baseline.price_id,
            propensity=1.0,
            features_version=FEATURES_VERSION,
            policy_hash=plan.allow.policy_hash,
            rule_ids=",".join(plan.allow.rule_ids),
            simulated=plan.simulated,
        )
