"""`steelyard extract`, run as a user runs it: JSON lines on stdout, words on stderr, an exit code."""

import asyncio
import contextlib
import json
import os
import pty
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest

from router.commands.client import IN_FLIGHT
from support.command_line import PROGRAM, ROOT, assert_refused, environment, invoke, run, start
from support.gateway import POLICY, RunningGateway, config_text, make_key, running_gateway, write_config
from support.processes import end_of
from support.upstream import Upstream, running_upstream
from support.upstream_bill import TokenPrices
from support.upstream_script import Behaviour, Fault, Received

PRICES = TokenPrices(input=1_000_000_000, cached=100_000_000, output=2_000_000_000)
SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": "string", "maxLength": 20}},
    "required": ["total"],
    "additionalProperties": False,
}


def behave(request: Received) -> Behaviour:
    """Answer with the document's last word; a document that says "wait" hangs until it is let go."""
    text = request.last_user_text
    fault = Fault.HANG_BEFORE_HEADERS if "wait" in text else Fault.NONE
    return Behaviour(answer={"total": text.split()[-1]}, fault=fault)


@dataclass(frozen=True, slots=True)
class Place:
    """A configuration, a schema and an upstream."""

    config: Path
    schema: Path
    upstream: Upstream

    def document(self, name: str, text: str) -> Path:
        """Write a document."""
        path = self.config.parent / name
        path.write_text(text)
        return path

    def arguments(self, *more: str | Path) -> tuple[str | Path, ...]:
        """The command with its configuration and schema, then `more`."""
        return ("extract", "--config", self.config, "--schema", self.schema, *more)

    def keys(self) -> list[tuple[object, ...]]:
        """Each key's name, and whether it is revoked."""
        connection = sqlite3.connect(self.config.parent / "steelyard-data" / "state.sqlite")
        try:
            return connection.execute("SELECT name, revoked_at_us IS NOT NULL FROM api_key").fetchall()
        finally:
            connection.close()


def make_place(folder: Path, upstream: Upstream) -> Place:
    teams = {team: POLICY.replace("finance", team) for team in ("finance", "legal")}
    config = write_config(folder, config_text(upstream.base_url), teams)
    schema = folder / "invoice.schema.json"
    schema.write_text(json.dumps(SCHEMA))
    return Place(config, schema, upstream)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running_upstream(behave=behave, prices=PRICES) as upstream:
        yield make_place(tmp_path, upstream)


@dataclass(frozen=True, slots=True)
class Served:
    """A place whose gateway runs."""

    place: Place
    gateway: RunningGateway


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running_upstream(behave=behave, prices=PRICES) as upstream:
        place = make_place(tmp_path_factory.mktemp("served"), upstream)
        with running_gateway(place.config) as gateway:
            yield Served(place, gateway)


def lines(out: bytes) -> list[dict[str, object]]:
    """Every line of stdout; each must be JSON."""
    return [json.loads(line) for line in out.splitlines()]


def test_lines_come_in_the_order_of_the_files_although_the_first_is_answered_last(place: Place) -> None:
    names = ["1.10", "2.20", "3.30", "4.40", "5.50", "6.60"]
    files = [place.document(name, f"{'wait' if name == names[0] else ''} Total {name}") for name in names]
    with running_gateway(place.config):
        child = start(*place.arguments("--team", "finance", *files))
        place.upstream.wait_for_charges(len(names) - 1)
        place.upstream.release()
        out, err = child.communicate()
    assert child.returncode == 0, err
    found = lines(out)
    assert [line["file"] for line in found] == [str(path) for path in files]
    assert [line["answer"] for line in found] == [{"total": name} for name in names]
    assert all(line["error"] is None and line["passed"] is True for line in found)


