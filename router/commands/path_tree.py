"""The path of one request as a tree: asked, decided, attempted, answered, judged."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from ledger.clock import to_datetime
from ledger.history import AttemptHistory, RequestHistory
from ledger.history_json import usage_json
from ledger.rows import AnswerRow, EntryRow, OutcomeRow, OutcomeSource, RequestRow, State
from router.commands.tables import count, duration, usd, words

_STATE_STYLES = {
    State.SETTLED: "green",
    State.SETTLED_ESTIMATED: "yellow",
    State.POSTED_WORST: "red",
    State.ADJUST: "cyan",
}
_STATUS_STYLES = {
    "answered": "bold green",
    "failed": "bold red",
    "client_left": "bold yellow",
    "open": "bold",
}
_OUTCOME_STYLES = {"passed": "green", "right": "green", "failed": "red", "wrong": "red"}
_CHECKS = (OutcomeSource.CHECK, OutcomeSource.RECHECK)
_COMPUTE = {"cpu_us": "of CPU", "gpu_us": "of GPU"}


def path_tree(history: RequestHistory) -> Tree:
    """Draw the whole path, in the order in which it happened."""
    tree = Tree(_title(history), guide_style="dim")
    _add_request(tree, history.request)
    for attempt in history.attempts:
        _add_attempt(tree, attempt, history)
    if history.answer is not None:
        tree.add(_answer(history.answer))
    _add_checks(tree, history)
    judged = [outcome for outcome in history.outcomes if outcome.source not in _CHECKS]
    if judged:
        tree.add(words(("judged", "bold"))).add(_outcomes(judged, "judge"))
    return tree


def _add_checks(tree: Tree, history: RequestHistory) -> None:
    """The checks of each answer that was checked, what went out last."""
    numbers = {attempt.dispatched.attempt_id: attempt.dispatched.attempt_no for attempt in history.attempts}
    checked: dict[tuple[str, str | None], list[OutcomeRow]] = {}
    for outcome in history.outcomes:
        if outcome.source in _CHECKS:
            checked.setdefault((outcome.source, outcome.attempt_id), []).append(outcome)
    for place, ((source, attempt_id), rows) in enumerate(checked.items(), 1):
        number = numbers.get(attempt_id or "", "?")
        of = f" of attempt {number}" if len(checked) > 1 else ""
        corrected = ", as corrected" if source == OutcomeSource.RECHECK else ""
        out = ": what went out" if len(checked) > 1 and place == len(checked) else ""
        tree.add(words(("checks", "bold"), of + corrected + out)).add(_outcomes(rows, "check"))


def _title(history: RequestHistory) -> Text:
    status = history.status
    title = words(
        (history.request.request_id, "bold"),
        "  ",
        (status.replace("_", " "), _STATUS_STYLES.get(status, "bold")),
        f"  {usd(history.cost_nano_usd)}",
    )
    if history.answer is not None:
        title.append(f" in {duration(history.answer.latency_us)}")
    if history.simulated:
        title.append("  SIMULATED", "bold yellow")
    return title


def _add_request(tree: Tree, row: RequestRow) -> None:
    moment = to_datetime(row.at_us).strftime("%Y-%m-%d %H:%M:%S")
    asked = tree.add(
        words(
            ("asked", "bold"),
            f"  {moment} UTC by team {row.team} (key {row.key_id}) for '{row.model_requested}'",
        )
    )
    stream = ", streamed" if row.stream else ""
    task_class = f" of class {row.task_class}" if row.task_class else ""
    asked.add(
        words(
            f"{row.endpoint}{stream}: {row.task_kind}{task_class}, {count(row.message_count, 'message')}, "
            f"{count(row.document_bytes, 'byte')} of document, at most {count(row.prompt_tokens_bound)} tokens in "
            f"and {count(row.output_tokens_limit)} out"
        )
    )
    declared = ", ".join(
        f"{name} {value}"
        for name, value in (
            ("label", row.label),
            ("purpose", row.purpose),
            ("conversation", row.conversation),
        )
        if value is not None
    )
    if declared:
        asked.add(words(declared))
    decided = tree.add(
        words(
            ("decided", "bold"),
            f"  plan {row.plan}: {row.routes.replace(',', ', then ')}; {usd(row.hold_nano_usd)} held",
        )
    )
    rules = row.rule_ids.replace(",", ", ") or "none"
    baseline = f"; baseline {row.baseline_route}" if row.baseline_route is not None else ""
    decided.add(words(f"rules {rules}; policy {row.policy_hash[:12]}{baseline}"))


def _is_corrected(history: RequestHistory) -> bool:
    return any(outcome.source == OutcomeSource.RECHECK for outcome in history.outcomes)


def _add_attempt(tree: Tree, attempt: AttemptHistory, history: RequestHistory) -> None:
    first, end, answer = attempt.dispatched, attempt.settled, history.answer
    gave = ""
    if answer is not None and answer.attempt_id == first.attempt_id:
        gave = "  gave the answer" + (", which was corrected" if _is_corrected(history) else "")
    cost = attempt.cost_nano_usd
    branch = tree.add(
        words(
            (f"attempt {first.attempt_no}", "bold"),
            f"  {first.role}: {first.route} ({first.origin}, {first.model})  ",
            (attempt.state, _STATE_STYLES.get(State(attempt.state), "")),
            f"  {usd(cost) if cost is not None else 'cost not known yet'}",
            (gave, "green"),
            ("  SIMULATED" if first.simulated else "", "yellow"),
        )
    )
    if first.runs is not None:
        branch.add(words(_where(first)))
    branch.add(_entries(attempt.entries))
    if end is None:
        return
    used = _usage(attempt.entries)
    if used:
        branch.add(words(used))
    served = f"served by {end.model_served}" if end.model_served not in (None, first.model) else ""
    finish = f"finished with '{end.finish_reason}'" if end.finish_reason is not None else ""
    times = f"first byte after {duration(end.ttft_us)}" if end.ttft_us is not None else ""
    latency = f"took {duration(end.latency_us)}" if end.latency_us is not None else ""
    price = f"price {end.price_id}" if end.price_id is not None else ""
    said = ", ".join(filter(None, (finish, served, times, latency, price)))
    if said:
        branch.add(words(said))


def _where(row: EntryRow) -> str:
    """What the route was when the attempt was dispatched."""
    told = (
        "ran on this machine" if row.runs == "local" else f"ran {str(row.runs).replace('_', ' ')}",
        f"at {row.place}" if row.place is not None else "",
        f"under {row.jurisdiction}" if row.jurisdiction is not None else "",
    )
    weights = " ".join(filter(None, (row.weights_origin, row.weights_licence)))
    return " ".join(filter(None, told)) + (f"; weights {weights}" if weights else "")


def _entries(entries: Sequence[EntryRow]) -> Table:
    table = _plain_table("at", "state", "money", "notes")
    for entry in entries:
        if entry.state == State.DISPATCHED:
            money = f"at most {usd(entry.bound_nano_usd)}"
        else:
            money = usd(entry.cost_nano_usd) if entry.cost_nano_usd is not None else ""
        notes = [entry.error or "", "more than its bound" if entry.overage else ""]
        table.add_row(
            Text(_clock(entry.at_us), "dim"),
            words((entry.state, _STATE_STYLES.get(State(entry.state), ""))),
            Text(money, justify="right"),
            words((", ".join(filter(None, notes)), "red")),
        )
    return table


def _usage(entries: Sequence[EntryRow]) -> str:
    parts = []
    for name, units in usage_json(entries).items():
        if not isinstance(units, int):
            continue
        if name in _COMPUTE:
            parts.append(f"{duration(units)} {_COMPUTE[name]}")
        else:
            parts.append(f"{count(units)} {name.replace('_', ' ')}")
    return ", ".join(parts)


def _answer(row: AnswerRow) -> Text:
    checked = "not checked"
    if row.passed is not None:
        verdict = "passed its checks" if row.passed else "did not pass its checks"
        checked = f"{verdict}: {count(row.fields_flagged)} of {count(row.fields_checked, 'field')} flagged"
    score = f", least score {row.score_min:.2f}" if row.score_min is not None else ""
    error = f" ({row.error})" if row.error is not None else ""
    audit = f"audit {row.audit.replace('_', ' ')}, " if row.audit is not None else ""
    return words(
        (row.status.replace("_", " "), _STATUS_STYLES.get(row.status, "bold")),
        f"  {_clock(row.at_us)} HTTP {row.http_status}{error}, {audit}{checked}{score}",
    )


def _outcomes(rows: Sequence[OutcomeRow], first: str) -> Table:
    table = _plain_table("field", first, "says", "why", "score", show_header=True)
    for row in rows:
        name = row.check_name if row.source in _CHECKS else row.source
        table.add_row(
            words(row.field or "(whole answer)"),
            words(name),
            words(
                (row.outcome, _OUTCOME_STYLES.get(row.outcome, "dim")),
                (" flagged" if row.flagged else "", "yellow"),
            ),
            words(row.reason or row.code),
            "" if row.score is None else f"{row.score:.2f}",
        )
    return table


def _plain_table(*names: str, show_header: bool = False) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD if show_header else None, show_header=show_header, padding=(0, 1), show_edge=False
    )
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _clock(at_us: int) -> str:
    return to_datetime(at_us).strftime("%H:%M:%S.%f")[:-3]
