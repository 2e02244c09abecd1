"""An explanation as a person reads it: what was asked, the rules, the routes, and what is decided."""

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from policies.audits import AuditRules
from policies.decision import Allow, Settle
from policies.explanation import Explanation, RouteTold, Standing, Use
from policies.facts import TaskKind
from policies.route_facts import RouteFacts
from router.commands.explained import Explained
from router.commands.tables import count, print_whole, usd, words
from router.sampling import audit_percent

_SAID = {
    Use.ANSWER: "answers",
    Use.AT_LIMIT: "answers at the limit",
    Use.AUDIT: "audits",
    Use.ESCALATE: "answers anew",
    Use.GRADE: "grades",
}


def print_explanation(console: Console, found: Explained, file: str, notes: tuple[str, ...]) -> None:
    """Print all of it, the decision last."""
    told = found.explanation
    print_whole(console, _asked(found, file))
    console.print()
    console.print(words(("rules", "bold"), f"  {_counted(told)}"))
    if told.rules:
        print_whole(console, _rules(told))
    console.print()
    console.print(words(("routes", "bold")))
    print_whole(console, _routes(told))
    console.print()
    _print_decision(console, found)
    for note in (*notes, *found.notes):
        console.print(words(("note  ", "yellow"), note))


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _asked(found: Explained, file: str) -> Table:
    told = found.explanation
    facts = told.facts
    named = (
        ("key", facts.key_id or None),
        ("project", facts.project),
        ("environment", facts.environment),
        ("purpose", facts.purpose),
    )
    who = "".join(f", {name} {value}" for name, value in named if value is not None)
    has = [name for name, there in (("tools", facts.tools), ("images", facts.images)) if there]
    grid = _grid()
    grid.add_row("asked", words(f"'{facts.model}' by team {facts.team}{who} ({file})"))
    grid.add_row(
        "task",
        words(
            f"{facts.kind} of class {facts.task_class}, at most {count(facts.context_tokens, 'token')} of text, "
            f"{' and '.join(has) or 'no tools, no images'}"
        ),
    )
    grid.add_row("label", words((told.label or "none", "bold"), f"  {told.label_from}"))
    return grid


def _counted(told: Explanation) -> str:
    if not told.rules:
        return "there are none"
    applying = len(told.applying)
    return f"{applying} of {len(told.rules)} {'applies' if applying == 1 else 'apply'}"


def _rules(told: Explanation) -> Table:
    table = _table("", "rule", "at", "says", "why not")
    for each in told.rules:
        applies = each.unmet is None
        mark = ("+", "green") if applies else ("-", "dim")
        style = "" if applies else "dim"
        cells = (each.rule.id, each.rule.place, str(each.rule.demand), each.unmet or "")
        table.add_row(words(mark), *(words((cell, style)) for cell in cells))
    return table


def _routes(told: Explanation) -> Table:
    table = _table("", "route", "runs", "where", "weights", "what becomes of it")
    for each in told.routes:
        facts = each.facts
        mark = {
            Standing.KEPT: ("+", "green"),
            Standing.FALLS: ("x", "red"),
            Standing.NOT_ALLOWED: ("-", "dim"),
        }
        style = "" if each.uses or each.standing is Standing.FALLS else "dim"
        where = " ".join(filter(None, (facts.jurisdiction, facts.place))) or "not stated"
        weights = " ".join(filter(None, (facts.weights_origin, facts.weights_licence))) or "not stated"
        runs = f"{facts.runs.replace('_', ' ')}{_promises(facts)}"
        cells = (facts.name, runs, where, weights, _becomes(each, told))
        table.add_row(words(mark[each.standing]), *(words((cell, style)) for cell in cells))
    return table


def _promises(facts: RouteFacts) -> str:
    promised = (("keeps nothing", facts.zero_retention), ("learns nothing", facts.no_training))
    said = [name for name, there in promised if there]
    return f", {', '.join(said)}" if said else ""


