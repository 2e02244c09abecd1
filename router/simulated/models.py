"""What the scripted models answer, and what that uses."""

import hashlib
from collections.abc import Mapping

import orjson

from router.json_types import JsonObject
from router.processes.counters import TokenCounter
from router.simulated.auditor import is_about_text, is_audit, verdict_on_text, verdicts
from router.simulated.bill import Used
from router.simulated.knowledge import Knowledge
from router.simulated.script import Known, Persona
from router.simulated.wire import Asked, Said, text_of

ENCODING = "o200k_base"
TURN_TOKENS = 8
"""What stands around a request's text."""
SURE, UNSURE = -0.02, -0.9
PIECE_CHARS = 4


class UnknownModelError(Exception):
    """The script names no such model."""


class ScriptedModels:
    """All personas of a script."""

    def __init__(self, personas: Mapping[str, Persona], knowledge: Knowledge, counter: TokenCounter) -> None:
        self._personas = personas
        self._knowledge = knowledge
        self._counter = counter

    async def answer(self, asked: Asked) -> tuple[Persona, str, Said, Used]:
        """Answer a request: who answers, for what ("answer" or "audit"), and what it uses. Raises
        UnknownModelError."""
        persona = self._personas.get(asked.model)
        if persona is None:
            raise UnknownModelError(f"the script knows {', '.join(self._personas)}")
        said = self._said(persona, asked)
        schema = orjson.dumps(asked.schema).decode() if asked.schema is not None else ""
        prompt = await self._counter.count(ENCODING, [asked.text, schema]) + TURN_TOKENS
        output = await self._counter.count(ENCODING, [text_of(said)])
        audits = asked.schema is not None and is_audit(asked.schema)
        reasoning = 0 if audits else persona.reasoning_tokens
        return persona, "audit" if audits else "answer", said, Used(prompt, 0, output + reasoning, reasoning)

    def _said(self, persona: Persona, asked: Asked) -> Said:
        if asked.schema is None:
            digest = hashlib.sha256(asked.text.encode()).hexdigest()
            return _pieces(f"This is the scripted answer {digest[:12]}; nobody thought about it.", SURE)
        if is_audit(asked.schema):
            judge = verdict_on_text if is_about_text(asked.schema) else verdicts
            said = judge(self._knowledge, persona.skill, asked.text)
            return _pieces(orjson.dumps(said).decode(), SURE)
        documents = self._knowledge.shown_in(asked.text)
        answers = [self._fields(persona, known) for known in documents]
        listed = _list_of(asked.schema)
        if listed is not None:
            return _object(((listed, _array(answers)),))
        return answers[0] if answers else _pieces("{}", SURE)

    def _fields(self, persona: Persona, known: Known) -> Said:
        """A document's fields; what is wrong is said a little less surely, as models do."""
        answer = self._knowledge.answers(persona, known)
        fields = []
        for name, value in answer.items():
            wrong = not self._knowledge.is_right(known, name, value)
            sure = self._knowledge.chance("sure", known.key, name) < (0.4 if wrong else 0.9)
            fields.append((name, _pieces(orjson.dumps(value).decode(), SURE if sure else UNSURE)))
        return _object(fields)


def _list_of(schema: JsonObject) -> str | None:
    """The name of the list in which a bundle's answers stand; None where one document is asked about."""
    properties = schema.get("properties")
    for name, asked in properties.items() if isinstance(properties, dict) else ():
        if isinstance(asked, dict) and asked.get("type") == "array":
            return name
    return None


def _object(fields: "list[tuple[str, Said]] | tuple[tuple[str, Said], ...]") -> Said:
    parts: list[tuple[str, float]] = []
    for name, said in fields:
        parts.append((f"{',' if parts else '{'}{orjson.dumps(name).decode()}:", SURE))
        parts.extend(said)
    return (*parts, ("}" if parts else "{}", SURE))


def _array(items: list[Said]) -> Said:
    parts: list[tuple[str, float]] = [("[", SURE)]
    for place, said in enumerate(items):
        if place:
            parts.append((",", SURE))
        parts.extend(said)
    return (*parts, ("]", SURE))


def _pieces(text: str, logprob: float) -> Said:
    return tuple((text[at : at + PIECE_CHARS], logprob) for at in range(0, len(text), PIECE_CHARS))
