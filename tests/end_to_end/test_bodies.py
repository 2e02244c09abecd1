"""Large bodies, many at a time: what is read of them is bounded, for all and for each key."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.gateway import RunningGateway, config_text, make_key, running_gateway, write_config
from support.processes import peak_bytes
from support.upstream import running_upstream
from support.upstream_script import Behaviour, Fault

MEGABYTE = 1_000_000
PATIENCE_S = 30.0
LARGE = b" " * (3 * MEGABYTE)
"""Of the four megabytes that a key has by `SMALL_ROOM`."""
SMALL_ROOM = "server: {max_body_mb: 4, max_bodies_mb: 16}\n"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[RunningGateway]:
    """A gateway with little room."""
    with running_upstream() as upstream:
        config = write_config(tmp_path, SMALL_ROOM + config_text(upstream.base_url))
        with running_gateway(config) as running:
            yield running


@contextmanager
def unfinished(gateway: RunningGateway, key: str, length: int, *, chunked: bool = False) -> Iterator[None]:
    """A request whose body lacks its last byte, for as long as the block lasts."""
    address = urlsplit(gateway.url)
    framing = "transfer-encoding: chunked" if chunked else f"content-length: {length}"
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n{framing}\r\n\r\n"
    )
    with socket.create_connection((str(address.hostname), address.port or 0), PATIENCE_S) as connection:
        body = b" " * (length - 1)
        with suppress(ConnectionError):  # refused, and not read to its end
            connection.sendall(head.encode() + (b"%x\r\n" % length if chunked else b"") + body)
        yield


def ask(gateway: RunningGateway, key: str, padding: bytes) -> tuple[int, str | None, str | None]:
    """A question with spaces before it: its status, its error's code and when to come again."""
    question = {"model": "auto", "messages": [{"role": "user", "content": "How much is it?"}]}
    body = padding + json.dumps(question).encode()
    response = gateway.request("POST", "/v1/chat/completions", key=key, body=body)
    code = response.error["code"] if response.status != 200 else None
    return response.status, code, response.headers.get("retry-after")


@pytest.mark.parametrize("chunked", [False, True], ids=["of a declared length", "of no declared length"])
def test_bodies_without_an_end_fill_no_more_than_their_keys_share(tmp_path: Path, *, chunked: bool) -> None:
    with running_upstream() as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        mine, others = make_key(config), make_key(config)
        with running_gateway(config) as gateway, ExitStack() as open_requests:
            at_rest = peak_bytes(gateway.process.pid)
            for _ in range(40):
                open_requests.enter_context(unfinished(gateway, mine, 19 * MEGABYTE, chunked=chunked))
            assert ask(gateway, mine, LARGE * 6) == (503, "busy", "1")
            assert ask(gateway, mine, b"") == (200, None, None)
            assert ask(gateway, others, LARGE * 6) == (200, None, None)
            assert peak_bytes(gateway.process.pid) - at_rest < 220 * MEGABYTE


def test_a_key_that_has_no_room_left_has_it_again_when_its_requests_have_ended(
    gateway: RunningGateway,
) -> None:
    key = make_key(gateway.config)
    with unfinished(gateway, key, len(LARGE)):
        while (found := ask(gateway, key, LARGE))[0] == 200:
            continue  # the other one is still on its way
        assert found == (503, "busy", "1")
    while ask(gateway, key, LARGE)[0] == 503:
        continue  # its end is still on its way
    assert [ask(gateway, key, LARGE)[0] for _ in range(5)] == [200] * 5


def test_a_body_keeps_its_room_until_its_request_is_answered(tmp_path: Path) -> None:
    with running_upstream(Behaviour(fault=Fault.HANG_BEFORE_HEADERS)) as upstream:
        config = write_config(tmp_path, SMALL_ROOM + config_text(upstream.base_url))
        key = make_key(config)
        with running_gateway(config) as gateway, unfinished_answer(gateway, key, LARGE):
            upstream.wait_for_requests(1)
            assert ask(gateway, key, LARGE) == (503, "busy", "1")
            upstream.release()


@contextmanager
def unfinished_answer(gateway: RunningGateway, key: str, padding: bytes) -> Iterator[None]:
    """A request that is whole, and whose answer nobody waits for while the block lasts."""
    address = urlsplit(gateway.url)
    question = padding + b'{"model": "auto", "messages": [{"role": "user", "content": "x"}]}'
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n"
    with socket.create_connection((str(address.hostname), address.port or 0), PATIENCE_S) as connection:
        connection.sendall(f"{head}content-length: {len(question)}\r\n\r\n".encode() + question)
        yield


@pytest.mark.parametrize("length", [5 * MEGABYTE, 50 * MEGABYTE])
def test_fastapis_paths_read_no_more_than_the_hot_one(gateway: RunningGateway, length: int) -> None:
    key = make_key(gateway.config)
    path = "/v1/steelyard/requests/req_1/outcomes"
    response = gateway.request("POST", path, key=key, body=b" " * length)
    assert (response.status, response.error["code"]) == (413, "body_too_large")
    told = gateway.request(
        "POST",
        path,
        key=key,
        body={"outcomes": [{"outcome": "wrong"}]},
        headers={"content-type": "application/json"},
    )
    assert (told.status, told.error["code"]) == (404, "request_not_found")
