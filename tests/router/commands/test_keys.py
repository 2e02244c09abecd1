"""`steelyard keys`: made once and shown once, listed without themselves, revoked for good."""

import getpass
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import Result

from ledger.clock import system_clock
from router.settings import load_settings
from router.state.keys import KeyStore
from router.state.office import place_of
from support.command_line import assert_refused, invoke, run
from support.gateway import config_text, write_config

KEY = re.compile(r"^sk-steelyard-[\w-]{43}\n$")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path, config_text("http://127.0.0.1:1/v1"))


def create(config: Path, *options: str) -> Result:
    return invoke("keys", "create", "--config", config, "--team", "finance", *options)


def limits(config: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(config.parent / "steelyard-data" / "ledger.sqlite")
    rows = connection.execute(
        'SELECT scope_kind, scope_id, "window", amount_nano_usd, recorded_by FROM limit_set ORDER BY seq'
    ).fetchall()
    connection.close()
    return rows


def test_a_key_stands_alone_on_stdout_and_nowhere_on_disk(config: Path) -> None:
    ran = run("keys", "create", "--config", config, "--team", "finance", "--name", "invoices")
    assert ran.returncode == 0
    key = ran.stdout.decode()
    assert KEY.match(key)
    assert re.fullmatch(r"key key_\w+ of team 'finance'; it is shown this once:\n", ran.stderr.decode())
    home = config.parent / "steelyard-data"
    stored = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert key.strip().encode() not in stored
    assert key.strip().removeprefix("sk-steelyard-").encode() not in stored


def test_limits_are_rows_of_the_ledger_for_that_key(config: Path) -> None:
    ran = create(config, "--day-usd", "2.50", "--month-usd", "40")
    assert ran.exit_code == 0
    key_id = ran.stderr.split()[1]
    by = f"machine {getpass.getuser()}"
    assert limits(config) == [
        ("key", key_id, "day", 2_500_000_000, by),
        ("key", key_id, "month", 40_000_000_000, by),
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--day-usd", "-1"), "'-1' is negative"),
        (("--month-usd", "-0.01"), "'-0.01' is negative"),
        (("--day-usd", "2,50"), 'write e.g. "12.50"'),
        (("--day-usd", "NaN"), "is not an amount in US dollars"),
        (("--day-usd", "9999999999"), "more than the ledger can count"),
        (("--day-usd", "0.0000000001"), "finer than a billionth"),
        (("--team", "sales"), "there is no policy for team 'sales'; teams are finance"),
        (("--config", "none.yaml"), "none.yaml: there is no such file"),
    ],
    ids=["negative", "negative month", "comma", "NaN", "too much", "too fine", "team", "config"],
)
def test_wrong_usage_makes_no_key(config: Path, options: tuple[str, ...], said: str) -> None:
    assert_refused(create(config, *options), 2, said)
    assert_refused(invoke("keys", "list", "--config", config), 1, "there is no key yet")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda home: (home / "state.sqlite").mkdir(parents=True), "state.sqlite"),
        (lambda home: (home.mkdir(), (home / "state.sqlite").write_text("x" * 99)), "not a readable SQLite file"),
        (lambda home: (home.mkdir(), (home / "pepper").write_text("short")), "the pepper file"),
    ],
    ids=["folder for a file", "no database", "pepper"],
)  # fmt: skip
def test_a_data_folder_that_cannot_be_used_is_a_sentence(
    config: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(config.parent / "steelyard-data")
    for command in (("keys", "create", "--team", "finance"), ("keys", "list"), ("keys", "revoke", "key_1")):
        assert_refused(invoke(*command, "--config", config), 3, said)


def test_a_list_shows_every_key_but_not_itself(config: Path) -> None:
    first = create(config, "--name", "[red]odd[/nope] \x1b[31mname")
    second = create(config, "--name", "receipts")
    ids = [ran.stderr.split()[1] for ran in (first, second)]
    assert invoke("keys", "revoke", ids[0], "--config", config).stdout == f"{ids[0]} is revoked\n"
    ran = run("keys", "list", "--config", config)
    head, *rows = ran.stdout.decode().splitlines()
    columns = "key team project member name ends in environment made expires revoked"
    assert head.split() == columns.split()
    assert [row.split()[0] for row in rows] == ids
    assert "[red]odd[/nope] \ufffd[31mname" in rows[0]
    assert len(rows[0].split()) == len(rows[1].split()) + 3  # its name's second word and the revocation
    for ran_create, row in zip((first, second), rows, strict=True):
        assert ran_create.stdout.strip()[-4:] in row
        assert ran_create.stdout.strip() not in ran.stdout.decode()


def test_a_key_is_revoked_once(config: Path) -> None:
    key_id = create(config).stderr.split()[1]
    assert invoke("keys", "revoke", key_id, "--config", config).exit_code == 0
    for again in (key_id, "key_none"):
        ran = invoke("keys", "revoke", again, "--config", config)
        assert_refused(ran, 1, f"there is no active key '{again}'")


def test_a_key_has_the_rights_that_it_is_made_with(config: Path) -> None:
    invoke("projects", "create", "march", "--team", "finance", "--config", config)
    made = create(
        config, "--project", "march", "--environment", "test", "--model", "a", "--model", "b", "--path", "/v1/chat/*",
        "--expires-days", "30",
    )  # fmt: skip
    assert made.exit_code == 0, made.stderr
    with closing(sqlite3.connect(config.parent / "steelyard-data" / "state.sqlite")) as connection:
        row = connection.execute(
            "SELECT project, environment, models, paths, expires_at_us - created_at_us FROM api_key"
        ).fetchone()
    assert row[:4] == ("march", "test", '["a", "b"]', '["/v1/chat/*"]')
    assert abs(row[4] - 30 * 86_400_000_000) < 60_000_000


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--project", "none"), 1, "no project 'none'"),
        (("--path", "v1"), 2, "paths: 'v1' cannot be"),
        (("--environment", "A B"), 2, "small letters"),
        (("--member", "mem_1"), 2, "say whose key it is"),
    ],
    ids=["project", "path", "environment", "team and member"],
)
def test_rights_that_cannot_be_make_no_key(
    config: Path, options: tuple[str, ...], code: int, said: str
) -> None:
    assert_refused(create(config, *options), code, said)


