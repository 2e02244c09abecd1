"""How long a decision takes: 6 teams of 40 rules each, random requests, against going through the rules one by one.

Half of a team's rules are the organisation's. Each of the 200,000 requests is drawn anew; its facts are words that
rules name and as many that none does. So a decision that is kept is met less often than where applications ask alike. The peer asks each rule's conditions and each
route, as the rules are defined; both must leave the same routes.

    python bench/policies.py --json policies.json
"""

import argparse
import gc
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.machine import machine
from policies.decision import Allow
from policies.document import parse_bytes
from policies.facts import Facts, Label, TaskKind
from policies.organisation import read_organisation
from policies.route_facts import RouteFacts, Runs
from policies.rule_reading import Known
from policies.rulebook import Rulebook
from policies.team_reading import read_policy
from router.server import GC_ALLOCATIONS

TEAMS, RULES = 6, 40
WORDS = 8
"""Of each kind of name; rules name the first half."""
ROUTES = (
    RouteFacts("small", "small", "local", Runs.LOCAL, "cellar", "DE", "Apache-2.0", "US", zero_retention=True, no_training=True),
    RouteFacts("flash-here", "flash", "ours", Runs.ON_PREMISES, "frankfurt-2", "DE", "MIT", "CN", zero_retention=True, no_training=True),
    RouteFacts("flash", "flash", "deepseek", Runs.HOSTED, "hangzhou", "CN", "MIT", "CN"),
    RouteFacts("opus-eu", "opus", "bedrock", Runs.HOSTED, "eu-central-1", "DE", "proprietary", "US", no_training=True),
    RouteFacts("opus", "opus", "anthropic", Runs.HOSTED, None, "US", "proprietary", "US", zero_retention=True, no_training=True),
)  # fmt: skip
PLANS = """\
models: [small, flash, opus]
plans:
  cheap: [small, flash]
  premium: [opus]
  cheap+audit: {audit: by_risk}
auto: {extraction: cheap+audit, generation: cheap}
grading: {percent: 2, graders: [opus]}
"""
DEMANDS = (
    "require: {jurisdiction: [EU, CH]}",
    "require: {on_premises_only: true}",
    "require: {no_training: true}",
    "require: {weights_licence: [MIT, Apache-2.0]}",
    "require: {weights_origin: [US]}",
    "limit: {request_usd: '0.05'}",
)


def main() -> None:
    """Make rulebooks, decide, print a table; with --json also write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--decisions", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    chance = random.Random(chosen.seed)  # noqa: S311  (a seed, so that a run can be repeated)
    started = time.perf_counter_ns()
    books = rulebooks(chance)
    compiled_us = (time.perf_counter_ns() - started) / 1_000
    asked = [request(chance, team) for team in chance.choices(sorted(books), k=chosen.decisions)]
    compare(books, asked[:2_000])
    gc.collect()  # as the gateway does, once it has started
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS)
    compiled = timed(asked, lambda facts: books[facts.team].decide(facts))
    plain = timed(asked[:20_000], lambda facts: one_by_one(books[facts.team], facts))
    figures = {"compiled": compiled, "one_by_one": plain, "load_ms": round(compiled_us / 1_000, 1)}
    print(
        f"{TEAMS} teams, {RULES} rules each; {chosen.decisions} decisions, seed {chosen.seed}; read and compiled in {compiled_us / 1_000:.1f} ms"
    )
    print(f"{'':16}{'p50':>10}{'p99':>10}{'most':>10}")
    for name, times in (("compiled", compiled), ("one by one", plain)):
        print(f"{name:16}" + "".join(f"{times[key]:>7.2f} us" for key in ("p50_us", "p99_us", "max_us")))
    print(
        f"compiled takes {compiled['p50_us'] / plain['p50_us'] * 100:.1f} % of the time of going through them"
    )
    if chosen.json is not None:
        whole = {**figures, "decisions": chosen.decisions, "seed": chosen.seed, "machine": machine()}
        chosen.json.write_text(json.dumps(whole, indent=2) + "\n")


def rulebooks(chance: random.Random) -> dict[str, Rulebook]:
    """Each team's, read from text as from files."""
    names = [f"team{number}" for number in range(TEAMS)]
    text = f"organisation: acme\ndefault_label: internal\nrules:\n{rules(chance)}"
    organisation = read_organisation(parse_bytes(text.encode(), "organisation.yaml"), Known(ROUTES, names))
    books: dict[str, Rulebook] = {}
    for name in names:
        content = f"team: {name}\n{PLANS}rules:\n{rules(chance)}".encode()
        policy = read_policy(parse_bytes(content, f"{name}.yaml"), "hash", ROUTES, organisation)
        if len(policy.rules) != RULES:
            sys.exit("a team has another number of rules than is said")
        books[name] = Rulebook(policy, ROUTES)
    return books


