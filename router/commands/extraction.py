"""Ask a gateway to extract fields from a document, and read what it says of them."""

import re
from dataclasses import dataclass
from pathlib import PurePath

import orjson

from router.commands.client import GatewayClient
from router.json_types import JsonObject, JsonValue
from router.providers.pool import Pool

INSTRUCTION = (
    "Extract the fields from the document. Copy every value exactly as the document writes it. "
    "If the document does not say it, leave it empty."
)


NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")
NAME_CHARS_MAX = 64
"""What OpenAI takes as a schema's name, and the gateway as a task's."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """One document's answer. `error` is None where there is one that can be read as JSON."""

    request_id: str | None
    answer: JsonValue
    error: str | None
    error_code: str | None
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    """Of all attempts, audits included: what the cost is for."""
    details: JsonObject

    @staticmethod
    def refused(code: str, message: str) -> "Extracted":
        """A document without an answer."""
        return Extracted(None, None, message, code, None, 0, 0, {})

    @property
    def answered(self) -> bool:
        """A model answered, be it with JSON or not."""
        return self.request_id is not None

    @property
    def fields(self) -> list[JsonObject]:
        """What the checks said, field by field."""
        checks = self.details.get("checks")
        fields = checks.get("fields") if isinstance(checks, dict) else None
        return [field for field in fields if isinstance(field, dict)] if isinstance(fields, list) else []

    @property
    def flagged(self) -> list[str]:
        """The fields that are doubtful."""
        return [str(field["field"]) for field in self.fields if field.get("flagged")]

    @property
    def passed(self) -> bool:
        """The answer is valid and no field is doubtful."""
        checks = self.details.get("checks")
        return isinstance(checks, dict) and checks.get("passed") is True

    @property
    def audit(self) -> str | None:
        """What became of its audit; None where its plan has none."""
        audit = self.details.get("audit")
        return audit if isinstance(audit, str) else None

    @property
    def cost_nano_usd(self) -> int:
        """What it cost."""
        cost = self.details.get("cost_nano_usd")
        return cost if isinstance(cost, int) else 0


async def extract(
    client: GatewayClient,
    pool: Pool,
    text: str,
    schema: JsonObject,
    name: str,
    model: str,
) -> Extracted:
    """Ask for one document's fields. Raises UnavailableError if the gateway cannot be reached."""
    status, body = await client.post(
        pool,
        "/v1/chat/completions",
        {
            "model": model,
            "messages": [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": text}],
            "temperature": 0,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": name, "strict": True, "schema": schema},
            },
            "steelyard": {"return": True, "task": name},
        },
    )
    if status != 200:
        error = body.get("error")
        message = error.get("message") if isinstance(error, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        return Extracted.refused(str(code or f"http_{status}"), str(message or f"status {status}"))
    return _read(body)


def task_name(schema: PurePath) -> str:
    """What a schema's file is called to the gateway: `invoice.schema.json` asks for "invoice"."""
    stem = schema.name.removesuffix(".json").removesuffix(".schema")
    return NOT_IN_A_NAME.sub("_", stem).strip("_")[:NAME_CHARS_MAX] or "answer"


def _read(body: JsonObject) -> Extracted:
    details, choices = body.get("steelyard"), body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    error, answer = None, None
    try:
        answer = orjson.loads(content if isinstance(content, str) else "")
    except orjson.JSONDecodeError:
        error = "the answer is not JSON"
    finish = choice.get("finish_reason")
    known = details if isinstance(details, dict) else {}
    request_id = known.get("request_id")
    return Extracted(
        request_id=request_id if isinstance(request_id, str) else "",
        answer=answer,
        error=error,
        error_code="invalid_json" if error else None,
        finish_reason=finish if isinstance(finish, str) else None,
        prompt_tokens=_count(known.get("tokens"), "input"),
        completion_tokens=_count(known.get("tokens"), "output"),
        details=known,
    )


def _count(tokens: JsonValue, key: str) -> int:
    value = tokens.get(key) if isinstance(tokens, dict) else None
    return value if isinstance(value, int) else 0
