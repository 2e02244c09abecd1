"""A judge's question as a request like any other: to an auditor, or to a grader."""

from typing import Protocol

from router.bounds import prompt_tokens_bound
from router.json_types import JsonObject
from router.request import AnswerShape, ChatRequest, Declared, Message, SchemaAsked

ENDPOINT = "audit"
SCHEMA_NAME = "verdicts"


class JudgesQuestion(Protocol):
    """What `verifiers` asks a judge."""

    @property
    def instruction(self) -> str:
        """The same for all questions: the system message."""

    @property
    def text(self) -> str:
        """The user's message."""

    @property
    def response_schema(self) -> JsonObject:
        """What the answer must obey."""


def judges_request(question: JudgesQuestion) -> ChatRequest:
    """Write `question` as a chat request; the fixed part comes first, so that providers cache it."""
    schema = question.response_schema
    body: JsonObject = {
        "messages": [
            {"role": "system", "content": question.instruction},
            {"role": "user", "content": question.text},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": SCHEMA_NAME, "schema": schema},
        },
    }
    return ChatRequest(
        endpoint=ENDPOINT,
        model="",
        messages=(Message("system", question.instruction), Message("user", question.text)),
        body=body,
        bound=prompt_tokens_bound(body["messages"], None, schema),
        stream=False,
        include_usage=False,
        max_tokens=None,
        choices=1,
        schema=SchemaAsked(SCHEMA_NAME, schema, AnswerShape.CONTENT),
        has_tools=False,
        wants_logprobs=False,
        declared=Declared(),
    )
