"""Requests out of a seed, each with a secret of its own in all places that a request has, and what became of them."""

import json
import random
import threading
from base64 import b64encode
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from router.json_types import JsonObject, JsonValue
from support.gateway import PATIENCE_S, RunningGateway
from support.leak_world import LABELS, TEAMS, Facts
from support.markers import marker

CLIENTS = 16
MODELS = ("auto", "auto", "cheap", "premium", "cheap+audit", "cheap+audit", "flash", "big", "other")
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    number: int
    facts: Facts
    headers: dict[str, str]
    body: bytes
    broken: bool
    """It must be refused before anybody is asked."""
    leaves: bool
    """Its client closes the connection without waiting."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came back of it."""

    asked: Asked
    status: int | None
    """None where nobody waited, or the connection broke off."""
    request_id: str | None
    route: str | None
    body: bytes


def asked(run: int, number: int, *, sealed: bool = False) -> Asked:
    """Request `number` of a run; `sealed` says whether the rule of that name is in force."""
    chance = random.Random(f"{run} {number}")  # noqa: S311  (a script, no secret)
    secret = marker(run, number)
    team = chance.choice(sorted(TEAMS))
    in_header, in_body = _declared(chance)
    purpose = chance.choice([None, None, "open", "sealed"])
    task = chance.choice([None, None, "contract"])
    body: JsonObject = {"model": chance.choice(MODELS), "max_tokens": 200}
    tools, images = _write(body, chance, secret)
    own: dict[str, JsonValue] = {"label": in_body, "purpose": purpose, "task": task}
    steelyard: JsonObject = {key: value for key, value in own.items() if value is not None}
    if steelyard:
        body["steelyard"] = steelyard
    labels = [in_header, in_body, TEAMS[team].default_label, LABELS[0]]
    facts = Facts(
        team=team,
        label=max((each for each in labels if each is not None), key=LABELS.index),
        purpose=purpose,
        task=task,
        tools=tools,
        images=images,
        sealed=sealed,
    )
    headers = {"x-steelyard-label": in_header} if in_header is not None else {}
    broken = chance.random() < 0.04
    sent = _spoilt(body, headers, chance, secret) if broken else _encoded(body, chance, secret)
    return Asked(number, facts, headers, sent, broken, leaves=chance.random() < 0.03)


def _declared(chance: random.Random) -> tuple[str | None, str | None]:
    """A label in the header and one in the body, which need not agree."""
    where = chance.choice(["nowhere", "nowhere", "header", "body", "both"])
    in_header = chance.choice(LABELS) if where in ("header", "both") else None
    return in_header, chance.choice(LABELS) if where in ("body", "both") else None


def _write(body: JsonObject, chance: random.Random, secret: str) -> tuple[bool, bool]:
    """Write what is asked; say whether it has tools, and images."""
    messages: list[JsonValue] = []
    tools: list[JsonValue] = []
    if chance.random() < 0.5:
        messages.append({"role": "system", "content": f"You serve the holder of {secret}."})
    if chance.random() < 0.1:
        messages += _past(secret)
        tools.append(_tool("look_up", f"Finds {secret}."))
    text = f"ACME Ltd for {secret}\nDate 2026-11-01 {secret}\nSubtotal 10.00\nTotal 12.50 {secret}\n"
    text += f"Seal {b64encode(secret.encode()).decode()}\n"
    images = chance.random() < 0.06
    image: JsonObject = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    parts: list[JsonValue] = [{"type": "text", "text": text}, image]
    messages.append({"role": "user", "content": parts if images else text})
    body["messages"] = messages
    if chance.random() < 0.6:
        if tools or chance.random() < 0.8:
            asked: JsonObject = {"name": "invoice", "schema": _schema(secret)}
            body["response_format"] = {"type": "json_schema", "json_schema": asked}
        else:
            tools.append(_tool("invoice", f"Takes {secret}.", _schema(secret)))
            body["tool_choice"] = {"type": "function", "function": {"name": "invoice"}}
    elif chance.random() < 0.1:
        tools.append(_tool("look_up", f"Finds {secret}."))
    if tools:
        body["tools"] = tools[:1] if "tool_choice" not in body else tools
    if chance.random() < 0.4:
        body["user"] = secret
    if chance.random() < 0.05:
        body["metadata"] = {"case": secret}
    if chance.random() < 0.4:
        body["stream"] = True
    return bool(tools), images


