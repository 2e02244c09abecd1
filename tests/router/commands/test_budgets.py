"""`steelyard budgets`: limits are rows of the ledger; the list shows those of policies, too."""

from pathlib import Path

import pytest

from support.command_line import assert_refused, invoke
from support.gateway import config_text, make_key, running_gateway, write_config
from support.upstream import running_upstream


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path, config_text("http://127.0.0.1:1/v1"))


def listed(config: Path) -> list[list[str]]:
    return [line.split() for line in invoke("budgets", "list", "--config", config).stdout.splitlines()[1:]]


def test_limits_of_a_team_a_project_and_a_key_are_set_listed_and_lifted(config: Path) -> None:
    invoke("projects", "create", "march", "--team", "finance", "--config", config)
    key_id = invoke("keys", "create", "--team", "finance", "--config", config).stderr.split()[1]
    for whose in (("--team", "finance"), ("--team", "finance", "--project", "march"), ("--key", key_id)):
        ran = invoke("budgets", "set", *whose, "--month-usd", "200", "--config", config)
        assert ran.exit_code == 0, ran.stderr
        assert "$200.00 a month" in ran.stdout
    assert [row[:5] for row in listed(config)] == [
        ["key", key_id, "month", "$200.00", "$0.00"],
        ["project", "finance/march", "month", "$200.00", "$0.00"],
        ["team", "finance", "month", "$1000.00", "$0.00"],
        ["team", "finance", "month", "$200.00", "$0.00"],
    ]
    ran = invoke("budgets", "set", "--key", key_id, "--month-usd", "none", "--config", config)
    assert ran.stdout == f"key '{key_id}': no limit a month\n"
    assert [row[0] for row in listed(config)] == ["project", "team", "team"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--team", "finance"), 2, "say how much"),
        (("--day-usd", "5"), 2, "name whose budget it is"),
        (("--team", "finance", "--key", "key_1", "--day-usd", "5"), 2, "name whose budget it is"),
        (("--team", "none", "--day-usd", "5"), 1, "there is no team 'none'"),
        (("--team", "finance", "--project", "none", "--day-usd", "5"), 1, "no project 'none'"),
        (("--key", "key_1", "--day-usd", "5"), 1, "no active key 'key_1'"),
        (("--team", "finance", "--day-usd", "-5"), 2, "is negative"),
    ],
)
def test_what_is_not_there_has_no_budget(
    config: Path, options: tuple[str, ...], code: int, said: str
) -> None:
    assert_refused(invoke("budgets", "set", *options, "--config", config), code, said)


def test_a_limit_holds_at_a_running_gateway_and_the_list_says_what_is_spent(tmp_path: Path) -> None:
    with running_upstream() as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        key = make_key(config)
        with running_gateway(config) as gateway:
            assert gateway.chat(key).status == 200
            gateway.wait_for_rows("SELECT * FROM answer", 1)
            invoke("budgets", "set", "--team", "finance", "--day-usd", "0.000000001", "--config", config)
            while gateway.chat(key).status == 200:
                continue  # it holds within 50 ms
            assert gateway.chat(key).status == 402
            spent = {row[2]: row[4] for row in listed(config)}
    assert spent["day"] == spent["month"] != "$0.00"