def rules(chance: random.Random) -> str:
    """Half of a team's rules, as YAML."""
    conditions: tuple[Callable[[], str], ...] = (
        lambda: f"project: [{_word(chance, 'project')}]",
        lambda: f"purpose: [{_word(chance, 'purpose')}]",
        lambda: f"task_class: [{_word(chance, 'class')}]",
        lambda: f"environment: [{_word(chance, 'environment')}]",
        lambda: f"key: [{_word(chance, 'key')}]",
        lambda: f"label: {chance.choice(list(Label)[1:])}",
        lambda: f"context_tokens_above: {chance.choice((4_000, 20_000, 100_000))}",
        lambda: f"kind: [{chance.choice(list(TaskKind))}]",
        lambda: chance.choice(("tools: true", "images: true")),
    )
    written = []
    for number in range(RULES // 2):
        when = ", ".join(draw() for draw in chance.sample(conditions, 2))
        demand = "deny: true" if number % 10 == 9 else chance.choice(DEMANDS)
        written.append(f"  - id: r{number}\n    reason: it is so\n    when: {{{when}}}\n    {demand}\n")
    return "".join(written)


def request(chance: random.Random, team: str) -> Facts:
    """One request; half of its words are named by no rule. A key has its project and environment, and one request
    in five says that it is of another class than its schema."""
    key = chance.randrange(WORDS)
    found = f"class{chance.randrange(WORDS)}"
    return Facts(
        team=team,
        model=chance.choice(("auto", "auto", "cheap", "premium", "cheap+audit", "flash", "opus")),
        kind=chance.choice(list(TaskKind)),
        task_class=f"class{chance.randrange(WORDS)}" if chance.random() < 0.2 else found,
        label=chance.choice((None, *Label)),
        purpose=chance.choice((None, f"purpose{chance.randrange(WORDS)}")),
        found_class=found,
        project=f"project{key}",
        key_id=f"key{key}",
        environment=f"environment{key % 4}",
        context_tokens=int(10 ** chance.uniform(2, 6)),
        tools=chance.random() < 0.2,
        images=chance.random() < 0.1,
    )


def one_by_one(book: Rulebook, facts: Facts) -> set[str]:
    """The routes that are left, by the rules' own definition."""
    label = book.label(facts.label)
    applying = [rule for rule in book.policy.rules if rule.conditions.hold(facts, label)]
    return {route.name for route in book.routes if all(rule.against(route) is None for rule in applying)}


def compare(books: dict[str, Rulebook], asked: Sequence[Facts]) -> None:
    """Exit with a sentence if the two disagree."""
    models = {route.name: route.model for route in ROUTES}
    for facts in asked:
        decision, left = books[facts.team].decide(facts), one_by_one(books[facts.team], facts)
        if isinstance(decision, Allow):
            answering = {name for name in left if models[name] in decision.routes}
            if not answering <= decision.permitted <= left:
                sys.exit(f"{decision.permitted} and {left} are left of {facts}")


def timed(asked: Sequence[Facts], decide: Callable[[Facts], object]) -> dict[str, float]:
    """Microseconds a decision."""
    now, times = time.perf_counter_ns, []
    for facts in asked:
        started = now()
        decide(facts)
        times.append(now() - started)
    times.sort()
    return {
        "p50_us": times[len(times) // 2] / 1_000,
        "p99_us": times[len(times) * 99 // 100] / 1_000,
        "max_us": times[-1] / 1_000,
    }


def _word(chance: random.Random, kind: str) -> str:
    return f"{kind}{chance.randrange(WORDS // 2)}"
