"""`steelyard quote`: what a request would cost on each route, and what refuses it."""

import json
from pathlib import Path

import pytest
from typer.testing import Result

from support.command_line import assert_refused, invoke, run
from support.gateway import write_config

ROUTES = """\
providers:
  fake: {base_url: "http://127.0.0.1:1/v1"}
routes:
  dear: {provider: fake, premium: true, tokenizer: o200k_base, context_window: 200000, max_output_tokens: 4000,
         price: {input_usd_per_million: "5", output_usd_per_million: "25"}}
  small: {provider: fake, tokenizer: o200k_base, context_window: 2000, max_output_tokens: 1000,
          price: {input_usd_per_million: "0.1", output_usd_per_million: "0.2"}}
  unknown: {provider: fake, context_window: 2000, max_output_tokens: 1000,
            price: {input_usd_per_million: "0.3", output_usd_per_million: "0.4"}}
  local: {engine: gguf, threads: 2, context_window: 4096, price: {cpu_usd_per_hour: "0.02"}}
"""
POLICY = """\
team: finance
models: [small, dear]
plans: {cheap: [small], premium: [dear]}
auto: {extraction: cheap, generation: cheap}
limits: {request_usd: "0.05"}
at_limit: AT_LIMIT
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_config(tmp_path, ROUTES, {"finance": POLICY.replace("AT_LIMIT", "clamp")})
    return tmp_path


def quote(folder: Path, text: str, *options: str, **fields: object) -> Result:
    body = {"model": "auto", "messages": [{"role": "user", "content": text}], **fields}
    (folder / "request.json").write_text(json.dumps(body))
    return invoke("quote", folder / "request.json", "--config", folder / "steelyard.yaml", *options)


def lines(ran: Result) -> dict[str, str]:
    """The table's lines by their route, in order."""
    assert ran.exit_code == 0, ran.stderr
    head, *rows = ran.stdout.partition("\n\n")[0].splitlines()
    assert head.split() == [
        "route",
        "prompt",
        "tokens",
        "at",
        "most",
        "likely",
        "window",
        "refused",
        "because",
    ]
    return {row.split()[0]: " ".join(row.split()[1:]) for row in rows}


def dollars(text: str) -> float:
    return float(text.removeprefix("$"))


def test_routes_come_cheapest_first_and_likely_is_never_above_the_bound(folder: Path) -> None:
    found = lines(quote(folder, "How much is it?", max_tokens=100))
    assert set(found) == {"small", "local", "unknown", "dear"}
    assert list(found)[-1] == "dear"
    likely = [dollars(line.replace(" (estimated)", "").split()[2]) for line in found.values()]
    assert likely == sorted(likely)
    for line in found.values():
        most, expected = line.replace(" (estimated)", "").split()[1:3]
        assert 0 < dollars(expected) <= dollars(most)


def test_the_prompt_is_counted_where_the_tokenizer_is_known_and_guessed_elsewhere(folder: Path) -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 20
    found = lines(quote(folder, text))
    exact = int(found["small"].split()[0])
    assert "(estimated)" not in found["small"]
    assert "(estimated)" not in found["dear"]
    assert "(estimated)" in found["unknown"]
    assert "(estimated)" in found["local"]
    assert abs(exact - 201) <= 12  # ten tokens a sentence, and the template
    assert int(found["unknown"].split()[0]) >= len(text) // 4


def test_a_window_that_is_too_small_refuses_and_says_by_how_much(folder: Path) -> None:
    found = lines(quote(folder, "one two three four five " * 600))
    assert "- - 2,000 route 'small' holds 2000 tokens and the request has 3" in found["small"]
    assert found["small"].split()[0].startswith("3,")
    assert found["unknown"].startswith("3,6")
    assert "(estimated) - - 2,000 route 'unknown' holds 2000 tokens" in found["unknown"]
    assert next(iter(found)) == "dear"


def test_a_window_that_only_the_byte_bound_exceeds_is_no_certain_refusal(folder: Path) -> None:
    found = lines(quote(folder, "one two three four five " * 120))
    assert "refused" not in found["small"]
    assert "- - 2,000 perhaps: route 'unknown' holds 2000 tokens and the request has" in found["unknown"]
    assert "at most" in found["unknown"]
    assert list(found)[-1] == "unknown"
    assert "$" in found["small"]


def test_a_policy_refuses_what_the_teams_plan_does_not_hold(folder: Path) -> None:
    found = lines(quote(folder, "How much?", "--team", "finance", max_tokens=10))
    assert "the team's plan 'cheap' does not hold it" in found["dear"]
    assert "the team's plan 'cheap' does not hold it" in found["local"]
    assert found["small"].split()[-1] == "2,000"
    asked = lines(quote(folder, "How much?", "--team", "finance", model="unknown", max_tokens=10))
    assert "unknown" in asked["unknown"].split("2,000", 1)[1]


def test_a_request_that_clamping_makes_fit_is_quoted_as_clamped(folder: Path) -> None:
    whole = lines(quote(folder, "How much?", model="dear"))
    clamped = lines(quote(folder, "How much?", "--team", "finance", model="dear"))
    assert dollars(whole["dear"].split()[1]) > 0.05
    assert 0.049 < dollars(clamped["dear"].split()[1]) <= 0.05
    assert clamped["dear"].split()[-1] == "200,000"


def test_a_request_beyond_the_limit_is_refused_where_the_policy_denies(folder: Path) -> None:
    (folder / "policies" / "finance.yaml").write_text(POLICY.replace("AT_LIMIT", "deny"))
    found = lines(quote(folder, "How much?", "--team", "finance", model="dear"))
    assert found["dear"].endswith("the team's policy allows $0.05 a request")


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (b"{", (), "not JSON"),
        (b"[]", (), "object"),
        (b"{}", (), "model is missing"),
        (b'{"model": "auto", "messages": []}', (), "messages"),
        (b"\xff\xfe", (), ""),
        (b'{"model": "auto", "messages": [{"role": "user", "content": "x"}]}', ("--team", "sales"), "teams are finance"),
        (b"", ("--config", "none.yaml"), "none.yaml: there is no such file"),
    ],
    ids=["no JSON", "list", "empty object", "no messages", "bytes", "team", "config"],
)  # fmt: skip
def test_a_request_that_cannot_be_read_is_wrong_usage(
    folder: Path, content: bytes, options: tuple[str, ...], said: str
) -> None:
    (folder / "request.json").write_bytes(content)
    config = ("--config", str(folder / "steelyard.yaml"))
    assert_refused(invoke("quote", folder / "request.json", *config, *options), 2, said)


def test_a_request_that_is_not_there_is_wrong_usage(folder: Path) -> None:
    config = ("--config", str(folder / "steelyard.yaml"))
    assert_refused(
        invoke("quote", folder / "none.json", *config), 2, "none.json cannot be read: No such file"
    )
    assert_refused(invoke("quote", folder, *config), 2, "cannot be read: Is a directory")


def test_a_pipe_gets_whole_lines_and_the_counter_is_gone_afterwards(folder: Path) -> None:
    quote(folder, "one two three four five " * 600)
    ran = run("quote", folder / "request.json", "--config", folder / "steelyard.yaml")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert len(ran.stdout.splitlines()) == 5
    assert b"\x1b" not in ran.stdout
    assert not (folder / "steelyard-data" / "ledger.sqlite").exists()
