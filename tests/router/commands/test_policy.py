"""`steelyard policy lint`, `explain`, `test`: what a person sees, what a script gets, and that the gateway agrees."""

import json
from pathlib import Path

import pytest
from typer.testing import Result

from router.commands.state_file import office
from router.settings import load_settings
from router.state.office import STATE_FILE
from router.state.rights import Rights
from support.command_line import ROOT, assert_refused, invoke, run
from support.gateway import RunningGateway, make_key, running_gateway, write_config
from support.upstream import running_upstream

PRICE = 'price: {input_usd_per_million: "1", output_usd_per_million: "2"}'
SIZE = "context_window: 100000, max_output_tokens: 4000"
CONFIG = f"""\
ledger: {{disk_reserve_mb: 0}}
providers:
  abroad: {{base_url: "http://127.0.0.1:1/v1", jurisdiction: US}}
  frankfurt: {{base_url: "http://127.0.0.1:1/v1", place: frankfurt, jurisdiction: DE, no_training: true}}
routes:
  flash-us: {{provider: abroad, model: flash, {PRICE}, {SIZE}}}
  flash-eu: {{provider: frankfurt, model: flash, weights_origin: CN, weights_licence: MIT, {PRICE}, {SIZE}}}
  big: {{provider: frankfurt, premium: true, {PRICE}, {SIZE}}}
  small: {{provider: abroad, {PRICE}, {SIZE}}}
"""
ORGANISATION = """\
organisation: acme
default_label: internal
rules:
  - id: restricted-is-read-by-nobody
    when: {label: restricted}
    deny: true
    reason: take the names out first
"""
FINANCE = """\
team: finance
models: [flash, big]
plans:
  cheap: [flash]
  premium: [big]
  cheap+audit: {audit: by_risk}
auto: {extraction: cheap+audit, generation: cheap}
baseline: big
limits: {month_usd: 200}
rules:
  - id: eu
    reason: our customers are promised it
    require: {jurisdiction: [EU]}
  - id: trial
    when: {purpose: [trial]}
    limit: {request_usd: "0.0001"}
"""
CASES = """\
cases:
  - name: invoices are read in the EU
    request: {team: finance, file: ../../invoice.json}
    expect: {plan: cheap+audit, routes: [flash-eu], auditors: [big], never: [flash-us]}
  - name: nobody reads what is restricted
    request: {team: finance, label: restricted}
    expect: {deny: [acme.rules.restricted-is-read-by-nobody], reason: names}
"""
SCHEMA = {"type": "object", "properties": {"total": {"type": "string"}}}
INVOICE = {
    "model": "auto",
    "messages": [{"role": "user", "content": "Total: 4711,00 EUR"}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "invoice", "schema": SCHEMA}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_config(tmp_path, CONFIG, {"organisation": ORGANISATION, "finance": FINANCE})
    (tmp_path / "policies" / "tests").mkdir()
    (tmp_path / "policies" / "tests" / "finance.yaml").write_text(CASES)
    (tmp_path / "invoice.json").write_text(json.dumps(INVOICE))
    return tmp_path


def policy(folder: Path, command: str, *arguments: str | Path) -> Result:
    return invoke("policy", command, *arguments, "--config", folder / "steelyard.yaml")


def explain(folder: Path, *options: str) -> dict[str, object]:
    """What is explained of the invoice, as JSON."""
    ran = policy(folder, "explain", folder / "invoice.json", *options, "--format", "json")
    assert ran.exit_code == 0, ran.stderr
    found: dict[str, object] = json.loads(ran.stdout)
    return found


def folded(text: str) -> list[str]:
    """The lines, their runs of spaces as one."""
    return [" ".join(line.split()) for line in text.splitlines()]


def test_an_explanation_is_a_picture_of_the_rules_the_routes_and_the_decision(folder: Path) -> None:
    ran = policy(folder, "explain", folder / "invoice.json")
    assert (ran.exit_code, ran.stderr) == (0, "")
    found = folded(ran.stdout)
    for line in (
        "asked 'auto' by team finance (invoice.json)",
        "label internal default_label of organisation.yaml",
        "rules 1 of 3 applies",
        "- acme.rules.restricted-is-read-by-nobody organisation.yaml:4 deny label is internal, and the rule is about restricted and more closed ones",
        "+ finance.rules.eu finance.yaml:11 jurisdiction EU",
        "- finance.rules.trial finance.yaml:14 at most 0.0001 USD a request purpose is none, and the rule is about trial",
        "x flash-us hosted US not stated falls by finance.rules.eu (finance.yaml:11): its jurisdiction is US, and EU is required",
        "+ flash-eu hosted, learns nothing DE frankfurt CN MIT answers",
        "+ big hosted, learns nothing DE frankfurt not stated audits, answers anew",
        "- small hosted US not stated its model 'small' is none of the team's",
        "ALLOWED plan cheap+audit",
        "audits big, where a field is doubtful; wrong: correct, unsettled: escalate, unaudited: pass; verify_then_stream",
        "escalates to big",
        "besides settled after the last byte; baseline big",
        "by finance.auto.extraction (finance.yaml:7), finance.plans.cheap+audit (finance.yaml:6), finance.rules.eu (finance.yaml:11)",
    ):
        assert line in found, line
    assert [line for line in found if line.startswith("task extraction of class invoice, at most ")]
    assert [line for line in found if line.startswith("answers flash-eu (at most $0.")]
    assert [line for line in found if "would be held; at most $200.00 a month; at the limit: clamp" in line]
    assert not (folder / "steelyard-data").exists(), "nothing was opened"


def test_a_refusal_is_the_sentence_that_the_client_gets(folder: Path) -> None:
    ran = policy(folder, "explain", folder / "invoice.json", "--label", "restricted")
    assert ran.exit_code == 0
    assert "DENIED  403 policy_denied; the client gets:" in ran.stdout
    with running_upstream() as upstream:
        config = folder / "steelyard.yaml"
        config.write_text(CONFIG.replace("http://127.0.0.1:1/v1", upstream.base_url))
        with running_gateway(config) as gateway:
            _agrees(gateway, folder, {"label": "restricted"}, "--label", "restricted")
            _agrees(gateway, folder, {"purpose": "trial"}, "--purpose", "trial")


def _agrees(gateway: RunningGateway, folder: Path, said: dict[str, str], *options: str) -> None:
    answer = gateway.request(
        "POST", "/v1/chat/completions", key=make_key(gateway.config), body={**INVOICE, "steelyard": said}
    )
    refusal = explain(folder, *options)["refusal"]
    assert isinstance(refusal, dict)
    assert (answer.status, answer.error["code"]) == (refusal["status"], refusal["code"])
    told, got = str(refusal["message"]), str(answer.error["message"])
    assert told.split("; it resets at", maxsplit=1)[0] == got.split("; it resets at", maxsplit=1)[0]


def test_a_script_gets_all_of_it_in_the_words_of_the_files(folder: Path) -> None:
    found = explain(folder)
    assert (found["decision"], found["refusal"]) == ("allow", None)
    assert found["label"] == {"in_force": "internal", "from": "default_label of organisation.yaml"}
    routes = found["routes"]
    assert isinstance(routes, list)
    assert [(each["route"], each["standing"], each["asked_for"]) for each in routes] == [
        ("flash-us", "falls", []),
        ("flash-eu", "kept", ["answer"]),
        ("big", "kept", ["audit", "escalate"]),
        ("small", "not_allowed", []),
    ]
    plan = found["plan"]
    assert isinstance(plan, dict)
    assert (plan["name"], plan["answer"], plan["audit"]["mode"]) == ("cheap+audit", ["flash-eu"], "by_risk")
    assert plan["hold_nano_usd"] > plan["attempts"][0]["bound_nano_usd"] > 0
    assert plan["month_limit_nano_usd"] == 200_000_000_000


def test_a_key_brings_its_project_its_environment_and_its_models(folder: Path) -> None:
    settings = load_settings(folder / "steelyard.yaml")
    with office(settings) as opened:
        opened.directory.ensure_teams(("finance",))
        opened.directory.create_project("finance", "march")
        rights = Rights(models=("big",), environment="production", project="march")
        key, _ = opened.register.create("finance", "invoices", rights)
        opened.register.revoke(key.key_id)
    assert (settings.data_dir / STATE_FILE).is_file()
    found = explain(folder, "--key", key.key_id, "--model", "premium")
    request = found["request"]
    assert isinstance(request, dict)
    assert [request[name] for name in ("key", "project", "environment", "key_models")] == [
        key.key_id, "march", "production", ["big"],
    ]  # fmt: skip
    assert found["notes"] == [
        "the key is revoked: it is refused with 401 before any rule",
        "the key may use big, and no other model answers it",
    ]
    refusal = explain(folder, "--key", key.key_id, "--model", "cheap")["refusal"]
    assert isinstance(refusal, dict)
    assert (refusal["status"], refusal["code"]) == (403, "key_scope")


def test_what_is_short_at_the_limit_is_told(folder: Path) -> None:
    big = FINANCE.replace("month_usd: 200}", "month_usd: 200, request_usd: 0.045}\nmin_output_tokens: 10")
    for at_limit, said in (
        ("clamp", "is more than the $0.045 that it may cost: its output limit is lowered to "),
        (
            "cheap_only",
            "is more than the $0.045 that it may cost: the plan cheap answers alone (at_limit: cheap_only)",
        ),
    ):
        (folder / "policies" / "finance.yaml").write_text(f"{big}at_limit: {at_limit}\n")
        notes = explain(folder)["notes"]
        assert isinstance(notes, list)
        assert said in notes[0]
    (folder / "policies" / "finance.yaml").write_text(f"{big}at_limit: deny\n")
    refusal = explain(folder)["refusal"]
    assert isinstance(refusal, dict)
    assert (refusal["status"], refusal["code"]) == (402, "budget_exceeded")


REFUSED = {
    "no such file": (["none.json"], 2, "none.json cannot be read: No such file or directory"),
    "no request": (["steelyard.yaml"], 2, "steelyard.yaml is no chat request: "),
    "another team": (["invoice.json", "--team", "legal"], 2, "there is no policy for team 'legal'; teams are finance"),
    "another model": (["invoice.json", "--model", "flush"], 1, "there is no model 'flush'; did you mean 'flash'?"),
    "no key yet": (["invoice.json", "--key", "key_1"], 1, "there is no key yet in "),
    "a key and its project": (
        ["invoice.json", "--key", "key_1", "--project", "a"], 2, "--key says the project and the environment",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_explained_is_one_sentence(
    folder: Path, arguments: list[str], code: int, said: str
) -> None:
    file, *options = arguments
    assert_refused(policy(folder, "explain", folder / file, *options), code, said)


def test_cases_that_are_as_expected_are_told_in_a_line_each(folder: Path) -> None:
    ran = policy(folder, "test")
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "ok    invoices are read in the EU",
        "ok    nobody reads what is restricted",
        "2 of 2 cases as expected",
        "no case makes 1 rule hold:",
        "      finance.rules.trial  finance.yaml:14",
    ]


def test_a_case_that_is_not_as_expected_shows_both_and_the_rules_that_made_it(folder: Path) -> None:
    cases = folder / "more.yaml"
    cases.write_text(
        "cases:\n  - name: anywhere\n    request: {team: finance, purpose: trial}\n"
        '    expect: {routes: [flash-us, flash-eu], request_usd: "0.50"}\n'
    )
    ran = policy(folder, "test", cases)
    assert (ran.exit_code, ran.stderr) == (1, "")
    assert ran.stdout.splitlines() == [
        "FAIL  anywhere  more.yaml:2",
        "        routes       expected  flash-us, flash-eu",
        "                     found     flash-eu",
        "        request_usd  expected  0.50 USD",
        "                     found     0.0001 USD",
        "        route 'flash-us' falls by rule finance.rules.eu (finance.yaml:11): its jurisdiction is US, and EU is required",
        "0 of 1 case as expected",
        "no case makes 1 rule hold:",
        "      acme.rules.restricted-is-read-by-nobody  organisation.yaml:4",
    ]


def test_a_request_file_is_found_beside_its_cases_and_asked_as_the_case_says(folder: Path) -> None:
    cases = folder / "policies" / "tests" / "finance.yaml"
    cases.write_text(CASES.replace("invoice.json}", "invoice.json, model: premium, label: restricted}", 1))
    ran = policy(folder, "test")
    assert ran.exit_code == 1
    assert "found     deny, by acme.rules.restricted-is-read-by-nobody" in ran.stdout
    cases.write_text(CASES.replace("invoice.json", "gone.json"))
    assert_refused(policy(folder, "test"), 2, "finance.yaml line 2: ")


def test_without_a_case_there_is_nothing_to_test(folder: Path) -> None:
    (folder / "policies" / "tests" / "finance.yaml").unlink()
    assert_refused(policy(folder, "test"), 1, "there are no cases in ")


def test_cases_are_no_team_files(folder: Path) -> None:
    assert list(load_settings(folder / "steelyard.yaml").policies.teams) == ["finance"]


def test_lint_has_nothing_to_say_of_what_is_fine(folder: Path) -> None:
    ran = policy(folder, "lint")
    assert (ran.exit_code, ran.stdout) == (0, f"3 files in {folder / 'policies'}: nothing to say\n")


def test_lint_tells_every_file_that_is_wrong_and_not_the_first_alone(folder: Path) -> None:
    rules = folder / "policies"
    (rules / "organisation.yaml").write_text(ORGANISATION.replace("deny: true", "deny: maybe"))
    (rules / "legal.yaml").write_text("team: legal\nmodels: [flush]\n")
    (rules / "sales.yaml").write_text("team: sales\n\tmodels: [flash]\n")
    ran = policy(folder, "lint")
    assert (ran.exit_code, ran.stderr) == (2, "")
    *found, summary = ran.stdout.splitlines()
    assert sorted(line.split(": ")[0] for line in found) == [
        "legal.yaml:2",
        "organisation.yaml:6",
        "sales.yaml:2",
    ]
    assert "legal.yaml:2: error: models names the unknown model 'flush'; did you mean 'flash'?" in found
    assert summary.endswith(": 3 errors, 0 warnings")
    told = json.loads(policy(folder, "lint", "--format", "json").stdout)
    assert [(each["file"], each["line"]) for each in told["errors"]] == [
        ("sales.yaml", 2), ("organisation.yaml", 6), ("legal.yaml", 2),
    ]  # fmt: skip


def test_lint_reads_the_cases_too(folder: Path) -> None:
    (folder / "policies" / "tests" / "more.yaml").write_text("cases:\n  - name: a\n    requets: {}\n")
    ran = policy(folder, "lint")
    assert ran.exit_code == 2
    assert ran.stdout.startswith(
        "more.yaml:3: error: unknown key 'requets' in cases; did you mean 'request'?\n"
    )


def test_a_warning_is_no_error_and_config_check_tells_it_too(folder: Path) -> None:
    rule = "  - id: swiss\n    when: {tools: true}\n    require: {jurisdiction: [CH]}\n"
    (folder / "policies" / "finance.yaml").write_text(FINANCE + rule)
    ran = policy(folder, "lint")
    assert ran.exit_code == 0
    assert ran.stdout.startswith(
        "finance.yaml:17: warning: no configured route is jurisdiction CH, so whatever "
    )
    checked = invoke("config", "check", "--config", folder / "steelyard.yaml")
    assert "warning: finance.yaml line 17: no configured route is jurisdiction CH" in checked.stdout


def test_lint_knows_the_keys_that_were_made(folder: Path) -> None:
    rule = "  - id: one-key\n    when: {key: [key_1]}\n    require: {no_training: true}\n"
    (folder / "policies" / "finance.yaml").write_text(FINANCE + rule)
    assert "can never hold" not in policy(folder, "lint").stdout
    make_key(folder / "steelyard.yaml")
    assert "finance.rules.one-key can never hold: no key 'key_1' is there\n" in policy(folder, "lint").stdout


@pytest.mark.parametrize("command", ["lint", "test"])
def test_the_examples_have_cases_and_nothing_to_warn_of(command: str) -> None:
    ran = run("policy", command, "--config", ROOT / "examples" / "steelyard.yaml")
    assert (ran.returncode, ran.stderr) == (0, b"")
    last = ran.stdout.decode().splitlines()[-1]
    assert last.endswith("nothing to say") if command == "lint" else last == "3 of 3 cases as expected"


@pytest.mark.parametrize("command", ["lint", "explain", "test"])
def test_the_help_has_an_example_and_the_exit_codes(command: str) -> None:
    told = " ".join(invoke("policy", command, "--help").stdout.split())
    assert f"Example: steelyard policy {command}" in told
    assert "Exit codes: 0 " in told
