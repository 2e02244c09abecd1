"""A configuration is read whole from real files; what is wrong with it is one sentence at its line."""

import textwrap
from pathlib import Path

import pytest

from policies.errors import DocumentError, PolicyError
from router.errors import InvalidRequestError
from router.settings import KEYS, Settings, client_defaults, ledger_path_of, load_settings, models_folder

SECRET = "sk-live-51HxYzAbCdEf"
PEPPER = "p" * 40
CONFIG = """\
data: rows
policies: rules
server:
  host: 127.0.0.2
  port: 8401
  max_body_mb: 2
  log_requests: false
ledger:
  disk_reserve_mb: 1
providers:
  deepseek:
    base_url: https://api.deepseek.com/v1
    key_env: DEEPSEEK_API_KEY
routes:
  flash:
    provider: deepseek
    price: deepseek/deepseek-flash
    context_window: 1000000
    max_output_tokens: 384000
"""
LEAST = """\
routes:
  small:
    engine: gguf
    price: {cpu_usd_per_hour: "0.02"}
"""
POLICY = 'team: finance\nmodels: ["*"]\n'


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what these tests set."""
    for name in (
        "STEELYARD_PEPPER",
        "STEELYARD_URL",
        "STEELYARD_API_KEY",
        "STEELYARD_MODELS",
        "OPENAI_API_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DEEPSEEK_API_KEY", SECRET)


def config_in(folder: Path, text: str | bytes, policy: str = POLICY) -> Path:
    for name in ("rules", "policies"):
        (folder / name).mkdir()
        (folder / name / "finance.yaml").write_text(policy)
    path = folder / "steelyard.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def settings_of(folder: Path, text: str, policy: str = POLICY) -> Settings:
    return load_settings(config_in(folder, text, policy))


def test_every_section_is_read(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, CONFIG)
    assert (settings.data_dir, settings.ledger_path) == (
        tmp_path / "rows",
        tmp_path / "rows" / "ledger.sqlite",
    )
    assert (settings.host, settings.port) == ("127.0.0.2", 8_401)
    assert (settings.body_bytes_max, settings.bodies_bytes_max) == (2_000_000, 256_000_000)
    assert not settings.log_requests
    assert settings.disk_reserve_bytes == 1 << 20
    assert [provider.api_key for provider in settings.providers] == [SECRET]
    assert [route.name for route in settings.routes] == ["flash"]
    assert settings.policies.teams["finance"].models == ("flash",)
    assert {line.split(":")[0] for line in CONFIG.splitlines() if line[0] != " "} == set(KEYS)


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, LEAST)
    assert settings.data_dir == tmp_path / "steelyard-data"
    assert (settings.host, settings.port) == ("127.0.0.1", 8_400)
    assert (settings.body_bytes_max, settings.bodies_bytes_max) == (20_000_000, 256_000_000)
    assert settings.log_requests
    assert settings.disk_reserve_bytes == 64 << 20
    assert (settings.providers, settings.pepper) == ((), None)


@pytest.mark.parametrize(
    ("server", "megabytes"),
    [("{max_body_mb: 100}", 400), ("{max_bodies_mb: 80}", 80), ("{max_body_mb: 1, max_bodies_mb: 4}", 4)],
)
def test_all_bodies_have_room_for_four_of_the_largest(tmp_path: Path, server: str, megabytes: int) -> None:
    settings = settings_of(tmp_path, f"server: {server}\n{LEAST}")
    assert settings.bodies_bytes_max == megabytes * 1_000_000


def test_less_room_for_all_bodies_is_refused_with_the_least(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="max_bodies_mb is 79; it must be at least 80, 4 times max_body_mb"):
        settings_of(tmp_path, f"server: {{max_bodies_mb: 79}}\n{LEAST}")


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    config = config_in(tmp_path, CONFIG)
    settings = load_settings(config, host="::1", port=0)
    assert (settings.host, settings.port) == ("::1", 0)


@pytest.mark.parametrize("host", ["", "localhost:80", "http://localhost", "a" * 64, "ä"])
def test_a_host_on_the_command_line_that_is_none_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"--host '.*' is no host; write e\.g\. 127\.0\.0\.1"):
        load_settings(config_in(tmp_path, LEAST), host=host)


def test_no_secret_is_in_a_repr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_PEPPER", PEPPER)
    settings = settings_of(tmp_path, CONFIG)
    assert settings.pepper == PEPPER
    for text in (repr(settings), str(settings), repr(settings.providers), f"{settings.routes}"):
        assert SECRET not in text
        assert PEPPER not in text


def test_models_are_what_policies_may_name_each_once(tmp_path: Path) -> None:
    two = (
        LEAST
        + "    model: flash\n"
        + textwrap.indent(textwrap.dedent(LEAST.split("\n", 1)[1]), "  ").replace("small", "other")
    )
    settings = settings_of(tmp_path, two + "    model: flash\n")
    assert [route.model for route in settings.routes] == ["flash", "flash"]
    assert settings.policies.teams["finance"].models == ("flash",)


def swapped(old: str, new: str) -> str:
    assert old in CONFIG
    return CONFIG.replace(old, new)


REFUSED = {
    "unknown section": (CONFIG + "route: {}\n", 20, "unknown key 'route'; did you mean 'routes'?"),
    "unknown section, nothing near": (CONFIG + "zzz: 1\n", 20, "unknown key 'zzz'; known are data, ledger, policies"),
    "section twice": (CONFIG + "data: x\n", 20, "the key 'data' is here twice; the first is in line 1"),
    "data empty": (swapped("data: rows", "data:"), 1, "data is empty; write a value or leave the key out"),
    "data as a list": (swapped("data: rows", "data: [a]"), 1, "data must be a single value"),
    "data with a NUL": (swapped("data: rows", 'data: "a\\0b"'), 1, "plain text on one line"),
    "unknown server key": (swapped("port: 8401", "prot: 8401"), 5, "unknown key 'prot' in server; did you mean 'port'?"),
    "host with its port": (swapped("127.0.0.2", "127.0.0.2:8400"), 4, "server.host is '127.0.0.2:8400'; write an address or a name without port"),
    "host beyond ASCII": (swapped("127.0.0.2", "größe"), 4, "server.host is 'größe'"),
    "host as an address of the web": (swapped("127.0.0.2", "http://localhost"), 4, "without port, e.g. 127.0.0.1"),
    "port too high": (swapped("8401", "65536"), 5, "server.port is 65536; it must be from 0 to 65535"),
    "port below zero": (swapped("8401", "-1"), 5, "server.port is -1"),
    "port with an exponent": (swapped("8401", "8e3"), 5, "server.port is '8e3'; write a whole number"),
    "port in hexadecimal": (swapped("8401", "0x1F90"), 5, "server.port is '0x1F90'"),
    "port as a word": (swapped("8401", "http"), 5, "server.port is 'http'"),
    "port of 5,000 digits": (swapped("8401", "9" * 5_000), 5, "write a whole number from 0 to 65535"),
    "body of nothing": (swapped("max_body_mb: 2", "max_body_mb: 0"), 6, "server.max_body_mb is 0; it must be from 1 to 256"),
    "body of a half": (swapped("max_body_mb: 2", "max_body_mb: 0.5"), 6, "server.max_body_mb is '0.5'; write a whole number"),
    "logs by a word": (swapped("log_requests: false", "log_requests: no"), 7, "server.log_requests is 'no'; write true or false"),
    "server as a word": (swapped(CONFIG[CONFIG.index("server:"):CONFIG.index("ledger:")], "server: localhost\n"), 3, "server must be a mapping"),
    "reserve below zero": (swapped("disk_reserve_mb: 1", "disk_reserve_mb: -1"), 9, "ledger.disk_reserve_mb is -1"),
    "reserve without an end": (swapped("disk_reserve_mb: 1", "disk_reserve_mb: .inf"), 9, "ledger.disk_reserve_mb is '.inf'"),
    "unknown ledger key": (swapped("disk_reserve_mb", "disk_reserve"), 9, "did you mean 'disk_reserve_mb'?"),
    "providers as a list": (swapped("  deepseek:\n    base_url", "  - deepseek:\n    base_url"), 11, "providers must be a mapping"),
    "address with credentials": (swapped("https://api", f"https://me:{SECRET}@api"), 12, "holds a user or a password; leave them out"),
    "key pasted": (swapped("DEEPSEEK_API_KEY", SECRET), 13, "a key itself never stands in a file"),
    "variable not set": (swapped("DEEPSEEK_API_KEY", "OPENAI_API_KEY"), 13, "the environment variable OPENAI_API_KEY is not set; export it"),
    "unknown dialect": (swapped("key_env: DEEPSEEK_API_KEY", "dialect: deep"), 13, "it is one of openai, deepseek, generic"),
    "no routes": (CONFIG[: CONFIG.index("routes:")] + "routes: {}\n", 14, "routes is empty; name at least one model"),
    "routes commented out": (CONFIG[: CONFIG.index("routes:")] + "routes:\n# flash:\n", 14, "routes is empty"),
    "route named like a plan": (swapped("  flash:", "  cheap:"), 15, "'cheap' is the name of a plan; call the route something else"),
    "unknown provider": (swapped("provider: deepseek", "provider: deepsek"), 16, "did you mean 'deepseek'?"),
    "no price": (swapped("    price: deepseek/deepseek-flash\n", ""), 15, "routes.flash.price is missing"),
    "negative money": (swapped("deepseek/deepseek-flash", "{input_usd_per_million: -1, output_usd_per_million: 1}"), 17, "'-1' is negative"),
    "window with an exponent": (swapped("1000000", "1e6"), 18, "write a whole number"),
    "unknown schema mode": (CONFIG + "    schema: josn_object\n", 20, "did you mean 'json_object'?"),
    "tab": (swapped("  port: 8401", "\tport: 8401"), 5, "indent with spaces, not tabs"),
    "alias": (swapped("data: rows", "data: *rows"), 1, "anchors and aliases are not read"),
    "empty": ("", 1, "the file is empty; write keys and values"),
    "a list": ("- data\n", 1, "must be a mapping"),
    "not YAML": ("{{{", 1, "a key must be a single word"),
    "binary noise": (bytes(range(128, 256)), 1, "save it as UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_configuration_is_one_sentence_with_its_line(
    tmp_path: Path, text: str | bytes, line: int, said: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        load_settings(config_in(tmp_path, text))
    assert str(caught.value).startswith(f"steelyard.yaml line {line}: ")
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_error_of_a_policy_names_the_policys_file(tmp_path: Path) -> None:
    with pytest.raises(
        PolicyError,
        match=r"^finance.yaml line 2: models names the unknown model 'flush'; did you mean 'flash'",
    ):
        settings_of(tmp_path, CONFIG, "team: finance\nmodels: [flush]\n")


def test_a_folder_that_is_none_is_refused_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        PolicyError, match=r"^steelyard.yaml line 1: data names .*/file, which is a file; name a folder"
    ):
        settings_of(tmp_path, swapped("data: rows", "data: file"))
    path = tmp_path / "steelyard.yaml"
    for name in ("file", "nowhere"):
        path.write_text(swapped("policies: rules", f"policies: {name}"))
        with pytest.raises(
            PolicyError, match=rf"^steelyard.yaml line 2: policies names the folder .*/{name}, which"
        ):
            load_settings(path)


def test_a_route_that_has_another_model_name_is_not_what_a_policy_names(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="unknown model 'small'"):
        settings_of(tmp_path, LEAST + "    model: tiny\n", "team: finance\nmodels: [small]\n")


def test_a_file_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(DocumentError) as caught:
            load_settings(path)
        assert str(caught.value).startswith(f"{path}: there is no such file; copy examples/steelyard.yaml")
        with pytest.raises(DocumentError, match="there is no such file"):
            ledger_path_of(path)


def test_the_ledger_is_found_although_the_rest_is_wrong(tmp_path: Path) -> None:
    """A report must be had of a gateway whose key is not in this environment."""
    config = config_in(tmp_path, swapped("DEEPSEEK_API_KEY", "OPENAI_API_KEY") + "zzz: 1\n")
    assert ledger_path_of(config) == tmp_path / "rows" / "ledger.sqlite"


def test_the_weights_folder_is_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEELYARD_MODELS", "/srv/models")
    assert models_folder() == Path("/srv/models")


def test_a_client_is_told_by_the_environment_whom_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    assert client_defaults() == (None, None)
    monkeypatch.setenv("STEELYARD_URL", "")
    monkeypatch.setenv("STEELYARD_API_KEY", "")
    assert client_defaults() == (None, None), "an empty variable is one that is not set"
    monkeypatch.setenv("STEELYARD_URL", "http://127.0.0.1:8400")
    monkeypatch.setenv("STEELYARD_API_KEY", "sk-steelyard-x")
    assert client_defaults() == ("http://127.0.0.1:8400", "sk-steelyard-x")
