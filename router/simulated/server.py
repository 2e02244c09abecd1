"""The scripted models' server: `python -m router.simulated.server`, its script as a line on stdin.

It listens on loopback, says its address in one line on stdout, and ends when its standard input
does, that is with whoever started it. `GET /bill` is what it charged so far.
"""

import asyncio
import itertools
import json
import socket
import sys
from pathlib import Path

import orjson
import uvicorn
import uvloop

from router.asgi import Receive, Scope, Send, read_body, send_bytes
from router.json_types import JsonObject
from router.processes.counters import TokenCounter
from router.simulated.bill import Bill
from router.simulated.knowledge import Knowledge
from router.simulated.models import ScriptedModels, UnknownModelError
from router.simulated.script import Script, ScriptError, read_documents
from router.simulated.wire import Format, answer_body, answer_events, error_body, read_request

BODY_BYTES_MAX = 64 * 1024 * 1024
PATHS = {"/v1/chat/completions": Format.OPENAI, "/v1/messages": Format.ANTHROPIC}


class ScriptedServer:
    """The ASGI application."""

    def __init__(self, models: ScriptedModels, bill: Bill, api_key: str) -> None:
        self._models = models
        self._bill = bill
        self._keys = {f"Bearer {api_key}".encode(), api_key.encode()} if api_key else None
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if scope["path"] == "/bill":
            await _send(send, 200, orjson.dumps(self._bill.as_json()))
            return
        form = PATHS.get(scope["path"])
        headers = dict(scope["headers"])
        if form is None or scope["method"] != "POST":
            await _send(send, 404, error_body(Format.OPENAI, "not_found", "there is nothing here"))
        elif self._keys is not None and not self._keys & set(headers.values()):
            await _send(send, 401, error_body(form, "authentication_error", "the key is wrong"))
        else:
            await self._answer(form, orjson.loads(await read_body(scope, receive, BODY_BYTES_MAX)), send)

    async def _answer(self, form: Format, body: JsonObject, send: Send) -> None:
        asked = read_request(form, body)
        try:
            persona, purpose, said, used = await self._models.answer(asked)
        except UnknownModelError as error:
            await _send(send, 404, error_body(form, "model_not_found", str(error)))
            return
        self._bill.charge(persona.name, purpose, used, persona.rates)
        answer_id = f"scripted-{next(self._numbers)}"
        if asked.stream:
            await _send(send, 200, answer_events(asked, answer_id, said, used), b"text/event-stream")
        else:
            await _send(send, 200, answer_body(asked, answer_id, said, used))


async def _send(send: Send, status: int, body: bytes, kind: bytes = b"application/json") -> None:
    await send_bytes(send, status, ((b"content-type", kind),), body)


async def serve(script: Script) -> None:
    """Serve until standard input ends. Raises ScriptError or OSError."""
    knowledge = Knowledge(read_documents(Path(script.documents)), script.seed)
    counter = TokenCounter(Path(script.cache))
    models = ScriptedModels({persona.name: persona for persona in script.personas}, knowledge, counter)
    app = ScriptedServer(models, Bill(), script.api_key)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, ws="none"))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    sys.stdout.write(json.dumps({"address": address}) + "\n")
    sys.stdout.flush()
    watch = asyncio.create_task(_end_with_input(server))
    try:
        await server.serve(sockets=[listener])
    finally:
        watch.cancel()
        await counter.close()


async def _end_with_input(server: uvicorn.Server) -> None:
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True


def main() -> int:
    """Run the server; 1 with one sentence on stderr if it cannot."""
    try:
        script = Script.from_line(sys.stdin.readline())
        uvloop.run(serve(script))  # asyncio leaves Nagle's delay on a socket that it did not make
    except (ScriptError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