def _past(secret: str) -> list[JsonValue]:
    """A turn before this one, in which a tool was called."""
    call: JsonObject = {"name": "look_up", "arguments": json.dumps({"what": secret})}
    calls: list[JsonValue] = [{"id": "call_1", "type": "function", "function": call}]
    return [
        {"role": "user", "content": f"Who is {secret}?"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_1", "content": f"It is {secret}."},
    ]


def _tool(name: str, about: str, parameters: JsonObject | None = None) -> JsonObject:
    function: JsonObject = {
        "name": name,
        "description": about,
        "parameters": parameters or {"type": "object"},
    }
    return {"type": "function", "function": function}


def _schema(secret: str) -> JsonObject:
    company: JsonObject = {"type": "string", "maxLength": 50, "description": f"who sells to {secret}"}
    total: JsonObject = {"type": "string", "maxLength": 20, "description": f"what {secret} paid"}
    return {
        "type": "object",
        "properties": {"company": company, "total": total},
        "required": ["company", "total"],
        "additionalProperties": False,
    }


def _encoded(body: JsonObject, chance: random.Random, secret: str) -> bytes:
    """As JSON, the secret in escapes now and then."""
    text = json.dumps(body)
    if chance.random() < 0.2:
        text = text.replace(secret, "".join(f"\\u{ord(each):04x}" for each in secret))
    return text.encode()


def _spoilt(body: JsonObject, headers: dict[str, str], chance: random.Random, secret: str) -> bytes:
    """The same, but for one thing that nobody can take; the secret stands in it."""
    match chance.randrange(5):
        case 0:
            return json.dumps({**body, "model": secret}).encode()
        case 1:
            return json.dumps({**body, "temperature": secret}).encode()
        case 2:
            headers["x-steelyard-label"] = secret
            return json.dumps(body).encode()
        case 3:
            return json.dumps({**body, "steelyard": {"label": secret, secret: 1}}).encode()
        case _:
            return json.dumps(body).encode()[:-9]


class Load:
    """Sends requests from several clients, and keeps what became of them."""

    def __init__(self, gateway: RunningGateway, keys: dict[str, str], run: int) -> None:
        self.told: list[Told] = []
        self._gateway = gateway
        self._keys = keys
        self._run = run
        self._lock = threading.Lock()

    def send(self, numbers: Iterable[int], *, sealed: bool = False) -> None:
        """Send these requests of the run, and wait for all."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            for told in pool.map(self._send, self._requests(numbers, sealed=sealed)):
                with self._lock:
                    self.told.append(told)

    def _requests(self, numbers: Iterable[int], *, sealed: bool) -> Iterator[Asked]:
        return (asked(self._run, number, sealed=sealed) for number in numbers)

    def _send(self, request: Asked) -> Told:
        address = urlsplit(self._gateway.url)
        connection = HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE_S)
        headers = {**request.headers, "authorization": f"Bearer {self._keys[request.facts.team]}"}
        try:
            connection.request("POST", "/v1/chat/completions", request.body, headers)
            if request.leaves:
                return Told(request, None, None, None, b"")
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            route = found.get("x-steelyard-route") or None  # a heartbeat goes out before it is known
            return Told(request, response.status, found.get("x-steelyard-request-id"), route, response.read())
        except (OSError, HTTPException):  # a stream that broke off is told by no status
            return Told(request, None, None, None, b"")
        finally:
            connection.close()
