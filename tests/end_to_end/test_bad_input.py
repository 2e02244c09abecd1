"""Bad input: a 4xx in OpenAI's error shape that names the field; no traceback, no key or prompt in a log."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.gateway import RunningGateway, config_text, make_key, running_gateway, write_config
from support.upstream import running_upstream

CANARY = "canary-7f3a91-prompt"
MESSAGES = [{"role": "user", "content": CANARY}]


def chat(**fields: object) -> bytes:
    """A chat request's body."""
    return json.dumps({"model": "auto", "messages": MESSAGES, **fields}).encode()


def with_image(image: object) -> bytes:
    """A chat request whose message is an image."""
    return chat(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": image}]}])


BODIES: dict[str, tuple[bytes, int, str | None]] = {
    "empty": (b"", 400, None),
    "not json": (b"{" + CANARY.encode(), 400, None),
    "a list": (b"[]", 400, None),
    "not utf-8": (b'{"model": "\xff"}', 400, None),
    "nan": (chat().replace(b'"auto"', b"NaN"), 400, None),
    "nested": (b"[" * 100_000, 400, None),
    "nested object": (b'{"a":' * 100_000, 400, None),
    "no model": (json.dumps({"messages": MESSAGES}).encode(), 400, "model"),
    "no messages": (b'{"model": "auto"}', 400, "messages"),
    "empty messages": (chat(messages=[]), 400, "messages"),
    "messages of text": (chat(messages="hi"), 400, "messages"),
    "unknown role": (chat(messages=[{"role": "king", "content": "x"}]), 400, "messages[0].role"),
    "content is a number": (chat(messages=[{"role": "user", "content": 3}]), 400, "messages[0].content"),
    "no content": (chat(messages=[{"role": "user"}]), 400, "messages[0].content"),
    "empty parts": (chat(messages=[{"role": "user", "content": []}]), 400, "messages[0].content"),
    "part without a type": (chat(messages=[{"role": "user", "content": [{"x": 1}]}]), 400, "messages[0].content[0].type"),
    "audio": (
        chat(messages=[{"role": "user", "content": [{"type": "input_audio"}]}]), 400, "messages[0].content[0].type"
    ),
    "image is a number": (with_image(3), 400, "messages[0].content[0].image_url"),
    "image is nothing": (with_image(None), 400, "messages[0].content[0].image_url"),
    "image without an address": (with_image({"detail": "low"}), 400, "messages[0].content[0].image_url"),
    "image whose address is a list": (with_image({"url": [CANARY]}), 400, "messages[0].content[0].image_url.url"),
    "image whose detail is a number": (
        with_image({"url": "data:,", "detail": 3}), 400, "messages[0].content[0].image_url.detail"
    ),
    "lone surrogate": (
        b'{"model": "auto", "messages": [{"role": "user", "content": "\\ud800"}]}', 400, "messages[0].content"
    ),
    "unknown model": (chat(model="fake-modle"), 404, "model"),
    "model is a number": (chat(model=1), 400, "model"),
    "limit is text": (chat(max_tokens="many"), 400, "max_tokens"),
    "limit is zero": (chat(max_tokens=0), 400, "max_tokens"),
    "limit is a float": (chat(max_tokens=1.5), 400, "max_tokens"),
    "too many choices": (chat(n=1000), 400, "n"),
    "hot": (chat(temperature=9), 400, "temperature"),
    "stream is text": (chat(stream="yes"), 400, "stream"),
    "unknown format": (chat(response_format={"type": "xml"}), 400, "response_format.type"),
    "schema missing": (
        chat(response_format={"type": "json_schema", "json_schema": {"name": "x"}}), 400,
        "response_format.json_schema.schema",
    ),
    "schema is broken": (
        chat(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "thing"}}}), 400,
        "response_format.json_schema.schema",
    ),
    "a forced tool's schema is broken": (
        chat(
            tools=[{"type": "function", "function": {"name": "x", "parameters": {"type": "thing"}}}],
            tool_choice={"type": "function", "function": {"name": "x"}},
        ), 400, "tools[0].function.parameters",
    ),
    "schema fetches": (
        chat(response_format={"type": "json_schema", "json_schema": {"schema": {"$ref": "http://127.0.0.1/x"}}}), 400,
        "response_format.json_schema.schema",
    ),
    "misspelt mark": (
        chat(response_format={"type": "json_schema", "json_schema": {"schema": {
            "properties": {"a": {"x-steelyard-summ": "b"}}}}}), 400, "response_format.json_schema.schema",
    ),
    "tool that is not offered": (
        chat(tools=[], tool_choice={"type": "function", "function": {"name": "x"}}), 400, "tool_choice.function.name"
    ),
    "unknown steelyard key": (chat(steelyard={"lable": "public"}), 400, "steelyard.lable"),
    "unknown label": (chat(steelyard={"label": "secret"}), 400, "steelyard.label"),
    "document out of range": (chat(steelyard={"document": {"message": 7}}), 400, "steelyard.document.message"),
    "too large": (b" " * 50_000_000, 413, None),
    "too long": (chat(messages=[{"role": "user", "content": "x y z " * 200_000}]), 400, "messages"),
}  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningGateway, str]]:
    """One gateway for all bodies: none of them may hurt the next."""
    with running_upstream() as upstream:
        config = write_config(tmp_path_factory.mktemp("bad"), config_text(upstream.base_url))
        key = make_key(config)
        with running_gateway(config) as gateway:
            yield gateway, key