def test_a_gateway_is_started_for_the_command_if_none_runs_and_nothing_is_left(place: Place) -> None:
    home = place.config.parent / "steelyard-data"
    home.mkdir()
    # what a gateway that was killed leaves behind is not believed, though another process has its number now
    (home / "gateway.json").write_text(json.dumps({"url": "http://127.0.0.1:9", "pid": os.getpid()}))
    (home / "gateway.lock").touch()
    ran = run(*place.arguments("--team", "legal", place.document("a.txt", "Total 4.50")))
    assert ran.returncode == 0, ran.stderr
    (line,) = lines(ran.stdout)
    assert line["answer"] == {"total": "4.50"}
    assert "documents" in ran.stderr.decode()
    assert "answered 1, passed all checks 1" in ran.stderr.decode()
    assert place.keys() == [("for one command", 1)]
    assert not (home / "gateway.json").exists()
    connection = sqlite3.connect(home / "ledger.sqlite")
    rows = connection.execute("SELECT request_id, team, task_class FROM request").fetchall()
    connection.close()
    assert rows == [(line["request_id"], "legal", "invoice")]


def test_what_cannot_be_answered_has_its_line_its_reason_and_the_exit_code_1(served: Served) -> None:
    place, folder = served.place, served.place.config.parent
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/\xff.txt"))
    odd.write_text("Total odd")
    (folder / "noise.bin").write_bytes(bytes(range(256)))
    (folder / "half.pdf").write_bytes(b"%PDF-1.4\nhalf")
    files: list[tuple[Path, str | None]] = [
        (place.document("good.txt", "Total 7"), None),
        (folder / "none.txt", "unreadable"),
        (folder, "unreadable"),
        (folder / "noise.bin", "not_text"),
        (place.document("empty.txt", ""), "not_text"),
        (folder / "half.pdf", "not_text"),
        (place.document("long.txt", "word " * 120_000), "context_length_exceeded"),
        (ROOT / "examples" / "documents" / "09_invoice.pdf", None),
        (odd, None),
    ]
    ran = run(*place.arguments("--team", "finance", *(path for path, _ in files)))
    found = lines(ran.stdout)
    assert [line["error_code"] for line in found] == [code for _, code in files]
    assert ran.returncode == 1
    for line in found:
        assert (line["error"] is None) == (line["answer"] is not None) == (line["request_id"] is not None)
    assert found[7]["answer"] == {"total": "1,890.00"}
    assert found[8]["file"] == f"{folder}/\ufffd.txt"
    err = ran.stderr.decode()
    assert "none.txt: none.txt cannot be read: No such file or directory" in err
    assert "Traceback" not in err
    assert "\x1b" not in err


def test_a_gateway_by_address_takes_its_key_from_the_environment(served: Served) -> None:
    key = make_key(served.place.config, "legal")
    file = served.place.document("a.txt", "Total 3")
    arguments = ("extract", "--schema", served.place.schema, file, "--url", f"{served.gateway.url}/v1/")
    ran = run(*arguments, env={"STEELYARD_API_KEY": key})
    assert (ran.returncode, lines(ran.stdout)[0]["answer"]) == (0, {"total": "3"})
    request_id = lines(ran.stdout)[0]["request_id"]
    assert served.gateway.rows("SELECT team FROM request WHERE request_id = ?", request_id) == [("legal",)]


