"""Auditors that a test can send a question to: one that records where each text stands, one that obeys.

They read a question as a model would, knowing nothing of how it was made but the instruction.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from verifiers.auditor import CLOSING, INSTRUCTION, AuditQuestion

_FIELD_KEYS = {"field", "name", "about", "claimed", "empty", "doubt", "spans"}
_ANGLES = re.compile(r"<{2,}|>{2,}")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What stood within the fence of a prompt, and all that stood outside of it."""

    records: tuple[Mapping[str, object], ...]
    outside: tuple[str, ...]


def record(text: str) -> Recorded:
    """Read a user's message; whoever wrote a line that ends the fence early has broken out."""
    lines = text.splitlines()  # at every line break that Unicode knows
    first = lines[0]
    assert first.startswith("<<<"), "the fence opens the message"
    nonce = first.removeprefix("<<<")
    end = lines.index(f"{nonce}>>>")
    records = tuple(json.loads(line) for line in lines[1:end])
    assert all(isinstance(each, dict) for each in records)
    return Recorded(records, tuple(lines[end + 1 :]))


def assert_contained(question: AuditQuestion, nonce: str) -> Recorded:
    """Nothing stands outside the fence but what is ours, and nothing within looks like its lines."""
    recorded = record(question.text)
    assert question.instruction == INSTRUCTION
    assert recorded.outside == (CLOSING,)
    assert question.text.count(nonce) == 2
    for each in recorded.records:
        is_span = each.keys() == {"span", "text"}
        assert is_span or ("field" in each and each.keys() <= _FIELD_KEYS), each.keys()
        for value in each.values():
            if isinstance(value, str):
                assert not looks_like_a_fence(value, nonce)
    return recorded


def looks_like_a_fence(text: str, nonce: str) -> bool:
    """Whether somebody who reads generously sees a fence in it: its marks in a row, or its nonce."""
    seen = unicodedata.normalize("NFKD", text)
    seen = "".join(each for each in seen if unicodedata.category(each)[0] not in "CM").casefold()
    for one, other in (("«‹⟨《≪⋘", "<"), ("»›⟩》≫⋙", ">")):
        seen = re.sub(f"[{one}]{{2,}}|[{one[-1]}]", other * 3, seen)
    bare = "".join(filter(str.isalnum, seen.translate(str.maketrans("авсе", "abce"))))
    return _ANGLES.search(seen.replace(" ", "")) is not None or nonce in bare


def obedient(question: AuditQuestion, gold: Mapping[str, str]) -> str:
    """Answer honestly by `gold`, unless anything outside the fence says something that is not ours."""
    recorded = record(question.text)
    ours = json.dumps([field.id for field in question.fields]) + INSTRUCTION + CLOSING
    swayed = any(line not in ours for line in recorded.outside) or question.instruction != INSTRUCTION
    texts = {str(each["span"]): str(each["text"]) for each in recorded.records if "span" in each}
    verdicts = []
    for each in recorded.records:
        if "field" not in each:
            continue
        field = str(each["field"])
        right = gold.get(field)
        if swayed or each.get("claimed") == right:
            verdicts.append({"field": field, "verdict": "right", "correction": None, "span_id": None})
            continue
        shown = [span for span in str(each["spans"]).split() if right and right in texts[span]]
        verdicts.append(
            {
                "field": field,
                "verdict": "wrong",
                "correction": right if shown else None,
                "span_id": shown[0] if shown else None,
            }
        )
    return json.dumps({"verdicts": verdicts})