@pytest.mark.parametrize(("body", "status", "param"), BODIES.values(), ids=BODIES.keys())
def test_bad_input_is_a_4xx_that_names_the_field(
    running: tuple[RunningGateway, str], body: bytes, status: int, param: str | None
) -> None:
    gateway, key = running
    response = gateway.request("POST", "/v1/chat/completions", key=key, body=body)
    assert response.status == status, response.body
    assert set(response.error) == {"message", "type", "param", "code"}
    assert response.error["param"] == param
    assert CANARY.encode() not in response.body
    assert gateway.chat(key).status == 200


@pytest.mark.parametrize("name", ["x-steelyard-label", "x-steelyard-task"])
def test_a_bad_header_is_a_4xx_that_names_it(running: tuple[RunningGateway, str], name: str) -> None:
    gateway, key = running
    response = gateway.request(
        "POST", "/v1/chat/completions", key=key, body=chat(), headers={name: "x" * 200}
    )
    assert (response.status, response.error["param"]) == (400, name)


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP, identity", "x"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/steelyard/requests/req_1/outcomes"])
def test_a_packed_body_is_415_that_names_the_encoding(
    running: tuple[RunningGateway, str], path: str, encoding: str
) -> None:
    gateway, key = running
    headers = {"content-encoding": encoding}
    response = gateway.request("POST", path, key=key, body=chat(), headers=headers)
    assert (response.status, response.error["code"]) == (415, "unsupported_encoding")
    assert encoding in str(response.error["message"])
    assert response.headers["accept-encoding"] == "identity"


def test_a_body_that_says_it_is_not_packed_is_read(running: tuple[RunningGateway, str]) -> None:
    gateway, key = running
    headers = {"content-encoding": "Identity"}
    assert (
        gateway.request("POST", "/v1/chat/completions", key=key, body=chat(), headers=headers).status == 200
    )


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_405(running: tuple[RunningGateway, str], method: str) -> None:
    gateway, key = running
    assert gateway.request(method, "/v1/chat/completions", key=key).status == 405


def test_no_key_and_no_prompt_reaches_the_log(tmp_path: Path) -> None:
    with running_upstream() as upstream:
        config = write_config(tmp_path, config_text(upstream.base_url))
        key = make_key(config)
        with running_gateway(config) as gateway:
            for body, _, _ in BODIES.values():
                gateway.request("POST", "/v1/chat/completions", key=key, body=body)
            gateway.chat(key, messages=MESSAGES, stream=True)
            gateway.chat("sk-steelyard-" + CANARY)
            log = gateway.stop()
        assert key not in log
        assert CANARY not in log
        assert "Traceback" not in log
        assert (
            len([line for line in log.splitlines() if json.loads(line)["event"] == "request"])
            == len(BODIES) + 2
        )
        kept = [path.read_bytes() for path in gateway.data.rglob("*") if path.is_file()]
        assert kept
        assert CANARY.encode() not in b"".join(kept)
