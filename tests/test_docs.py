"""The documents of the configuration and the policies say what the code does: every example is loaded,
every value that a table says is taken is taken, every one that it says is refused is refused."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ledger.clock import system_clock
from ledger.prices import PriceBook
from policies.audits import AUDIT_KEYS, GRADING_KEYS
from policies.cases import EXPECT_KEYS, REQUEST_KEYS, Case, CaseNames, read_cases
from policies.document import parse_bytes
from policies.errors import PolicyError
from policies.lint import lint
from policies.organisation import ORGANISATION_KEYS, Organisation, read_organisation
from policies.rule_reading import LIMIT_KEYS as RULE_LIMIT_KEYS
from policies.rule_reading import REQUIRE_KEYS, RULE_KEYS, WHEN_KEYS, Known
from policies.team import PLAN_NAMES, TeamPolicy
from policies.team_reading import KEYS as POLICY_KEYS
from policies.team_reading import LIMIT_KEYS, read_policy
from router.pricing import missing_prices
from router.provider_settings import LITELLM_KEYS, PROVIDER_KEYS
from router.route_price import CPU_KEY, PRICE_KEYS
from router.route_settings import ENGINE_ONLY, HOSTED_ONLY, ROUTE_KEYS
from router.settings import KEYS, LEDGER_KEYS, SERVER_KEYS, Settings, load_settings
from support.rules import routes_of
from support.walks import section

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION, POLICIES = ROOT / "docs" / "configuration.md", ROOT / "docs" / "policies.md"
MODELS = ("deepseek-flash", "gpt-5-mini", "local/smollm2")
_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")

Tree = Mapping[str, "str | Tree"]
"""Keys, and values as they are written."""

CONFIGURATION_BASE: Tree = {
    "providers": {
        "deepseek": {"base_url": "https://api.deepseek.com/v1"},
        "bedrock": {"type": "litellm", "vendor": "bedrock", "base_url": "https://bedrock.example"},
    },
    "routes": {
        "flash": {
            "provider": "deepseek",
            "price": {"input_usd_per_million": "1", "output_usd_per_million": "2"},
            "context_window": "1000000",
            "max_output_tokens": "8000",
        },
        "small": {"engine": "gguf", "price": {"cpu_usd_per_hour": "1"}},
    },
}
POLICY_BASE: Tree = {
    "team": "finance",
    "models": "[deepseek-flash, gpt-5-mini]",
    "plans": {"cheap": "[deepseek-flash]", "premium": "[gpt-5-mini]"},
    "auto": {"extraction": "cheap", "generation": "premium"},
}
CONFIGURATION_SECTIONS = {
    "The file": ((), KEYS),
    "server": (("server",), SERVER_KEYS),
    "ledger": (("ledger",), LEDGER_KEYS),
    "providers.NAME": (
        ("providers", "deepseek"),
        tuple(key for key in PROVIDER_KEYS if key not in LITELLM_KEYS),
    ),
    "What litellm speaks": (("providers", "bedrock"), LITELLM_KEYS),
    "A hosted route": (("routes", "flash"), tuple(key for key in ROUTE_KEYS if key not in ENGINE_ONLY)),
    "A local route": (("routes", "small"), tuple(key for key in ROUTE_KEYS if key not in HOSTED_ONLY)),
    "The price of a hosted route": (("routes", "flash", "price"), tuple(PRICE_KEYS)),
    "The price of a local route": (("routes", "small", "price"), (CPU_KEY, *PRICE_KEYS)),
}
ORGANISATION_BASE: Tree = {
    "organisation": "acme",
    "rules": {"0": {"id": "one", "require": {"local_only": "true"}}},
}
ORGANISATION_SECTIONS = {
    "The organisation's file": ((), ORGANISATION_KEYS),
    "rules": (("rules", "0"), RULE_KEYS),
    "when": (("rules", "0", "when"), WHEN_KEYS),
    "require": (("rules", "0", "require"), REQUIRE_KEYS),
    "limit": (("rules", "0", "limit"), RULE_LIMIT_KEYS),
}
CASES_BASE: Tree = {
    "cases": {"0": {"name": "one", "request": {"team": "finance"}, "expect": {"label": "internal"}}}
}
CASES_SECTIONS = {
    "A case's request": (("cases", "0", "request"), REQUEST_KEYS),
    "What a case expects": (("cases", "0", "expect"), EXPECT_KEYS),
}
POLICY_SECTIONS = {
    "Every key": ((), POLICY_KEYS),
    "plans": (("plans",), PLAN_NAMES),
    "auto": (("auto",), ("extraction", "generation")),
    "limits": (("limits",), LIMIT_KEYS),
    "cheap+audit": (("plans", "cheap+audit"), AUDIT_KEYS),
    "grading": (("grading",), GRADING_KEYS),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One key of a table."""

    path: tuple[str, ...]
    default: tuple[str, ...]
    taken: tuple[str, ...]
    refused: tuple[str, ...]


