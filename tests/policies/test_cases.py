"""Cases beside the rules: how they are read, and what of a decision is not as expected."""

from pathlib import Path

import pytest

from ledger.money import NanoUSD
from policies.cases import CASE_KEYS, EXPECT_KEYS, REQUEST_KEYS, Case, CaseNames, read_cases
from policies.document import parse_bytes
from policies.errors import PolicyError
from policies.explanation import explain
from policies.facts import Facts, Label, TaskKind
from policies.trying import differences
from support.places import FINANCE, ROUTES, policies_of

NAMES = CaseNames(("finance", "legal"), ROUTES)
FULL = """\
cases:
  - name: every word of a request
    request:
      team: finance
      model: cheap+audit
      kind: extraction
      task_class: invoice
      label: confidential
      purpose: audit
      project: march
      key: key_1
      environment: production
      context_tokens: 20_000
      tools: true
      images: false
    expect:
      allow: true
      label: confidential
      plan: cheap+audit
      routes: [flash-eu]
      at_limit: []
      auditors: [big]
      escalation: [big]
      graders: [big]
      never: [flash-cn, opus]
      request_usd: "0.50"
  - name: a file
    request: {team: legal, file: ../request.json, model: big}
    expect: {deny: [acme.rules.europe], reason: our customers}
"""


def cases_of(text: str) -> tuple[Case, ...]:
    return read_cases(parse_bytes(text.encode(), "cases.yaml"), NAMES)


def test_every_word_of_a_case_is_read() -> None:
    first, second = cases_of(FULL)
    assert (first.name, first.place, first.request_file) == ("every word of a request", "cases.yaml:2", None)
    assert first.facts == Facts(
        team="finance", model="cheap+audit", kind=TaskKind.EXTRACTION, task_class="invoice", label=Label.CONFIDENTIAL,
        purpose="audit", found_class="invoice", project="march", key_id="key_1", environment="production",
        context_tokens=20_000, tools=True, images=False,
    )  # fmt: skip
    expected = first.expected
    assert (expected.allow, expected.label, expected.plan) == (True, Label.CONFIDENTIAL, "cheap+audit")
    assert expected.request_nano_usd == NanoUSD(500_000_000)
    assert expected.routes == {
        "routes": ("flash-eu",), "at_limit": (), "auditors": ("big",), "escalation": ("big",), "graders": ("big",),
        "never": ("flash-cn", "opus"),
    }  # fmt: skip
    assert (second.request_file, second.named_model, second.facts.team) == ("../request.json", "big", "legal")
    assert (second.expected.allow, second.expected.rules) == (False, frozenset({"acme.rules.europe"}))
    assert second.expected.reason == "our customers"
    written = {word.strip("{ -").split(":")[0] for line in FULL.splitlines() for word in line.split(",")}
    written |= {word.split(":")[0].strip() for line in FULL.splitlines() for word in line.split("{")[1:]}
    assert {*CASE_KEYS, *REQUEST_KEYS, *EXPECT_KEYS} <= written, "a key of a case is not in this test"


def test_the_least_is_a_team_and_that_it_may() -> None:
    (case,) = cases_of("cases:\n  - name: a\n    request: {team: finance}\n    expect: {allow: true}\n")
    assert case.facts == Facts("finance", "auto", TaskKind.GENERATION, "generation", found_class="generation")


def case(request: str = "{team: finance}", expect: str = "{allow: true}") -> str:
    return f"cases:\n  - name: a\n    request: {request}\n    expect: {expect}\n"


