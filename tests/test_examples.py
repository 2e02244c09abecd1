"""The example documents: their gold stands in them, their variety is what the README promises."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import jsonschema_rs
import pytest

from router.commands.documents import NotTextError, read_document_text
from router.json_types import JsonObject, JsonValue
from support.command_line import ROOT, invoke
from verifiers.checks.schema import ExtractionSchema
from verifiers.grading import grade

EXAMPLES = ROOT / "examples"
DOCUMENTS = EXAMPLES / "documents"
INDEX: list[JsonObject] = [json.loads(line) for line in (DOCUMENTS / "index.jsonl").read_bytes().splitlines()]
ANSWERED = [line for line in INDEX if line["expect"] == "answer"]
TWO_MEBIBYTES = 2 * 1024 * 1024


def name_of(line: JsonObject) -> str:
    return str(line["file"])


def schema_of(line: JsonObject) -> JsonObject:
    schema: JsonObject = json.loads((EXAMPLES / "schemas" / str(line["schema"])).read_bytes())
    return schema


def gold_of(line: JsonObject) -> JsonObject:
    return cast("JsonObject", line["gold"])


def strings(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


def test_there_are_27_and_the_index_names_every_file_once() -> None:
    files = sorted(path.name for path in DOCUMENTS.iterdir() if path.name != "index.jsonl")
    assert [name_of(line) for line in INDEX] == files
    assert len(files) == 27


@pytest.mark.parametrize("line", ANSWERED, ids=name_of)
def test_every_gold_value_is_written_in_its_document_to_the_letter(line: JsonObject) -> None:
    text = read_document_text(DOCUMENTS / name_of(line))
    found = list(strings(line["gold"]))
    assert found
    for value in found:
        assert value in text


@pytest.mark.parametrize("line", ANSWERED, ids=name_of)
def test_gold_obeys_its_schema_and_is_right_about_itself(line: JsonObject) -> None:
    schema = schema_of(line)
    ExtractionSchema.compile(schema)
    assert jsonschema_rs.is_valid(schema, line["gold"])
    assert all(grade(gold_of(line), gold_of(line)).values())
    properties = cast("JsonObject", schema["properties"])
    assert set(gold_of(line)) == set(properties) == set(cast("list[str]", schema["required"]))


def texts_of(node: JsonValue) -> Iterator[JsonObject]:
    """Every part of a schema that asks for a string."""
    if isinstance(node, dict):
        if node.get("type") == "string":
            yield node
        for part in node.values():
            yield from texts_of(part)


@pytest.mark.parametrize("path", sorted((EXAMPLES / "schemas").glob("*.json")), ids=lambda path: path.name)
def test_every_string_of_a_schema_has_an_end(path: Path) -> None:
    parts = list(texts_of(json.loads(path.read_bytes())))
    assert parts
    assert all("maxLength" in part for part in parts)


def test_kinds_languages_currencies_and_date_styles_are_all_there() -> None:
    kinds = {str(line["schema"]).split(".")[0] for line in INDEX}
    assert kinds == {"invoice", "invoice_items", "receipt", "delivery_note", "contract", "email"}
    assert {line["language"] for line in ANSWERED} == {"en", "de", "fr", "zh"}
    values = [value for line in ANSWERED for value in strings(line["gold"])]
    for mark in ("GBP", "$", "EUR", "€", "¥", "CHF", "£", "RM", "-"):
        assert any(mark in value for value in values), mark
    for date in ("14 March 2026", "2026-02-03", "09.01.2026", "3 avril 2026", "2026年3月18日", "May 6, 2026",
                 "28/02/2026", "17-04-2026", "2026/03/09"):  # fmt: skip
        assert date in values
    assert any(name_of(line).endswith(".pdf") for line in ANSWERED)


def test_the_two_refusals_are_what_they_are_called() -> None:
    refused = {str(line["expect"]): DOCUMENTS / name_of(line) for line in INDEX if line["expect"] != "answer"}
    assert set(refused) == {"context_length_exceeded", "not_text"}
    assert refused["context_length_exceeded"].stat().st_size >= TWO_MEBIBYTES
    assert len(read_document_text(refused["context_length_exceeded"])) >= TWO_MEBIBYTES
    with pytest.raises(NotTextError):
        read_document_text(refused["not_text"])
    assert all(line["gold"] is None for line in INDEX if line["expect"] != "answer")


def test_the_example_configuration_is_fine_as_it_stands() -> None:
    ran = invoke("config", "check", "--config", EXAMPLES / "steelyard.yaml")
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert ran.stdout.endswith("steelyard.yaml is fine: 2 routes, 1 team\n")
    assert "warning" not in ran.stdout
