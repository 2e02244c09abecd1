"""Requests that are alike have one class and one template; their content is in neither."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.facts import Facts, Label, TaskKind
from policies.rulebook import Rulebook
from router.caller import Caller
from router.classification import Task, classify, facts_of
from router.json_types import JsonObject
from support.routes import chat
from support.rules import policy_of

PEPPER = b"p" * 32
SCHEMA = {"type": "object", "properties": {"total": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "book", "parameters": SCHEMA}}


def task_of(text: str = "How much is it?", /, **fields: object) -> Task:
    return classify(chat(text, **fields), "finance", PEPPER)


def asking(name: str = "invoice") -> dict[str, object]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": name, "schema": SCHEMA}}}


def messages_of(system: str, user: str) -> list[JsonObject]:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def told(system: str, user: str, /, **fields: object) -> Task:
    return task_of(messages=messages_of(system, user), **fields)


def declared(**keys: object) -> dict[str, object]:
    return {"steelyard": keys}


def test_a_request_for_a_schema_is_an_extraction_and_all_else_generation() -> None:
    assert task_of(**asking()).kind is TaskKind.EXTRACTION
    forced = {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "book"}}}
    assert task_of(**forced).kind is TaskKind.EXTRACTION
    assert task_of(tools=[TOOL]).kind is TaskKind.GENERATION
    assert task_of(response_format={"type": "json_object"}).kind is TaskKind.GENERATION
    assert task_of().kind is TaskKind.GENERATION


SAME = chat("", messages=messages_of("Read receipts.", "Total 4.20"), **asking())
CLASSES: dict[str, tuple[dict[str, object], str]] = {
    "declared": ({**asking(), **declared(task="receipts")}, "receipts"),
    "the schema's name": (asking("invoice"), "invoice"),
    "a long name's beginning": (asking("x" * 500), "x" * 64),
    "a schema without a name": (asking(""), "extraction"),
    "a schema whose name is a space": (asking("  "), "extraction"),
    "a schema whose name would write over the terminal": (asking("\x1b[2Jinvoice"), "extraction"),
    "neither": ({}, "generation"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), CLASSES.values(), ids=CLASSES.keys())
def test_a_class_is_declared_or_found(fields: dict[str, object], expected: str) -> None:
    assert task_of(**fields).task_class == expected


def test_what_repeats_from_request_to_request_is_the_template() -> None:
    one, two = (
        told("Read receipts.", "Total 4.20", **asking()),
        told("Read receipts.", "Total 9.99", **asking()),
    )
    assert one.template_hash == two.template_hash
    assert one.conversation != two.conversation


@pytest.mark.parametrize(
    "other",
    [
        told("Read invoices.", "Total 4.20", **asking()),
        told("Read receipts.", "Total 4.20"),
        told("Read receipts.", "Total 4.20", **asking(), tools=[TOOL]),
        classify(SAME, "legal", PEPPER),
        classify(SAME, "finance", b"q" * 32),
    ],
    ids=["system text", "schema", "tools", "team", "pepper"],
)
def test_another_template_has_another_hash_and_conversation(other: Task) -> None:
    one = classify(SAME, "finance", PEPPER)
    assert one.template_hash != other.template_hash
    assert one.conversation != other.conversation


def test_a_conversation_goes_on_while_its_beginning_is_the_same() -> None:
    first: list[JsonObject] = [{"role": "user", "content": "How much is it?"}]
    later: list[JsonObject] = [
        *first,
        {"role": "assistant", "content": "4.20"},
        {"role": "user", "content": "In euros?"},
    ]
    assert task_of(messages=first).conversation == task_of(messages=later).conversation
    assert task_of().conversation.startswith("conv_")


def test_a_declared_conversation_is_kept_as_it_is() -> None:
    assert task_of(**declared(conversation="thread 7")).conversation == "thread 7"


def test_an_assistants_opening_is_no_conversations_beginning() -> None:
    opened = task_of(
        messages=[{"role": "assistant", "content": "Hello"}, {"role": "user", "content": "How much is it?"}]
    )
    assert opened.conversation == task_of().conversation


DOCUMENTS: dict[str, tuple[list[JsonObject], dict[str, object], int]] = {
    "ASCII": ([{"role": "user", "content": "abc"}], {}, 3),
    "beyond ASCII": ([{"role": "user", "content": "发票"}], {}, 6),
    "not the system's": ([{"role": "system", "content": "abc"}, {"role": "user", "content": "é"}], {}, 2),
    "two messages": ([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}], {}, 3),
    "the one that is named": (
        [{"role": "user", "content": "long instructions"}, {"role": "user", "content": "doc"}],
        declared(document={"message": 1}), 3,
    ),
    "none": ([{"role": "system", "content": "abc"}], {}, 0),
}  # fmt: skip


@pytest.mark.parametrize(("messages", "fields", "size"), DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_a_documents_size_is_its_bytes(
    messages: list[JsonObject], fields: dict[str, object], size: int
) -> None:
    assert task_of(messages=messages, **fields).document_bytes == size


@given(st.text(max_size=50), st.text(max_size=50))
def test_every_request_has_a_task_without_its_text(system: str, text: str) -> None:
    task = told(f"SYSTEM{system}", f"SECRET{text}")
    assert "SECRET" not in repr(task)
    assert "SYSTEM" not in repr(task)
    assert told(f"SYSTEM{system}", f"SECRET{text}") == task, "the same request is the same task"


def test_a_template_as_deep_as_a_body_may_be_is_hashed() -> None:
    deep = json.loads('{"a":' * 190 + "1" + "}" * 190)
    assert task_of(tools=[{"type": "function", "function": {"name": "x", "parameters": deep}}]).template_hash


def test_a_policy_sees_what_was_declared_and_no_content() -> None:
    request = chat(
        "How much is it?",
        model="cheap",
        tools=[TOOL],
        steelyard={"label": "confidential", "purpose": "audit", "task": "t"},
    )
    rulebook = Rulebook(policy_of("team: finance\nmodels: [small]\n", ("small",)), ())
    caller = Caller("key_1", "finance", rulebook, (), "ledger", "production")
    task = classify(request, "finance", PEPPER)
    expected = Facts(
        "finance", "cheap", TaskKind.GENERATION, "t", Label.CONFIDENTIAL, "audit", "generation", "ledger", "key_1",
        "production", request.bound.text_tokens, tools=True, images=False,
    )  # fmt: skip
    assert facts_of(request, task, caller) == expected


def test_a_class_that_is_declared_stands_beside_the_one_that_was_found() -> None:
    task = task_of(**asking("invoice"), **declared(task="receipts"))
    assert (task.task_class, task.found_class) == ("receipts", "invoice")
