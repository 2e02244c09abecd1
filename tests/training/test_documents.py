"""Drawn documents: the same from the same seed, and answered by what stands in them."""

import json
from collections import Counter
from typing import Any

import jsonschema_rs
import pytest

from training.documents.chance import Chance
from training.documents.kinds import any_kind
from training.documents.samples import HELD_OUT, Sample, sample

SAMPLES = [sample(seed) for seed in range(400)]


def test_a_seed_is_a_sample() -> None:
    assert sample(7) == sample(7)
    assert len({drawn.text for drawn in SAMPLES}) == len(SAMPLES)
    assert sample(HELD_OUT).text not in {drawn.text for drawn in SAMPLES}


def test_every_answer_fits_its_schema() -> None:
    for drawn in SAMPLES:
        assert jsonschema_rs.Draft202012Validator(drawn.schema).is_valid(json.loads(drawn.answer_text))


def test_every_text_that_is_answered_stands_in_the_document_white_space_aside() -> None:
    asked = found = 0
    for drawn in SAMPLES:
        text = "".join(drawn.text.split())
        for value in strings(drawn):
            asked += 1
            found += "".join(value.split()) in text
    # Addresses may be cut by a line of something else, days may be asked for as ISO writes them.
    assert asked > 1000
    assert found / asked > 0.93


def test_there_are_all_kinds_and_absent_fields() -> None:
    kinds = Counter(any_kind(Chance(seed)).kind for seed in range(400))
    assert set(kinds) == {"receipt", "invoice", "delivery note", "form", "e-mail"}
    answers = [value for drawn in SAMPLES for value in drawn.answer.values()]
    assert sum(value is None for value in answers) > 50
    assert any(isinstance(value, list) for value in answers)
    assert any(isinstance(value, dict) for value in answers)


@pytest.mark.parametrize("kind", ["number", "integer"])
def test_numbers_have_the_digits_that_are_printed(kind: str) -> None:
    checked = 0
    for drawn in SAMPLES:
        said = json.loads(drawn.answer_text, parse_float=str, parse_int=str)
        for name, described in drawn.schema["properties"].items():
            types = described["type"] if isinstance(described["type"], list) else [described["type"]]
            if kind in types and said[name] is not None:
                checked += 1
                printed = drawn.text.replace(".", "").replace(",", "")
                assert said[name].replace(".", "") in printed
    assert checked > 10


def strings(drawn: Sample) -> list[str]:
    """All texts of an answer that are not empty."""

    def inside(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value] if value else []
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [text for each in inner for text in inside(each)]

    return inside(drawn.answer)
