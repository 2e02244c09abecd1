"""`steelyard config check`, and a start with a configuration that is wrong: one sentence, an exit code."""

from pathlib import Path

import pytest

from router.commands.exit_codes import USAGE
from support.command_line import assert_refused, invoke, run

SECRET = "sk-live-51HxYzAbCdEf"
CONFIG = """\
ledger: {disk_reserve_mb: 0}
providers:
  openai:
    base_url: https://api.openai.com/v1
    key_env: TEST_OPENAI_KEY
routes:
  gpt-5-mini:
    provider: openai
    premium: true
    price: gpt-5-mini
    context_window: 272000
    max_output_tokens: 128000
"""
LOCAL = """\
routes:
  small:
    engine: gguf
    weights: small.gguf
    price: {cpu_usd_per_hour: "0.02"}
"""
POLICY = """\
team: finance
models: ["*"]
plans: {cheap: [gpt-5-mini]}
auto: {extraction: cheap, generation: cheap}
baseline: gpt-5-mini
limits: {month_usd: 50}
"""
LEAST = 'team: finance\nmodels: ["*"]\n'


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that the configuration names."""
    monkeypatch.setenv("TEST_OPENAI_KEY", SECRET)


def config_in(folder: Path, text: str = CONFIG, policy: str = POLICY) -> Path:
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies" / "finance.yaml").write_text(policy)
    path = folder / "steelyard.yaml"
    path.write_text(text)
    return path


def test_what_a_start_would_take_is_fine(tmp_path: Path) -> None:
    config = config_in(tmp_path, policy=POLICY.replace("baseline: gpt-5-mini\n", ""))
    ran = run("config", "check", "--config", config)
    assert (ran.returncode, ran.stderr) == (0, b"")
    warning, told = ran.stdout.decode().splitlines()
    assert warning == (
        "warning: finance.yaml line 1: no baseline is named, so reports cannot estimate what a premium model would have cost"
    )
    assert told == f"{config} is fine: 1 route, 1 team, 1 warning"
    assert not (tmp_path / "steelyard-data").exists(), "a check writes nothing"


def test_the_configuration_of_this_folder_is_checked_by_default(tmp_path: Path) -> None:
    config_in(tmp_path, policy=POLICY.replace("cheap", "premium"))
    ran = run("config", "check", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, b"steelyard.yaml is fine: 1 route, 1 team\n")


def test_weights_that_are_not_there_are_a_warning(tmp_path: Path) -> None:
    config = config_in(tmp_path, LOCAL, LEAST)
    told = f"warning: route 'small' has no weights at {tmp_path / 'small.gguf'}; `steelyard local pull smollm2` gets"
    assert told in invoke("config", "check", "-c", config).stdout
    (tmp_path / "small.gguf").write_bytes(b"GGUF")
    ran = invoke("config", "check", "-c", config)
    assert "no weights" not in ran.stdout
    assert ran.exit_code == 0


BROKEN = {
    "unknown key": (CONFIG + "route: {}\n", POLICY, "steelyard.yaml line 13: unknown key 'route'; did you mean 'routes'?"),
    "not YAML": (CONFIG + "\tx: 1\n", POLICY, "steelyard.yaml line 13: this is not YAML"),
    "binary": ("\x00\x01", POLICY, "steelyard.yaml line 1: this line holds a NUL byte"),
    "unpriced": (
        CONFIG.replace("price: gpt-5-mini", "price: gpt-5-mni"), POLICY,
        "steelyard.yaml line 10: no price is listed for 'gpt-5-mni'; did you mean gpt-5-mini",
    ),
    "no price": (CONFIG.replace("    price: gpt-5-mini\n", ""), POLICY, "steelyard.yaml line 7: routes.gpt-5-mini.price is missing"),
    "key pasted": (CONFIG.replace("TEST_OPENAI_KEY", SECRET), POLICY, "steelyard.yaml line 5: providers.openai.key_env must be the name"),
    "variable not set": (CONFIG.replace("TEST_OPENAI_KEY", "TEST_OPENAI_KEX"), POLICY, "variable TEST_OPENAI_KEX is not set"),
    "unknown model in a policy": (
        CONFIG, POLICY.replace("baseline: gpt-5-mini", "baseline: gpt-5"),
        "finance.yaml line 5: baseline names the unknown model 'gpt-5'; did you mean 'gpt-5-mini'?",
    ),
    "negative money in a policy": (CONFIG, POLICY.replace("50", "-50"), "finance.yaml line 6: limits.month_usd: '-50' is negative"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "policy", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_is_one_sentence_and_exit_2(tmp_path: Path, text: str, policy: str, said: str) -> None:
    ran = invoke("config", "check", "--config", config_in(tmp_path, text, policy))
    assert_refused(ran, USAGE, said)
    assert SECRET not in ran.stderr


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("config check", "unpriced"),
        ("serve --port 0", "unpriced"),
        ("serve --port 0", "negative money in a policy"),
    ],
)
def test_a_check_and_a_start_say_the_same(tmp_path: Path, command: str, wrong: str) -> None:
    text, policy, said = BROKEN[wrong]
    ran = run(*command.split(), "--config", config_in(tmp_path, text, policy))
    assert_refused(ran, USAGE, said)
    assert b"Traceback" not in ran.stderr


def test_no_configuration_at_all_is_one_sentence(tmp_path: Path) -> None:
    ran = run("serve", cwd=tmp_path)
    assert_refused(
        ran, USAGE, "steelyard.yaml: there is no such file; copy examples/steelyard.yaml and adapt it"
    )


def test_a_folder_where_rules_should_stand_is_wrong_usage(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    (tmp_path / "policies" / "legal.yaml").mkdir()
    assert_refused(invoke("config", "check", "--config", config), USAGE, "legal.yaml: this is a folder")