def test_a_key_that_the_gateway_does_not_know_is_said_for_each_document(served: Served) -> None:
    file = served.place.document("a.txt", "Total 3")
    ran = run(
        "extract", "--schema", served.place.schema, file, file,
        env={"STEELYARD_API_KEY": "sk-steelyard-x", "STEELYARD_URL": served.gateway.url},
    )  # fmt: skip
    assert ran.returncode == 1
    assert [line["error_code"] for line in lines(ran.stdout)] == ["invalid_api_key"] * 2


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--url", "http://127.0.0.1:1"), 2, "set STEELYARD_API_KEY"),
        ((), 2, "name a team with --team; teams are finance, legal"),
        (("--team", "sales"), 2, "there is no policy for team 'sales'; teams are finance, legal"),
        (
            ("--schema", "nowhere.json", "--team", "legal"),
            2,
            "the schema nowhere.json cannot be read: No such",
        ),
        (("--schema", "/", "--team", "legal"), 2, "the schema / cannot be read: Is a directory"),
        (("--schema", "list.json", "--team", "legal"), 2, "the schema list.json must be a JSON object"),
        (("--schema", "broken.json", "--team", "legal"), 2, "the schema broken.json is not JSON"),
        (("--config", "nowhere.yaml"), 2, "nowhere.yaml: there is no such file"),
    ],
    ids=["no key", "no team", "team", "no schema", "folder", "list", "not JSON", "no config"],
)
def test_wrong_usage_is_a_sentence_and_asks_nobody(
    place: Place, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], code: int, said: str
) -> None:
    place.document("list.json", "[]")
    place.document("broken.json", "{")
    file = place.document("a.txt", "Total 3")
    monkeypatch.chdir(place.config.parent)
    assert_refused(invoke(*place.arguments(file, *options)), code, said)
    assert place.upstream.requests == ()


def test_a_team_is_not_chosen_for_a_key_that_has_one(place: Place) -> None:
    options = ("--team", "finance", "--url", "http://127.0.0.1:1", place.document("a.txt", "Total 3"))
    ran = invoke(*place.arguments(*options), env={"STEELYARD_API_KEY": "sk-steelyard-x"})
    assert_refused(ran, 2, "the key says which team asks")


def test_a_gateway_that_is_not_there_is_unreachable(place: Place) -> None:
    file = place.document("a.txt", "Total 3")
    arguments = ("extract", "--schema", place.schema, file, "--url", "http://127.0.0.1:1")
    assert_refused(
        invoke(*arguments, env={"STEELYARD_API_KEY": "x"}), 3, "http://127.0.0.1:1 does not answer"
    )


def test_a_gateway_that_does_not_start_says_why_in_its_own_words(place: Place) -> None:
    home = place.config.parent / "steelyard-data"
    home.mkdir()
    (home / "ledger.sqlite").write_text("this is not a ledger and was never one")
    ran = run(*place.arguments("--team", "finance", place.document("a.txt", "Total 3")))
    assert_refused(ran, 3, "the gateway did not start: ")
    assert b"ledger.sqlite is not a readable SQLite file" in ran.stderr
    assert place.keys() == [("for one command", 1)]


def test_a_model_that_is_not_there_is_said_with_what_gets_it(place: Place) -> None:
    text = place.config.read_text()
    local = 'routes:\n  local: {engine: gguf, weights: gone.gguf, price: {cpu_usd_per_hour: "0"}}\n'
    place.config.write_text(text.replace("routes:\n", local))
    ran = run(*place.arguments("--team", "finance", place.document("a.txt", "Total 3")))
    assert_refused(ran, 3, "the gateway cannot answer (route local: failed)")
    assert b"steelyard local pull smollm2" in ran.stderr
    assert place.keys() == [("for one command", 1)]


