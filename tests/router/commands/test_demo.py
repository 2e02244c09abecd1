"""`steelyard demo`, short: a document or two and the refusals, with the model on this machine."""

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from router.commands.demo_story import next_steps
from support.command_line import PROGRAM, ROOT, assert_refused, environment, invoke, run, start
from support.processes import end_of

CURL = f"""\
#!{sys.executable}
import argparse, sys, urllib.error, urllib.request
parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("-H", action="append", default=[])
parser.add_argument("-d")
asked = parser.parse_args()
headers = dict(header.split(": ", 1) for header in asked.H)
data = asked.d.encode() if asked.d is not None else None
try:
    answer = urllib.request.urlopen(urllib.request.Request(asked.url, data, headers))
except urllib.error.HTTPError as error:
    sys.exit(str(error))
sys.stdout.write(answer.read().decode())
"""
"""Not every machine has curl: what is typed is done by this in its place."""


def test_the_demo_tells_each_path_then_the_report_then_what_to_do(tmp_path: Path) -> None:
    ran = run("demo", "--limit", "1", cwd=ROOT / "docs", env={"TMPDIR": str(tmp_path)})
    assert (ran.returncode, ran.stderr) == (0, b"")
    out = ran.stdout.decode()
    assert "\x1b" not in out
    places = [
        out.index(said)
        for said in (
            "SmolLM2-135M: a stand-in of 98 MB that is often wrong",
            "Starting the gateway",
            "3 documents follow",
            " 1/3  01_invoice_plain.txt",
            "invoice > plan cheap > route local/smollm2 > ",
            " 2/3  23_ledger_export.txt",
            "refused, as expected: context_length_exceeded",
            " 3/3  24_noise.bin",
            "refused, as expected: not_text",
            "The audited path: the same model answers",
            "marked SIMULATED wherever it stands",
            " 1/1  01_invoice_plain.txt",
            "> plan cheap+audit > ",
            "SIMULATED  1 document: ",
            "Spend report  all teams, all time",
            "Right, says gold",
            "ESTIMATE, not observed",
            "Against gold",
            "An auditor    a premium model would have been asked about",
            "What to do next",
        )
    ]
    assert places == sorted(places)
    assert "right  vendor          Larkspur Paper Ltd" in out
    assert "of 4 fields right" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "TERM"])
def test_a_demo_that_is_cut_short_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    child = start("demo", "--limit", "2", cwd=ROOT, env={"TMPDIR": str(tmp_path)})
    assert child.stdout is not None
    while b"documents follow" not in (line := child.stdout.readline()):
        assert line, "the demo ended before it was cut short"
    (home,) = tmp_path.glob("steelyard-demo-*")
    gateway = json.loads((home / "steelyard-data" / "gateway.json").read_bytes())["pid"]
    engines = children_of(gateway)
    assert engines
    os.killpg(child.pid, number)
    _, err = child.communicate()
    assert child.returncode == 128 + number
    assert b"Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    for pid in (gateway, *engines):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_gateway_and_the_model_of_a_demo_that_is_killed_end_by_themselves(tmp_path: Path) -> None:
    child = start("demo", "--limit", "2", cwd=ROOT, env={"TMPDIR": str(tmp_path)})
    assert child.stdout is not None
    while b"documents follow" not in (line := child.stdout.readline()):
        assert line, "the demo ended before it was killed"
    (home,) = tmp_path.glob("steelyard-demo-*")
    gateway = json.loads((home / "steelyard-data" / "gateway.json").read_bytes())["pid"]
    engines = children_of(gateway)
    assert engines
    child.kill()
    child.communicate()
    for pid in (gateway, *engines):
        asyncio.run(end_of(pid))


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, check=False)  # noqa: S607  (found on PATH)
    return [int(word) for word in found.stdout.split()]


def test_a_reader_that_leaves_ends_the_demo_without_a_word(tmp_path: Path) -> None:
    child = start("demo", "--limit", "1", cwd=ROOT, env={"TMPDIR": str(tmp_path)})
    assert child.stdout is not None
    assert child.stderr is not None
    assert child.stdout.readline().startswith(b"Each document goes to a gateway")
    child.stdout.close()
    err = child.stderr.read()
    child.stderr.close()
    assert (child.wait(), err) == (0, b"")
    assert list(tmp_path.iterdir()) == []


