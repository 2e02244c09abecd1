"""Ledger files for tests: rows with plain defaults, written by plain inserts."""

import shutil
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from ledger.rows import AnswerRow, EntryRow, OutcomeRow, RequestRow, Row, State
from ledger.usage import UNIT_CLASSES, Units
from ledger.writer import INSERTS

NOON_US = 1_793_534_400_000_000
"""2026-11-01 12:00 UTC."""
DAY_US = 86_400_000_000
NO_UNITS = Units()


class Ran(NamedTuple):
    """Where an attempt ran, as its entries keep it."""

    runs: str | None
    place: str | None = None
    jurisdiction: str | None = None
    weights_origin: str | None = None
    weights_licence: str | None = None


NOT_RECORDED = Ran(None)


@dataclass(frozen=True)
class AttemptMaker:
    """Makes the entries of one attempt."""

    dispatched: EntryRow

    def ended(self, state: State, cost: int, used: Units) -> EntryRow:
        """The entry that ends the attempt, a second after its dispatch."""
        row = self.dispatched
        return row._replace(
            entry_id=f"{row.entry_id}-{state.value}",
            state=state.value,
            at_us=row.at_us + 1_000_000,
            cost_nano_usd=cost,
            price_id="pri_own",
            finish_reason="stop",
            latency_us=1_000_000,
            **asdict(used),
        )


