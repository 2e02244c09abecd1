"""Reading what a gateway answered: whatever it is, it becomes an answer or a sentence."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePath

import pytest

from router.commands.client import GatewayClient
from router.commands.extraction import Extracted, extract, task_name
from router.errors import UnavailableError
from router.providers.pool import Pool


@contextmanager
def server(status: int, body: bytes) -> Iterator[str]:
    class Fixed(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Fixed) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def ask(url: str) -> Extracted:
    async def once() -> Extracted:
        async with contextlib.aclosing(Pool()) as pool:
            return await extract(GatewayClient(url, "sk-steelyard-x"), pool, "text", {}, "invoice", "auto")

    return asyncio.run(once())


def completion(content: object, **steelyard: object) -> bytes:
    choice = {"message": {"content": content}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice], "usage": {"prompt_tokens": 5}, "steelyard": steelyard}).encode()


def test_an_answer_is_read_with_what_the_checks_said() -> None:
    checks = {"passed": False, "fields": [{"field": "total", "flagged": True}, {"field": "date"}]}
    tokens = {"input": 7, "output": 3}
    told = {
        "request_id": "req_1",
        "checks": checks,
        "cost_nano_usd": 5,
        "tokens": tokens,
        "audit": "corrected",
    }
    with server(200, completion('{"total": "1"}', **told)) as url:
        found = ask(url)
    assert found.answered
    assert (found.request_id, found.answer, found.error) == ("req_1", {"total": "1"}, None)
    assert (found.flagged, found.passed, found.cost_nano_usd) == (["total"], False, 5)
    assert (found.prompt_tokens, found.completion_tokens, found.audit) == (7, 3, "corrected")


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (200, completion("Sorry, no.", request_id="req_1"), "invalid_json", "the answer is not JSON"),
        (200, completion(None), "invalid_json", "the answer is not JSON"),
        (200, b"{}", "invalid_json", "the answer is not JSON"),
        (200, b'{"choices": [], "usage": 3, "steelyard": []}', "invalid_json", "the answer is not JSON"),
        (400, b'{"error": {"code": "context_length_exceeded", "message": "long"}}', "context_length_exceeded", "long"),
        (502, b'{"error": {}}', "http_502", "status 502"),
        (418, b"[1]", "http_418", "status 418"),
    ],
    ids=["prose", "no content", "empty object", "wrong shapes", "refusal", "bare error", "list"],
)  # fmt: skip
def test_what_is_no_answer_is_an_error_with_a_code(status: int, body: bytes, code: str, said: str) -> None:
    with server(status, body) as url:
        found = ask(url)
    assert (found.answer, found.error_code, found.error) == (None, code, said)
    assert found.answered == (status == 200)
    assert found.request_id in {None, "", "req_1"}


def test_a_web_page_is_no_gateway() -> None:
    with (
        server(200, b"<html>It works!</html>") as url,
        pytest.raises(UnavailableError, match="is no gateway"),
    ):
        ask(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense", "http://", "ftp://127.0.0.1/"])
def test_nobody_there_is_a_sentence(url: str) -> None:
    with pytest.raises(UnavailableError, match=r"does not answer|begins with http"):
        ask(url)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("schemas/invoice.schema.json", "invoice"),
        ("v1.2.receipt.json", "v1_2_receipt"),
        ("Rechnung (neu).schema.json", "Rechnung_neu"),
        (".json", "answer"),
        ("发票.json", "answer"),
        ("x" * 80 + ".json", "x" * 64),
        ("schema", "schema"),
    ],
)
def test_a_schemas_file_gives_a_name_that_providers_take(file: str, name: str) -> None:
    assert task_name(PurePath(file)) == name
