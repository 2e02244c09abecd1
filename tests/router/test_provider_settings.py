"""Providers: an address, a dialect, and a key that only the environment knows."""

import pytest

from policies.document import parse_bytes
from policies.errors import PolicyError
from policies.route_facts import Runs
from router.catalog import Dialect
from router.provider_settings import ProviderKind, ProviderSettings, is_host, read_providers
from router.route_facts import ServerFacts

SECRET = "sk-live-51HxYzAbCdEf"
ENVIRONMENT = {
    "DEEPSEEK_API_KEY": SECRET,
    "EMPTY_KEY": "",
    "LINE_KEY": f"{SECRET}\n",
    "SPACE_KEY": f"Bearer {SECRET}",
    "ACCENT_KEY": f"{SECRET}é",
}


def providers_of(entry: str) -> dict[str, ProviderSettings]:
    text = f"providers:\n  hosted:\n{entry}"
    return read_providers(parse_bytes(text.encode(), "steelyard.yaml").mapping("providers"), ENVIRONMENT)


def address(url: str) -> str:
    return f"    base_url: {url}\n"


def test_a_provider_has_its_address_its_key_and_its_dialect() -> None:
    entry = address("https://api.deepseek.com/v1") + "    key_env: DEEPSEEK_API_KEY\n    dialect: deepseek\n"
    expected = ProviderSettings("hosted", "https://api.deepseek.com/v1", SECRET, Dialect.DEEPSEEK)
    assert providers_of(entry) == {"hosted": expected}


def test_a_server_that_wants_no_key_needs_none() -> None:
    found = providers_of(address("http://127.0.0.1:8000/v1"))["hosted"]
    assert (found.api_key, found.dialect) == (None, Dialect.GENERIC)


def test_a_provider_may_speak_anthropics_format() -> None:
    entry = address("https://api.anthropic.com") + "    type: anthropic\n    key_env: DEEPSEEK_API_KEY\n"
    found = providers_of(entry)["hosted"]
    assert (found.kind, found.api_key) == (ProviderKind.ANTHROPIC, SECRET)


def test_a_provider_of_litellms_has_its_options_and_secrets_and_shows_none() -> None:
    entry = address("https://bedrock.example") + (
        "    type: litellm\n    vendor: bedrock\n    options: {aws_region_name: eu-central-1}\n"
        "    secrets: {aws_secret_access_key: DEEPSEEK_API_KEY}\n"
    )
    found = providers_of(entry)["hosted"]
    assert found.options == {"aws_region_name": "eu-central-1", "aws_secret_access_key": SECRET}
    assert SECRET not in repr(found)


def test_no_key_is_in_a_providers_repr() -> None:
    found = providers_of(address("https://api.deepseek.com") + "    key_env: DEEPSEEK_API_KEY\n")
    assert SECRET not in repr(found)
    assert SECRET not in f"{found['hosted']}"
    assert found["hosted"].api_key == SECRET


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "http://localhost:8000",
        "http://10.0.0.7:8000/v1/",
        "'http://[::1]:8000/v1'",
        "https://my_vllm.internal/some/path",
        "HTTPS://API.DEEPSEEK.COM",
        "https://xn--mnchen-3ya.example/v1",
    ],
)
def test_an_address_is_taken_as_written(url: str) -> None:
    assert providers_of(address(url))["hosted"].base_url == url.strip("'")


def test_a_provider_says_who_runs_it_where_and_what_it_promises() -> None:
    entry = address("http://10.0.0.7/v1") + (
        "    runs: on_premises\n    place: cellar\n    jurisdiction: DE\n    zero_retention: true\n    no_training: true\n"
    )
    assert providers_of(entry)["hosted"].server == ServerFacts(
        Runs.ON_PREMISES, "cellar", "DE", zero_retention=True, no_training=True
    )
    assert providers_of(address("http://10.0.0.7/v1"))["hosted"].server == ServerFacts()