@dataclass
class RequestMaker:
    """Makes the rows of one request; `rows` has them all in the order in which they were made."""

    number: int
    team: str = "finance"
    at_us: int = NOON_US
    simulated: bool = False
    task_kind: str = "extraction"
    baseline: bool = True
    plan: str = "cheap"
    label: str | None = None
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with the request's own row."""
        self.rows.append(
            RequestRow(
                request_id=self.request_id,
                at_us=self.at_us,
                team=self.team,
                key_id="key_1",
                endpoint="chat.completions",
                model_requested="auto",
                plan=self.plan,
                routes="local/small,hosted/mid",
                task_kind=self.task_kind,
                task_class="invoices",
                template_hash="ab" * 32,
                label=self.label,
                purpose=None,
                conversation=None,
                stream=False,
                message_count=2,
                document_bytes=3_456,
                prompt_tokens_bound=4_000,
                output_tokens_limit=1_024,
                choices=1,
                hold_nano_usd=9_000_000,
                baseline_route="premium/big" if self.baseline else None,
                baseline_price_id="pri_premium" if self.baseline else None,
                propensity=1.0,
                features_version=1,
                policy_hash="cd" * 32,
                rule_ids="finance/extraction,finance/limits",
                simulated=self.simulated,
            )
        )

    @property
    def request_id(self) -> str:
        """The request's id."""
        return f"req_{self.number:026d}"

    def attempt_id(self, number: int) -> str:
        """The id of the request's attempt of this number, from 1."""
        return f"att_{self.number:024d}{number:02d}"

    def attempt(
        self,
        route: str = "local/small",
        origin: str = "local",
        state: State | None = State.SETTLED,
        cost: int = 0,
        used: Units = NO_UNITS,
        *,
        role: str = "answer",
        simulated: bool | None = None,
        ran: Ran = NOT_RECORDED,
    ) -> str:
        """Dispatch an attempt and, with a `state`, end it; return its id."""
        number = 1 + sum(isinstance(row, EntryRow) and row.state == State.DISPATCHED for row in self.rows)
        dispatched = self._dispatched(number, route, origin, role, simulated)
        maker = AttemptMaker(dispatched._replace(**ran._asdict()))
        self.rows.append(maker.dispatched)
        if state is not None:
            self.rows.append(maker.ended(state, cost, used))
        return maker.dispatched.attempt_id

    def adjust(self, attempt_id: str, cost: int, used: Units = NO_UNITS) -> None:
        """Correct an attempt by `cost`, which may be negative."""
        dispatched = next(
            row for row in self.rows if isinstance(row, EntryRow) and row.attempt_id == attempt_id
        )
        self.rows.append(AttemptMaker(dispatched).ended(State.ADJUST, cost, used))

    def answer(
        self,
        attempt_id: str | None,
        status: str = "answered",
        *,
        passed: bool | None = None,
        checked: int = 0,
        flagged: int = 0,
    ) -> None:
        """End the request."""
        self.rows.append(
            AnswerRow(
                request_id=self.request_id,
                at_us=self.at_us + 1_200_000,
                attempt_id=attempt_id,
                status=status,
                http_status=200 if status == "answered" else 502,
                error=None if status == "answered" else "upstream_timeout",
                fields_checked=checked,
                fields_flagged=flagged,
                passed=passed,
                score_min=None,
                score_mean=None,
                latency_us=1_200_000,
            )
        )

    def outcome(
        self,
        source: str,
        outcome: str,
        field_name: str = "",
        *,
        attempt_id: str | None = None,
        simulated: bool = False,
        reason: str = "",
        score: float | None = None,
    ) -> None:
        """Let somebody say something about the answer or a field."""
        self.rows.append(
            OutcomeRow(
                outcome_id=f"out_{self.number}_{len(self.rows)}",
                request_id=self.request_id,
                attempt_id=attempt_id,
                at_us=self.at_us + 1_300_000,
                source=source,
                check_name="support" if source == "check" else source,
                field=field_name,
                outcome=outcome,
                code="",
                reason=reason,
                span_start=None,
                span_end=None,
                score=score,
                flagged=source == "check" and outcome == "failed",
                propensity=1.0,
                simulated=simulated,
            )
        )

    def _dispatched(
        self, number: int, route: str, origin: str, role: str, simulated: bool | None
    ) -> EntryRow:
        return EntryRow(
            entry_id=f"ent_{self.number}_{number}",
            attempt_id=self.attempt_id(number),
            request_id=self.request_id,
            state=State.DISPATCHED.value,
            at_us=self.at_us + number * 1_000,
            window_at_us=self.at_us,
            attempt_no=number,
            role=role,
            team=self.team,
            key_id="key_1",
            plan=self.plan,
            route=route,
            provider=origin,
            origin=origin,
            model=route.rpartition("/")[2],
            model_served=None,
            fingerprint=None,
            upstream_id=None,
            bound_nano_usd=9_000_000,
            cost_nano_usd=None,
            price_id=None,
            input_uncached=0,
            cache_read=0,
            cache_write_5m=0,
            cache_write_1h=0,
            input_image=0,
            input_audio=0,
            output_text=0,
            output_reasoning=0,
            output_audio=0,
            cpu_us=0,
            gpu_us=0,
            finish_reason=None,
            error=None,
            overage=False,
            ttft_us=None,
            latency_us=None,
            policy_hash="cd" * 32,
            rule_ids="finance/extraction,finance/limits",
            simulated=self.simulated if simulated is None else simulated,
        )


def write_ledger(
    template: Path, path: Path, requests: Iterable[RequestMaker], rates: dict[str, int] | None = None
) -> Path:
    """Copy the empty ledger `template` to `path`, with the rows of `requests` and the baseline's price."""
    shutil.copy(template, path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN")
    _insert_price(connection, rates or {})
    for request in requests:
        for row in request.rows:
            connection.execute(INSERTS[type(row)], row)
    connection.execute("COMMIT")
    connection.close()
    return path


def _insert_price(connection: sqlite3.Connection, rates: dict[str, int]) -> None:
    values: dict[str, str | int] = {
        "price_id": "pri_premium",
        "sku": "big",
        "tier": "standard",
        "min_input_tokens": 0,
        "effective_from_us": 0,
        "recorded_at_us": 0,
        "source": "test",
        "source_sha256": "",
        **dict.fromkeys(UNIT_CLASSES, 0),
        **rates,
    }
    marks = ", ".join("?" for _ in values)
    connection.execute(
        f"INSERT INTO price ({', '.join(values)}) VALUES ({marks})",  # noqa: S608  (our own names)
        tuple(values.values()),
    )