def test_a_rotated_key_has_a_new_text_and_keeps_its_id(config: Path) -> None:
    key_id = create(config).stderr.split()[1]
    ran = invoke("keys", "rotate", key_id, "--overlap-hours", "0", "--config", config)
    assert ran.exit_code == 0
    assert KEY.match(ran.stdout)
    listed = invoke("keys", "list", "--config", config).stdout
    assert ran.stdout.strip()[-4:] in listed
    assert listed.count("key_") == 1
    assert_refused(invoke("keys", "rotate", "key_none", "--config", config), 1, "no active key 'key_none'")


def test_the_pepper_is_rotated_once_an_overlap_and_keys_work_on(config: Path) -> None:
    key = create(config).stdout.strip()
    settings = load_settings(config)
    ran = invoke("keys", "rotate-pepper", "--overlap-days", "30", "--config", config)
    assert ran.exit_code == 0
    assert ran.stdout.startswith("pepper ")
    place = place_of(settings, system_clock)
    with closing(KeyStore(place.path, place.peppers, system_clock)) as keys:
        assert keys.find(key) is not None
    again = invoke("keys", "rotate-pepper", "--config", config)
    assert_refused(again, 2, "overlap has not ended")
    named = invoke("keys", "rotate-pepper", "--config", config, env={"STEELYARD_PEPPER": "e" * 32})
    assert_refused(named, 2, "STEELYARD_PEPPER_PREVIOUS")
    with closing(sqlite3.connect(settings.ledger_path)) as connection:
        rows = connection.execute("SELECT action FROM change WHERE object_kind = 'pepper'").fetchall()
    assert rows == [("rotated",)]
