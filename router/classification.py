"""Request -> Task: its kind, its class, and the hashes by which alike requests are known.

Pure, and without content: the hashes are keyed by the gateway's pepper (BLAKE2b, which costs a tenth
of HMAC-SHA256), so that a short prompt cannot be guessed from them.
"""

import hashlib
from dataclasses import dataclass

import orjson

from policies.facts import Facts, TaskKind
from router.bounds import utf8_length
from router.caller import Caller
from router.request import ChatRequest

FEATURES_VERSION = 1
TASK_CLASS_CHARACTERS_MAX = 64
_HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Task:
    """What a request is about, as policies and reports see it."""

    kind: TaskKind
    task_class: str
    """Declared by the caller, else the one that was found."""
    found_class: str
    """The schema's name where it is fit to print, or the kind."""
    template_hash: str
    """Of system text, schema and tools: what repeats from request to request."""
    conversation: str
    """Declared, or found by team, template and first user message."""
    document_bytes: int
    """UTF-8 bytes of the text that answers are checked against."""


def classify(request: ChatRequest, team: str, pepper: bytes) -> Task:
    """Say what `request` of `team` is about."""
    fixed = [message.text for message in request.messages if message.role in ("system", "developer")]
    template = orjson.dumps(
        [team, fixed, request.schema.schema if request.schema else None, request.body.get("tools")]
    )
    template_hash = _keyed_hash(pepper, template)
    conversation = request.declared.conversation
    if conversation is None:
        first = next((message.text for message in request.messages if message.role == "user"), "")
        seed = template_hash.encode() + first.encode()
        conversation = f"conv_{_keyed_hash(pepper, seed)}"
    found = _schema_name(request) or request.kind.value
    return Task(
        kind=request.kind,
        task_class=request.declared.task or found,
        found_class=found,
        template_hash=template_hash,
        conversation=conversation,
        document_bytes=utf8_length(request.document),
    )


def facts_of(request: ChatRequest, task: Task, caller: Caller) -> Facts:
    """What the rules may see of a request."""
    return Facts(
        team=caller.team,
        model=request.model,
        kind=task.kind,
        task_class=task.task_class,
        label=request.declared.label,
        purpose=request.declared.purpose,
        found_class=task.found_class,
        project=caller.project,
        key_id=caller.key_id,
        environment=caller.environment,
        context_tokens=request.bound.text_tokens,
        tools=request.has_tools,
        images=request.bound.images > 0,
    )


def _schema_name(request: ChatRequest) -> str:
    name = request.schema.name[:TASK_CLASS_CHARACTERS_MAX].strip() if request.schema is not None else ""
    return name if name.isprintable() else ""


def _keyed_hash(pepper: bytes, text: bytes) -> str:
    return hashlib.blake2b(text, key=pepper[:64], digest_size=_HASH_BYTES).hexdigest()