def rows_of(document: Path, sections: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> Iterator[Row]:
    """Read the tables that stand under the headings in `sections`."""
    heading = ""
    for line in document.read_text().splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("| `") and heading in sections:
            key, _, default, taken, refused = (
                tuple(_SPAN.findall(cell)) for cell in line.strip("| ").split(" | ")
            )
            yield Row((*sections[heading][0], key[0]), default, taken, refused)


CONFIGURATION_ROWS = list(rows_of(CONFIGURATION, CONFIGURATION_SECTIONS))
POLICY_ROWS = list(rows_of(POLICIES, POLICY_SECTIONS))
ORGANISATION_ROWS = list(rows_of(POLICIES, ORGANISATION_SECTIONS))
CASES_ROWS = list(rows_of(POLICIES, CASES_SECTIONS))


def values(rows: list[Row], column: str) -> list[object]:
    """Each value of a column as a test's parameters."""
    return [
        pytest.param(row.path, value, id=f"{'.'.join(row.path)} {value}")
        for row in rows
        for value in getattr(row, column)
    ]


def changed(tree: Tree, path: tuple[str, ...], value: str | None) -> Tree:
    """The tree with `value` at `path`, or without that path."""
    first, *rest = path
    if rest:
        inner = tree.get(first, {})
        assert not isinstance(inner, str)
        return {**tree, first: changed(inner, tuple(rest), value)}
    without = {key: kept for key, kept in tree.items() if key != first}
    return without if value is None else {**without, first: value}


def written(tree: Tree, indent: str = "") -> str:
    """The tree as YAML; keys that are numbers are items of a list."""
    lines = []
    for key, value in tree.items():
        name = "-" if key.isdigit() else f"{key}:"
        lines.append(
            f"{indent}{name} {value}\n"
            if isinstance(value, str)
            else f"{indent}{name}\n{written(value, f'{indent}  ')}"
        )
    return "".join(lines)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a policy and the keys that the examples name."""
    for name in (
        "DEEPSEEK_API_KEY",
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    ):
        monkeypatch.setenv(name, "sk-none")
    monkeypatch.setenv("STEELYARD_MODELS", str(tmp_path))
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "team.yaml").write_text('team: team\nmodels: ["*"]\n')
    return tmp_path


def configured(place: Path, text: str) -> Settings:
    """Read a configuration, and find its prices."""
    (place / "steelyard.yaml").write_text(text)
    settings = load_settings(place / "steelyard.yaml")
    prices = PriceBook(missing_prices(settings, PriceBook(), system_clock()))
    assert all(prices.knows(route.price_sku) for route in settings.routes)
    return settings


def policy_of(text: str) -> TeamPolicy:
    return read_policy(parse_bytes(text.encode(), "policy.yaml"), "hash", routes_of(MODELS))


def organisation_of(text: str) -> Organisation:
    known = Known((*routes_of(MODELS), *routes_of(["claude-opus-5-5"])), {"finance", "support", "legal"})
    return read_organisation(parse_bytes(text.encode(), "organisation.yaml"), known)


def test_the_tables_name_every_key_that_is_read_and_no_other() -> None:
    for rows, sections in (
        (CONFIGURATION_ROWS, CONFIGURATION_SECTIONS),
        (POLICY_ROWS, POLICY_SECTIONS),
        (ORGANISATION_ROWS, ORGANISATION_SECTIONS),
        (CASES_ROWS, CASES_SECTIONS),
    ):
        told = sorted(row.path for row in rows)
        assert told == sorted((*prefix, key) for prefix, keys in sections.values() for key in keys)
        assert all(row.taken and row.refused for row in rows)


@pytest.mark.parametrize(("path", "value"), values(CONFIGURATION_ROWS, "taken"))
def test_a_value_of_the_configuration_that_is_said_to_be_taken_is(
    place: Path, path: tuple[str, ...], value: str
) -> None:
    assert configured(place, written(changed(CONFIGURATION_BASE, path, value)))


@pytest.mark.parametrize(("path", "value"), values(CONFIGURATION_ROWS, "refused"))
def test_a_value_of_the_configuration_that_is_said_to_be_refused_is(
    place: Path, path: tuple[str, ...], value: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        configured(place, written(changed(CONFIGURATION_BASE, path, value)))
    assert path[-1] in str(caught.value) or value in str(caught.value)


@pytest.mark.parametrize(("path", "value"), values(CONFIGURATION_ROWS, "default"))
def test_a_default_of_the_configuration_is_what_leaving_it_out_means(
    place: Path, path: tuple[str, ...], value: str
) -> None:
    left_out = configured(place, written(changed(CONFIGURATION_BASE, path, None)))
    assert configured(place, written(changed(CONFIGURATION_BASE, path, value))) == left_out


@pytest.mark.parametrize(("path", "value"), values(POLICY_ROWS, "taken"))
def test_a_value_of_a_policy_that_is_said_to_be_taken_is(path: tuple[str, ...], value: str) -> None:
    base = POLICY_BASE
    if path == ("models",) or path == ("plans",):
        base = {"team": "finance", "models": "[deepseek-flash]"}
    assert policy_of(written(changed(base, path, value))).team


@pytest.mark.parametrize(("path", "value"), values(POLICY_ROWS, "refused"))
def test_a_value_of_a_policy_that_is_said_to_be_refused_is(path: tuple[str, ...], value: str) -> None:
    with pytest.raises(PolicyError) as caught:
        policy_of(written(changed(POLICY_BASE, path, value)))
    assert path[-1] in str(caught.value)


@pytest.mark.parametrize(("path", "value"), values(POLICY_ROWS, "default"))
def test_a_default_of_a_policy_is_what_leaving_it_out_means(path: tuple[str, ...], value: str) -> None:
    left_out = policy_of(written(changed(POLICY_BASE, path, None)))
    told = policy_of(written(changed(POLICY_BASE, path, value)))
    assert replace(told, rule_lines={}) == replace(left_out, rule_lines={})


def with_rule(path: tuple[str, ...], value: str) -> str:
    """An organisation's file with one rule, which demands one thing only."""
    tree = changed(ORGANISATION_BASE, path, value)
    if path[2:3] in (("deny",), ("limit",)):
        tree = changed(tree, ("rules", "0", "require"), None)
    return written(changed(tree, ("rules", "0", "reason"), "because") if path[-1] == "deny" else tree)


@pytest.mark.parametrize(("path", "value"), values(ORGANISATION_ROWS, "taken"))
def test_a_value_of_a_rule_that_is_said_to_be_taken_is(path: tuple[str, ...], value: str) -> None:
    assert organisation_of(with_rule(path, value)).name


@pytest.mark.parametrize(("path", "value"), values(ORGANISATION_ROWS, "refused"))
def test_a_value_of_a_rule_that_is_said_to_be_refused_is(path: tuple[str, ...], value: str) -> None:
    with pytest.raises(PolicyError) as caught:
        organisation_of(with_rule(path, value))
    assert path[-1] in str(caught.value)


def with_case(path: tuple[str, ...], value: str) -> str:
    """A file of one case; a reason stands beside a refusal."""
    tree = changed(CASES_BASE, path, value)
    return written(changed(tree, (*path[:-1], "deny"), "[]") if path[-1] == "reason" else tree)


def cases_of(text: str) -> tuple[Case, ...]:
    return read_cases(parse_bytes(text.encode(), "cases.yaml"), CaseNames(("finance",), routes_of(MODELS)))


@pytest.mark.parametrize(("path", "value"), values(CASES_ROWS, "taken"))
def test_a_value_of_a_case_that_is_said_to_be_taken_is(path: tuple[str, ...], value: str) -> None:
    assert cases_of(with_case(path, value))


@pytest.mark.parametrize(("path", "value"), values(CASES_ROWS, "refused"))
def test_a_value_of_a_case_that_is_said_to_be_refused_is(path: tuple[str, ...], value: str) -> None:
    with pytest.raises(PolicyError) as caught:
        cases_of(with_case(path, value))
    assert path[-1] in str(caught.value)


@pytest.mark.parametrize(("path", "value"), values(CASES_ROWS, "default"))
def test_a_default_of_a_case_is_what_leaving_it_out_means(path: tuple[str, ...], value: str) -> None:
    (told,), (left_out,) = cases_of(with_case(path, value)), cases_of(written(CASES_BASE))
    assert (told.facts, told.expected) == (left_out.facts, left_out.expected)


WALK = section(POLICIES.read_text(), "In five minutes")
"""Its files go together, and are tried so by tests/test_docs_policies.py."""
BLOCKS = [
    pytest.param(block, id=f"{path.name} {number}")
    for path in sorted((ROOT / "docs").glob("*.md"))
    for number, block in enumerate(_BLOCK.findall(path.read_text().replace(WALK, "")))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_yaml_example_of_the_documents_is_one_that_loads(place: Path, block: str) -> None:
    file = block.splitlines()[0]
    if file == "# steelyard.yaml":
        assert configured(place, block).routes
    else:
        assert re.fullmatch(r"# policies/(tests/)?[a-z]+\.yaml", file), (
            "begin an example with its file's name"
        )
        if "tests/" in file:
            assert cases_of(block)
            return
        assert organisation_of(block).rules if "organisation" in file else policy_of(block).models


def test_there_are_examples_of_both() -> None:
    assert len(BLOCKS) >= 4


def test_the_configuration_to_begin_with_has_no_warning_and_needs_no_key() -> None:
    settings = load_settings(ROOT / "examples" / "steelyard.yaml")
    assert [str(found) for policy in settings.policies.teams.values() for found in lint(policy)] == []
    assert {provider.api_key for provider in settings.providers} == {None}


def test_the_configuration_to_begin_with_loads_with_all_that_it_only_hints_at(place: Path) -> None:
    """A user takes the # away, so what stands behind one must be right too."""
    text = (ROOT / "examples" / "steelyard.yaml").read_text()
    text = re.sub(r"^#(  +[a-z])", r"\1", text, flags=re.MULTILINE)
    settings = configured(place, text)
    assert {provider.name for provider in settings.providers} == {"anthropic", "deepseek", "openai"}
    assert {route.name for route in settings.routes} == {
        "local/smollm2",
        "deepseek-flash",
        "gpt-5.5",
        "claude-opus-5-5",
    }