def examples_in(folder: Path, change: Callable[[dict[str, object]], None]) -> Path:
    """A copy of the examples' index whose lines are changed, beside the same schemas and documents."""
    documents = folder / "documents"
    documents.mkdir()
    (folder / "schemas").symlink_to(ROOT / "examples" / "schemas")
    lines = []
    for line in map(json.loads, (ROOT / "examples" / "documents" / "index.jsonl").read_bytes().splitlines()):
        change(line)
        lines.append(json.dumps(line))
        (documents / line["file"]).symlink_to(ROOT / "examples" / "documents" / line["file"])
    (documents / "index.jsonl").write_text("\n".join(lines))
    return documents


def test_a_document_that_came_out_otherwise_than_expected_is_exit_code_1_and_the_ledger_can_be_kept(
    tmp_path: Path,
) -> None:
    def change(line: dict[str, object]) -> None:
        line["expect"] = "answer" if line["file"] == "24_noise.bin" else "context_length_exceeded"

    documents = examples_in(tmp_path, change)
    kept = [
        line
        for line in (documents / "index.jsonl").read_text().splitlines()
        if json.loads(line)["file"][:2] in ("23", "24")
    ]
    (documents / "index.jsonl").write_text("\n".join(kept))
    ran = run("demo", "--documents", documents, "--keep", tmp_path / "kept")
    assert ran.returncode == 1
    out = ran.stdout.decode()
    assert "refused, and not expected (answer was): not_text" in out
    assert "24_noise.bin: expected answer, came out as not_text" in out
    assert f"report --config {tmp_path}/kept/steelyard.yaml" in out
    assert (tmp_path / "kept" / "steelyard-data" / "ledger.sqlite").exists()


def test_a_demo_without_its_model_says_what_gets_it(tmp_path: Path) -> None:
    env = {"STEELYARD_MODELS": str(tmp_path / "none"), "TMPDIR": str(tmp_path)}
    ran = run("demo", "--limit", "1", env=env)
    assert ran.returncode == 3
    assert ran.stderr.startswith(b"steelyard: the gateway cannot answer (route local/smollm2: failed)")
    assert b"`steelyard local pull smollm2` gets it" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_documents_that_are_not_there_are_wrong_usage(tmp_path: Path) -> None:
    assert_refused(invoke("demo", "--documents", tmp_path), 2, "there are no example documents at")


def test_what_to_do_next_works_when_it_is_typed(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    program = tmp_path / ".venv" / "bin" / "steelyard"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n')
    (tmp_path / "bin").mkdir()
    curl = tmp_path / "bin" / "curl"
    curl.write_text(CURL)
    for script in (program, curl):
        script.chmod(0o755)
    steps = next_steps(tmp_path, Path(tempfile.gettempdir()))
    assert steps[0] == f"cd {tmp_path}"
    serve, question = steps[2].split("#")[0], steps[4]
    assert question.startswith("curl http://127.0.0.1:8400/v1/chat/completions ")
    typed = "\n".join(
        [
            *steps[:2],
            f"{serve} --port 0 > served 2> log & gateway=$!",
            'until url=$(grep -o "http:.*" served); do kill -0 $gateway; done',
            "until curl $url/readyz > ready; do kill -0 $gateway; done",
            steps[3],
            question.replace("http://127.0.0.1:8400", "$url"),
            "echo",
            *steps[5:],
            "kill $gateway; wait $gateway",
        ]
    )
    path = os.pathsep.join((str(tmp_path / "bin"), os.environ["PATH"]))
    ran = subprocess.run(
        ["sh", "-e", "-c", typed],  # noqa: S607  (found on PATH)
        capture_output=True,
        env=environment({"PATH": path}),
        check=False,
    )
    out = ran.stdout.decode()
    assert ran.returncode == 0, ran.stderr
    answer, fields, report = out.split("\n", 2)
    assert json.loads(answer)["choices"][0]["message"]["content"]
    assert json.loads(fields)["answer"]["vendor"] == "Larkspur Paper Ltd"
    assert "Spend report" in report
    assert "2 answered, 0 failed" in report