def test_who_reads_only_the_first_line_is_not_complained_to(served: Served) -> None:
    files = [served.place.document(f"{number}.txt", f"Total {number}") for number in range(12)]
    child = start(*served.place.arguments("--team", "finance", *files))
    assert child.stdout is not None
    assert child.stderr is not None
    first = child.stdout.readline()
    child.stdout.close()
    err = child.stderr.read()
    child.stderr.close()
    assert child.wait() == 0, err
    assert json.loads(first)["answer"] == {"total": "0"}
    assert b"Traceback" not in err
    assert b"Error" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_behind_stdout_is_a_sentence(served: Served) -> None:
    file = served.place.document("a.txt", "Total 3")
    with Path("/dev/full").open("wb") as full:
        child = subprocess.Popen(
            [*PROGRAM, *map(str, served.place.arguments("--team", "legal", file))],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        _, err = child.communicate()
    assert child.returncode == 3
    assert err == b"steelyard: No space left on device\n"


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_progress_is_shown_on_a_terminal_and_nowhere_else(served: Served, *, terminal: bool) -> None:
    file = served.place.document("a.txt", "Total 3")
    master, slave = pty.openpty() if terminal else os.pipe()
    child = subprocess.Popen(
        [*PROGRAM, *map(str, served.place.arguments("--team", "finance", file))],
        stdout=subprocess.PIPE,
        stderr=slave,
        env=environment({"TERM": "xterm"}),
    )
    out, _ = child.communicate()
    os.close(slave)
    shown = _drain(master)
    os.close(master)
    assert child.returncode == 0
    assert lines(out)[0]["answer"] == {"total": "3"}
    assert (b"extracting" in shown) is terminal
    assert (b"\x1b[" in shown) is terminal
    assert b"answered 1" in shown


def _drain(descriptor: int) -> bytes:
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(descriptor, 65_536)
        except OSError:  # a terminal's other side is closed
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


def interrupt_group(child: "subprocess.Popen[bytes]") -> None:
    """What Ctrl-C does: the signal goes to everything in the foreground."""
    os.killpg(child.pid, signal.SIGINT)


def terminate(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()


@pytest.mark.parametrize(
    ("end", "code", "at_first"),
    [
        (interrupt_group, 130, signal.default_int_handler),
        (terminate, 143, signal.default_int_handler),
        (terminate, 143, signal.SIG_IGN),
    ],
    ids=["Ctrl-C", "TERM", "TERM, started by a script with &"],
)
def test_a_command_that_is_cut_short_revokes_its_key_and_ends_its_gateway(
    place: Place,
    end: Callable[["subprocess.Popen[bytes]"], None],
    code: int,
    at_first: Callable[[int, FrameType | None], object] | signal.Handlers,
) -> None:
    files = [place.document(f"{number}.txt", "please wait") for number in range(5)]
    before = signal.signal(signal.SIGINT, at_first)
    child = start(*place.arguments("--team", "finance", *files))
    signal.signal(signal.SIGINT, before)
    place.upstream.wait_for_requests(4)
    running = json.loads((place.config.parent / "steelyard-data" / "gateway.json").read_bytes())
    assert place.keys() == [("for one command", 0)]
    end(child)
    place.upstream.release()
    out, err = child.communicate()
    assert (child.returncode, out) == (code, b""), err
    assert err.decode() == f"steelyard: {IN_FLIGHT}\n"
    assert place.keys() == [("for one command", 1)]
    with pytest.raises(ProcessLookupError):
        os.kill(running["pid"], 0)


def test_a_second_interrupt_waits_for_nothing(place: Place) -> None:
    child = start(*place.arguments("--team", "finance", place.document("a.txt", "please wait")))
    place.upstream.wait_for_requests(1)
    running = json.loads((place.config.parent / "steelyard-data" / "gateway.json").read_bytes())
    assert child.stderr is not None
    terminate(child)
    assert child.stderr.readline().decode() == f"steelyard: {IN_FLIGHT}\n"
    while child.poll() is None:  # it may not yet be listening for the second
        interrupt_group(child)
        _wait_a_little(child)
    child.communicate()
    assert place.keys() == [("for one command", 1)]
    with pytest.raises(ProcessLookupError):
        os.kill(running["pid"], 0)


def _wait_a_little(child: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(0.2)


def test_the_gateway_of_a_command_that_is_killed_ends_by_itself(place: Place) -> None:
    child = start(*place.arguments("--team", "finance", place.document("a.txt", "please wait")))
    place.upstream.wait_for_requests(1)
    home = place.config.parent / "steelyard-data"
    running = json.loads((home / "gateway.json").read_bytes())
    child.kill()
    child.communicate()
    place.upstream.release()
    asyncio.run(end_of(running["pid"]))
    assert not (home / "gateway.json").exists(), "it ended in order, not by a signal that leaves the rest"