REFUSED = {
    "no cases": ("cases: []\n", 1, "cases is missing or empty; write a list of cases, each with name, request and expect"),
    "another root": ("case: []\n", 1, "unknown key 'case'; did you mean 'cases'?"),
    "an item that is a word": ("cases: [a]\n", 1, "an item of cases must have lines `key: value`"),
    "an unknown key": (case() + "    wants: {}\n", 5, "unknown key 'wants' in cases; known are expect, name, request"),
    "no name": ("cases:\n  - request: {}\n", 2, "cases.name is missing; add it"),
    "a name twice": (
        case() + case().removeprefix("cases:\n"), 5, "the name 'a' is here twice; the first is in line 2: choose another",
    ),
    "a name too long": (f"cases:\n  - name: {'a' * 201}\n", 2, "cases.name has 201 characters; at most 200"),
    "no request": (
        "cases:\n  - name: a\n    expect: {allow: true}\n", 2, "cases.request is missing: write what is asked, and what is expected of it",
    ),
    "no expect": (
        "cases:\n  - name: a\n    request: {team: finance}\n", 2, "cases.expect is missing: write what is asked, and what is expected of it",
    ),
    "an unknown word of a request": (case("{team: finance, labels: x}"), 3, "unknown key 'labels' in cases.request; did you mean 'label'?"),
    "no team": (case("{model: auto}"), 3, "cases.request.team is missing; add it"),
    "an unknown team": (case("{team: finanz}"), 3, "cases.request.team names the unknown 'finanz'; did you mean 'finance'?"),
    "an unknown model": (
        case("{team: finance, model: flush}"), 3, "cases.request.model names the unknown plan or model 'flush'; did you mean 'flash'?",
    ),
    "an unknown kind": (case("{team: finance, kind: extract}"), 3, "cases.request.kind is 'extract'; it is one of extraction, generation; did you mean 'extraction'?"),
    "an unknown label": (case("{team: finance, label: secret}"), 3, "cases.request.label is 'secret'; it is one of public, internal, confidential, restricted"),
    "tools in words": (case("{team: finance, tools: 'yes'}"), 3, "cases.request.tools is 'yes'; write true or false"),
    "tokens in words": (case("{team: finance, context_tokens: 20k}"), 3, "cases.request.context_tokens is '20k'; write a whole number from 0 to 1000000000"),
    "a file and what it says itself": (
        case("{team: finance, file: a.json, kind: extraction}"), 3, "cases.request.kind: the request file says it itself; leave it out",
    ),
    "nothing expected": (case(expect="{}"), 4, "cases.expect is empty; write `allow: true`, or any of deny, reason, label, plan, routes, at_limit, auditors, escalation, graders, never, request_usd"),
    "an unknown word of what is expected": (case(expect="{route: [big]}"), 4, "unknown key 'route' in cases.expect; did you mean 'routes'?"),
    "what is expected beside the request": (
        "cases:\n  - name: a\n    request: {team: finance}\n    routes: [big]\n", 4,
        "unknown key 'routes' in cases; it belongs in cases.expect: move it there, and mind the indentation",
    ),
    "a request's word among what is expected": (
        case(expect="{kind: extraction}"), 4,
        "unknown key 'kind' in cases.expect; it belongs in cases.request: move it there, and mind the indentation",
    ),
    "allow: false": (case(expect="{allow: false}"), 4, "cases.expect.allow is 'false', which asks for nothing; write true or leave it out"),
    "deny as a word": (case(expect="{deny: acme.rules.a}"), 4, "cases.expect.deny must be a list; write [acme.rules.a]"),
    "deny and routes": (
        case(expect="{deny: [], routes: [big]}"), 4, "cases.expect.routes stands beside deny: what is refused has none; leave one of them out",
    ),
    "a reason of what is allowed": (
        case(expect="{plan: cheap, reason: no}"), 4, "cases.expect.reason is a refusal's; write deny beside it, or leave it out",
    ),
    "an unknown route": (case(expect="{routes: [flash]}"), 4, "cases.expect.routes names the unknown route 'flash'; did you mean 'flash-eu'?"),
    "an unknown plan": (case(expect="{plan: cheep}"), 4, "cases.expect.plan is 'cheep'; it is one of cheap, premium, cheap+audit, model; did you mean 'cheap'?"),
    "money with a currency": (case(expect="{request_usd: $5}"), 4, "cases.expect.request_usd: '$5' is not an amount in US dollars; write e.g. \"12.50\""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_case_is_one_sentence_with_file_and_line(text: str, line: int, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        cases_of(text)
    assert str(caught.value) == f"cases.yaml line {line}: {said}"


ORGANISATION = """\
organisation: acme
rules:
  - id: here
    when: {label: restricted}
    require: {local_only: true}
  - id: eu
    require: {jurisdiction: [EU]}
"""
TRIED = {
    "all as it is": ("{team: finance, kind: extraction}", "{plan: cheap+audit, routes: [flash-eu, small-here], auditors: [big], escalation: [big], graders: [big], never: [flash-cn, opus], request_usd: 0.50}", []),
    "another order": ("{team: finance}", "{routes: [small-here, flash-eu]}", ["routes: small-here, flash-eu / flash-eu, small-here"]),
    "another plan and a limit": (
        "{team: finance}", "{plan: premium, request_usd: 1}", ["plan: premium / cheap", "request_usd: 1.00 USD / 0.50 USD"],
    ),
    "a route that may be asked": ("{team: finance}", "{never: [flash-cn, flash-eu]}", ["never: none of flash-cn, flash-eu / flash-eu"]),
    "allowed and not denied": ("{team: finance}", "{deny: []}", ["decision: deny / allow, plan cheap"]),
    "denied and not allowed": (
        "{team: finance, model: premium, label: restricted}", "{routes: [big]}", ["decision: allow / deny, by acme.rules.here"],
    ),
    "denied by another": (
        "{team: finance, model: premium, label: restricted}", "{deny: [acme.rules.eu], reason: on this machine}",
        ["deny: acme.rules.eu / acme.rules.here"],
    ),
    "denied for another reason": (
        "{team: finance, model: big, label: restricted}", "{deny: [acme.rules.here], reason: in Norway}",
        [("reason: in Norway / no route is left for 'big': route 'big' falls by rule acme.rules.here (organisation.yaml:3): "
         "it does not run on this machine")],
    ),
    "denied by whatever": ("{team: finance, model: opus}", "{deny: []}", []),
    "another label": ("{team: finance}", "{label: internal}", ["label: internal / none"]),
    "nobody left": ("{team: finance, label: restricted, kind: extraction}", "{auditors: [], escalation: [big]}", ["escalation: big / none"]),
}  # fmt: skip


@pytest.mark.parametrize(("request_", "expect", "said"), TRIED.values(), ids=TRIED.keys())
def test_what_is_not_as_expected_is_told_beside_what_is(
    tmp_path: Path, request_: str, expect: str, said: list[str]
) -> None:
    policies = policies_of(tmp_path, organisation=ORGANISATION, finance=FINANCE)
    (read,) = cases_of(case(request_, expect))
    found = explain(policies.rulebooks["finance"], read.facts, ROUTES, policies.organisation)
    assert [
        f"{each.what}: {each.expected} / {each.found}" for each in differences(read.expected, found)
    ] == said