def _becomes(route: RouteTold, told: Explanation) -> str:
    match route.standing:
        case Standing.FALLS:
            (rule, why), *more = route.falls
            others = f"; and by {count(len(more), 'rule')} more" if more else ""
            return f"falls by {rule.id} ({rule.place}): {why}{others}"
        case Standing.NOT_ALLOWED:
            return f"its model '{route.facts.model}' is none of the team's"
        case Standing.KEPT if route.uses:
            return ", ".join(_use(use, route.facts.name, told) for use in route.uses)
        case _:
            return "left, and not asked for this"


def _use(use: Use, name: str, told: Explanation) -> str:
    routes = told.asked_for(use)
    place = routes.index(name) + 1
    return _SAID[use] if len(routes) == 1 else f"{_SAID[use]} ({place} of {len(routes)})"


def _print_decision(console: Console, found: Explained) -> None:
    refusal, allow = found.refusal, found.allow
    if refusal is not None:
        console.print(words(("DENIED", "bold red"), f"  {refusal.status} {refusal.code}; the client gets:"))
        console.print(words(f"  {refusal}"), soft_wrap=True)
        return
    if allow is not None:
        rules = zip(allow.rule_ids, allow.places, strict=True)
        console.print(words(("ALLOWED", "bold green"), f"  plan {allow.plan}"))
        grid = _grid()
        for name, said in _allowed(found, allow):
            grid.add_row(f"  {name}", words(said))
        grid.add_row("  by", words(", ".join(f"{rule} ({place})" for rule, place in rules)))
        print_whole(console, grid)


def _allowed(found: Explained, allow: Allow) -> Iterator[tuple[str, str]]:
    told, plan = found.explanation, found.plan
    if plan is not None:
        bounds = (
            f"{each.route.name} (at most {usd(each.bound_nano_usd)}, {count(each.max_tokens)} tokens out)"
            for each in plan.attempts
        )
        yield "answers", ", then ".join(bounds)
        if plan.left_out:
            yield "left out", "; ".join(plan.left_out)
    if allow.audits is not None:
        yield "audits", _audits(told, allow.audits)
    if allow.escalation_routes:
        yield "escalates", f"to {', '.join(told.asked_for(Use.ESCALATE))}"
    if allow.grading is not None:
        graders = ", ".join(told.asked_for(Use.GRADE)) or "a person"
        yield "grades", f"{graders}, {allow.grading.percent:g} % of answers"
    yield "money", _money(found, allow)
    obligations = [
        "settled on disk before the last byte"
        if allow.settle is Settle.STRICT
        else "settled after the last byte",
        f"tried again {count(allow.retries, 'time')}" if allow.retries else "",
        f"baseline {allow.baseline_route}" if allow.baseline_route is not None else "",
    ]
    yield "besides", "; ".join(filter(None, obligations))


def _audits(told: Explanation, rules: AuditRules) -> str:
    percent = audit_percent(rules, told.facts.kind)
    who = ", ".join(told.asked_for(Use.AUDIT)) or "nobody is left"
    of_doubtful = rules.mode == "by_risk" and told.facts.kind is TaskKind.EXTRACTION
    which = "where a field is doubtful" if of_doubtful else f"{percent:g} % of answers"
    return (
        f"{who}, {which}; wrong: {rules.when_wrong}, unsettled: {rules.when_unsettled}, "
        f"unaudited: {rules.when_unaudited}; {rules.delivery}"
    )


def _money(found: Explained, allow: Allow) -> str:
    limits = found.caller.policy.limits
    held = f"{usd(found.plan.hold_nano_usd)} would be held" if found.plan is not None else ""
    said = (
        ("a request", allow.per_request_nano_usd),
        ("a day", limits.day_nano_usd),
        ("a month", limits.month_nano_usd),
    )
    bound = ", ".join(f"{usd(limit)} {name}" for name, limit in said if limit is not None)
    return f"{held}; at most {bound or 'anything: no limit is set'}; at the limit: {allow.at_limit}"


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
    for name in names:
        table.add_column(Text(name), no_wrap=True)
    return table
