"""Rules as they are written: every word is read, and a slip is one message with file, line and a way out."""

import pytest

from ledger.money import NanoUSD
from policies.conditions import Conditions
from policies.document import parse_bytes
from policies.errors import PolicyError
from policies.facts import Label, TaskKind
from policies.requirements import FLAGS, Requirements
from policies.route_facts import RouteFacts
from policies.rule_reading import REQUIRE_KEYS, RULE_KEYS, WHEN_KEYS, Known, read_rules
from policies.rules import Denial, RequestLimit, Rule

KNOWN = Known(
    (RouteFacts("flash", "flash", "deepseek"), RouteFacts("opus", "opus", "anthropic")), {"finance", "legal"}
)
ONE_TEAMS = Known(KNOWN.routes)
FULL = """\
organisation: acme
rules:
  - id: eu-only
    reason: our customers are promised it
    when:
      team: [finance, legal]
      project: [ledger]
      key: [key_01KB0W6Z9G]
      purpose: [audit]
      environment: [production]
      kind: [extraction]
      task_class: [invoice, "pay slip"]
      label: confidential
      context_tokens_above: 20_000
      tools: true
      images: true
    require:
      local_only: true
      on_premises_only: true
      zero_retention: true
      no_training: true
      jurisdiction: [EU, CH]
      place: [eu-central-1]
      provider: [deepseek]
      model: [flash]
      weights_licence: [MIT, Apache-2.0]
      weights_origin: [US]
  - id: no-tools
    when: {tools: true}
    deny: true
    reason: no tools yet
  - id: cheap
    limit: {request_usd: "0.10"}
"""


def rules_of(text: str, known: Known = KNOWN) -> tuple[Rule, ...]:
    return read_rules(parse_bytes(text.encode(), "organisation.yaml"), "acme", known)


def test_every_word_of_a_rule_is_read() -> None:
    eu_only, no_tools, cheap = rules_of(FULL)
    assert (eu_only.id, eu_only.place) == ("acme.rules.eu-only", "organisation.yaml:3")
    assert eu_only.reason == "our customers are promised it"
    assert eu_only.conditions == Conditions(
        teams=frozenset({"finance", "legal"}),
        projects=frozenset({"ledger"}),
        keys=frozenset({"key_01KB0W6Z9G"}),
        purposes=frozenset({"audit"}),
        environments=frozenset({"production"}),
        kinds=frozenset({TaskKind.EXTRACTION}),
        task_classes=frozenset({"invoice", "pay slip"}),
        label=Label.CONFIDENTIAL,
        context_tokens_above=20_000,
        tools=True,
        images=True,
    )
    assert eu_only.demand == Requirements(
        {
            "jurisdiction": frozenset({"EU", "CH"}),
            "place": frozenset({"eu-central-1"}),
            "provider": frozenset({"deepseek"}),
            "model": frozenset({"flash"}),
            "weights_licence": frozenset({"MIT", "Apache-2.0"}),
            "weights_origin": frozenset({"US"}),
        },
        frozenset(FLAGS),
    )
    assert (no_tools.place, no_tools.demand) == ("organisation.yaml:28", Denial())
    assert cheap.demand == RequestLimit(NanoUSD(100_000_000))
    assert cheap.conditions == Conditions()
    assert [str(rule.demand) for rule in (no_tools, cheap)] == ["deny", "at most 0.10 USD a request"]
    written = {line.strip(" -").split(":")[0] for line in FULL.splitlines()}
    assert {*RULE_KEYS, *WHEN_KEYS, *REQUIRE_KEYS} <= written, "a key of a rule is not in this test"


def test_no_rules_are_no_rules() -> None:
    assert rules_of("organisation: acme\n") == ()
    assert rules_of("organisation: acme\nrules: []\n") == ()


def rule(*lines: str) -> str:
    """A file with one rule that has these lines beside its id, from line 4 on."""
    return "organisation: acme\nrules:\n  - id: one\n" + "".join(f"    {line}\n" for line in lines)