def test_no_provider_has_the_name_of_what_runs_on_this_machine() -> None:
    document = parse_bytes(b"providers:\n  local: {base_url: http://127.0.0.1/v1}\n", "f.yaml")
    with pytest.raises(PolicyError, match=r"f.yaml line 2: 'local' is the provider of the engines on this"):
        read_providers(document.mapping("providers"), {})


GOOD = address("https://api.deepseek.com/v1")
NO_ADDRESS = "providers.hosted.base_url is no address; write e.g. https://api.deepseek.com/v1"
REFUSED = {
    "no address": ("    dialect: deepseek\n", 2, "providers.hosted.base_url is missing; add it"),
    "nothing at all": ("", 2, "providers.hosted.base_url is missing"),
    "address empty": (address(""), 3, "providers.hosted.base_url is empty"),
    "address of another scheme": (address("ftp://api.deepseek.com"), 3, NO_ADDRESS),
    "address of a file": (address("file:///etc/passwd"), 3, NO_ADDRESS),
    "address without scheme": (address("api.deepseek.com/v1"), 3, NO_ADDRESS),
    "address without host": (address("https:///v1"), 3, NO_ADDRESS),
    "address with a space": (address("https://api.deepseek.com/v 1"), 3, NO_ADDRESS),
    "address with a bracket left open": (address("'http://[::1'"), 3, NO_ADDRESS),
    "address with letters for a port": (address("'https://api.deepseek.com:https/v1'"), 3, NO_ADDRESS),
    "address with a port too high": (address("'https://api.deepseek.com:70000/v1'"), 3, NO_ADDRESS),
    "address with port 0": (address("'https://api.deepseek.com:0/v1'"), 3, NO_ADDRESS),
    "address with an empty label": (address("https://api..com/v1"), 3, NO_ADDRESS),
    "address with a label too long": (address(f"https://{'a' * 64}.com/v1"), 3, NO_ADDRESS),
    "address beyond ASCII": (address("https://münchen.example/v1"), 3, NO_ADDRESS),
    "address with an escape in its host": (address("https://ex%41mple.com/v1"), 3, NO_ADDRESS),
    "address with user and password": (address(f"https://me:{SECRET}@api.deepseek.com/v1"), 3, "leave them out, and name the variable"),
    "address with a password alone": (address(f"'http://:{SECRET}@127.0.0.1:8000/v1'"), 3, "holds a user or a password"),
    "address with a user alone": (address(f"http://{SECRET}@127.0.0.1:8000/v1"), 3, "holds a user or a password"),
    "address with a query": (address(f"https://api.deepseek.com/v1?key={SECRET}"), 3, "holds a '?' or a '#'; write the address up to there"),
    "address with an empty query": (address("https://api.deepseek.com/v1?"), 3, "holds a '?' or a '#'"),
    "address with a fragment": (address(f"https://api.deepseek.com/v1#{SECRET}"), 3, "holds a '?' or a '#'"),
    "address of a method": (address("https://api.deepseek.com/v1/chat/completions"), 3, "leave out /chat/completions"),
    "key pasted": (GOOD + f"    key_env: {SECRET}\n", 4, "must be the name of an environment variable, e.g. DEEPSEEK_API_KEY; a key itself never stands"),
    "key pasted, capitals and digits": (GOOD + "    key_env: AKIAIOSFODNN7EXAMPLE\n", 4, "the environment variable named there is not set"),
    "key pasted as a reference": (GOOD + "    key_env: ${DEEPSEEK_API_KEY}\n", 4, "must be the name of an environment variable"),
    "key pasted under another key": (GOOD + f"    api_key: {SECRET}\n", 4, "unknown key 'api_key' in providers.hosted; known are base_url, dialect, jurisdiction, key_env, no_training, options, place"),
    "variable in small letters": (GOOD + "    key_env: deepseek_api_key\n", 4, "must be the name of an environment variable"),
    "variable not set": (GOOD + "    key_env: OPENAI_API_KEY\n", 4, "the environment variable OPENAI_API_KEY is not set; export it before the start"),
    "variable empty": (GOOD + "    key_env: EMPTY_KEY\n", 4, "the environment variable EMPTY_KEY is not set"),
    "variable left out": (GOOD + "    key_env:\n", 4, "providers.hosted.key_env is empty"),
    "variable with a line break": (GOOD + "    key_env: LINE_KEY\n", 4, "holds more than a key (a space, a line break"),
    "variable with more than the key": (GOOD + "    key_env: SPACE_KEY\n", 4, "export the key alone"),
    "variable beyond ASCII": (GOOD + "    key_env: ACCENT_KEY\n", 4, "export the key alone"),
    "unknown dialect": (GOOD + "    dialect: deepsek\n", 4, "it is one of openai, deepseek, generic; did you mean 'deepseek'?"),
    "address of Anthropic's method": (address("https://api.anthropic.com/v1/messages") + "    type: anthropic\n", 3, "leave out /messages"),
    "unknown type": (GOOD + "    type: antropic\n", 4, "it is one of openai_compatible, anthropic, litellm; did you mean 'anthropic'?"),
    "a dialect of Anthropic's format": (GOOD + "    type: anthropic\n    dialect: generic\n", 5, "providers.hosted.dialect says where servers of OpenAI's format differ; leave it out"),
    "a vendor of a provider that litellm does not speak to": (GOOD + "    vendor: bedrock\n", 4, "providers.hosted.vendor is for a provider of `type: litellm`; leave it out"),
    "no vendor": (GOOD + "    type: litellm\n", 2, "providers.hosted.vendor"),
    "an option that has a key of its own": (GOOD + "    type: litellm\n    vendor: bedrock\n    options: {api_base: x}\n", 6, "providers.hosted.options.api_base is no option"),
    "a secret in the file": (GOOD + f"    type: litellm\n    vendor: bedrock\n    secrets: {{aws_secret_access_key: {SECRET}}}\n", 6, "a key itself never stands in a file"),
    "runs on this machine": (GOOD + "    runs: local\n", 4, "providers.hosted.runs is local, which only an engine of the gateway's own is; write on_premises"),
    "runs somewhere": (GOOD + "    runs: cloud\n", 4, "it is one of local, on_premises, hosted"),
    "a country by name": (GOOD + "    jurisdiction: Germany\n", 4, "providers.hosted.jurisdiction is 'Germany'; write a country's two capital letters (ISO 3166), e.g. DE, or EU"),
    "a promise in words": (GOOD + "    zero_retention: 30 days\n", 4, "providers.hosted.zero_retention is '30 days'; write true or false"),
    "a place too long": (GOOD + f"    place: {'x' * 65}\n", 4, "providers.hosted.place has more than 64 characters"),
    "unknown key": (GOOD + "    baseurl: x\n", 4, "unknown key 'baseurl' in providers.hosted; did you mean 'base_url'?"),
    "two addresses": (GOOD + GOOD, 4, "the key 'base_url' is here twice"),
    "an address alone": ("    https://api.deepseek.com\n", 3, "providers.hosted must be a mapping"),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "line", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_provider_is_one_sentence_without_a_secret(entry: str, line: int, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        providers_of(entry)
    assert str(caught.value).startswith(f"steelyard.yaml line {line}: ")
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "AKIA" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "10.0.0.7", "::1", "::", "localhost", "a.b.example.", "my_host"]
)
def test_a_host_is_an_address_or_a_name(text: str) -> None:
    assert is_host(text)


@pytest.mark.parametrize(
    "text", ["", ".", "localhost:8400", "http://localhost", "a b", "-a", "a-", "ä", "a..b", "a" * 64, "a." * 200, "[::1]"]
)  # fmt: skip
def test_a_host_is_nothing_else(text: str) -> None:
    assert not is_host(text)