DENY = ("deny: true", "reason: no")
LOCAL = "require: {local_only: true}"
REFUSED = {
    # the list and its items
    "rules as a mapping": ("organisation: acme\nrules: {id: one}\n", 2, "rules must be a list, each item beginning with `- `"),
    "rules as a word": ("organisation: acme\nrules: none\n", 2, "rules must be a list"),
    "rules left empty": ("organisation: acme\nrules:\n", 2, "rules must be a list"),
    "an item that is a word": ("organisation: acme\nrules:\n  - eu-only\n", 3, "an item of rules must have lines `key: value`"),
    "an item that is a list": ("organisation: acme\nrules:\n  - [eu-only]\n", 3, "an item of rules must have lines"),
    "unknown key": (rule(LOCAL, "wen: {tools: true}"), 5, "unknown key 'wen' in rules; did you mean 'when'?"),
    "allow": (rule("allow: true"), 4, "unknown key 'allow' in rules; known are deny, id, limit"),
    # ids and reasons
    "no id": ("organisation: acme\nrules:\n  - deny: true\n    reason: no\n", 3, "rules.id is missing; add it"),
    "id empty": ("organisation: acme\nrules:\n  - id:\n    deny: true\n", 3, "rules.id is empty"),
    "id with capitals": ("organisation: acme\nrules:\n  - id: EU\n", 3, "rules.id is 'EU'; write 1 to 64 of a-z, 0-9 and -, e.g."),
    "id with a comma": ("organisation: acme\nrules:\n  - id: 'a,b'\n", 3, "write 1 to 64 of a-z, 0-9 and -"),
    "id twice": (rule(LOCAL) + f"  - id: one\n    {LOCAL}\n", 5, "the id 'one' is here twice; the first is in line 3: choose another"),
    "deny without a reason": (rule("deny: true"), 4, "rules.reason is missing: say why it is denied, and what to do instead"),
    "reason left empty": (rule("deny: true", "reason:"), 5, "rules.reason is empty"),
    "reason too long": (rule("deny: true", f"reason: {'x' * 301}"), 5, "rules.reason has 301 characters; at most 300"),
    # what it demands
    "no demand": (rule("when: {tools: true}"), 3, "the rule 'one' takes nothing away; write one of deny, require, limit"),
    "two demands": (rule(*DENY, LOCAL), 3, "the rule 'one' says deny and require; write one of"),
    "deny: false": (rule("deny: false", "reason: no"), 4, "rules.deny is 'false', which asks for nothing; write true or leave it out"),
    "deny: yes": (rule("deny: yes", "reason: no"), 4, "rules.deny is 'yes'; write true or leave it out"),
    "deny as a list": (rule("deny: [true]", "reason: no"), 4, "rules.deny must be a single value"),
    "require nothing": (rule("require: {}"), 4, "rules.require is empty; name at least one of local_only"),
    "require as a word": (rule("require: local_only"), 4, "rules.require must be a mapping"),
    "unknown requirement": (rule("require: {local: true}"), 4, "unknown key 'local' in rules.require; did you mean 'local_only'?"),
    "region": (rule("require: {region: [eu]}"), 4, "unknown key 'region' in rules.require"),
    "a flag that is false": (rule("require: {zero_retention: false}"), 4, "rules.require.zero_retention is 'false', which asks for nothing"),
    "a list as a word": (rule("require: {jurisdiction: EU}"), 4, "rules.require.jurisdiction must be a list; write [EU]"),
    "a list that is empty": (rule("require: {jurisdiction: []}"), 4, "rules.require.jurisdiction is empty; name at least one, or leave it out"),
    "a country in small letters": (rule("require: {jurisdiction: [de]}"), 4, "names the unknown 'de'; write ISO 3166's two capital letters, or EU"),
    "a country by name": (rule("require: {weights_origin: [Germany]}"), 4, "rules.require.weights_origin names the unknown 'Germany'"),
    "UK": (rule("require: {jurisdiction: [UK]}"), 4, "names the unknown 'UK'"),
    "a country twice": (rule("require: {jurisdiction: [DE, DE]}"), 4, "names 'DE' twice; leave one out"),
    "unknown provider": (rule("require: {provider: [deepsek]}"), 4, "rules.require.provider names the unknown 'deepsek'; did you mean 'deepseek'?"),
    "unknown model": (rule("require:", "  model:", "    - flash", "    - opuss"), 7, "rules.require.model names the unknown 'opuss'; did you mean 'opus'?"),
    "a place in a place": (rule("require: {place: [[a]]}"), 4, "rules.require.place must hold single names"),
    "limit of nothing": (rule("limit: {}"), 4, "rules.limit.request_usd is missing; add it"),
    "limit a day": (rule("limit: {day_usd: 5}"), 4, "unknown key 'day_usd' in rules.limit"),
    "limit with a currency": (rule("limit: {request_usd: $5}"), 4, "rules.limit.request_usd: '$5' is not an amount"),
    "limit below zero": (rule("limit: {request_usd: -1}"), 4, "'-1' is negative"),
    # of which requests
    "unknown condition": (rule(LOCAL, "when: {teams: [finance]}"), 5, "unknown key 'teams' in rules.when; did you mean 'team'?"),
    "model as a condition": (
        rule(LOCAL, "when: {model: [flash]}"), 5, "unknown key 'model' in rules.when; it belongs in rules.require: move it there",
    ),
    "a condition as a requirement": (rule("require: {label: restricted}"), 4, "unknown key 'label' in rules.require; it belongs in rules.when"),
    "a condition that is not indented": (rule(LOCAL, "when:", "label: restricted"), 6, "unknown key 'label' in rules; it belongs in rules.when"),
    "a demand among the conditions": (
        rule("when:", "  tools: true", "  deny: true"), 6, "unknown key 'deny' in rules.when; it belongs in the rule itself: move it there",
    ),
    "a limit beside its section": (rule("request_usd: 1"), 4, "unknown key 'request_usd' in rules; it belongs in rules.limit"),
    "when as a list": (rule(LOCAL, "when: [tools]"), 5, "rules.when must be a mapping"),
    "unknown team": (rule(LOCAL, "when: {team: [finanz]}"), 5, "rules.when.team names the unknown 'finanz'; did you mean 'finance'?"),
    "unknown kind": (rule(LOCAL, "when: {kind: [extract]}"), 5, "rules.when.kind names the unknown 'extract'; did you mean 'extraction'?"),
    "kind as a word": (rule(LOCAL, "when: {kind: extraction}"), 5, "rules.when.kind must be a list"),
    "unknown label": (rule(LOCAL, "when: {label: secret}"), 5, "rules.when.label is 'secret'; it is one of public, internal, confidential, restricted"),
    "labels as a list": (rule(LOCAL, "when: {label: [restricted]}"), 5, "rules.when.label must be a single value"),
    "context in words": (rule(LOCAL, "when: {context_tokens_above: 20k}"), 5, "write a whole number from 1 to 1000000000"),
    "context of nothing": (rule(LOCAL, "when: {context_tokens_above: 0}"), 5, "rules.when.context_tokens_above is 0; it must be from 1"),
    "no tools": (rule(LOCAL, "when: {tools: false}"), 5, "rules.when.tools is 'false', which asks for nothing"),
    "no images": (rule(LOCAL, "when: {images: false}"), 5, "rules.when.images is 'false', which asks for nothing"),
    "all but": (rule(LOCAL, "when: {purpose: {not: [audit]}}"), 5, "rules.when.purpose must be a list"),
    "a purpose left empty": (rule(LOCAL, "when: {purpose: ['']}"), 5, "rules.when.purpose must hold single names"),
    "a condition twice": (rule(LOCAL, "when: {project: [a], project: [b]}"), 5, "the key 'project' is here twice"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_rule_is_one_sentence_with_file_and_line(text: str, line: int, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        rules_of(text)
    assert str(caught.value).startswith(f"organisation.yaml line {line}: ")
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_there_are_forty_of_them_and_more() -> None:
    assert len(REFUSED) >= 40


def test_a_teams_own_rules_are_about_that_team() -> None:
    text = rule(LOCAL, "when: {team: [finance]}")
    with pytest.raises(
        PolicyError, match=r"line 5: rules.when.team: the rules of this file are one team's; leave it"
    ):
        rules_of(text, ONE_TEAMS)
