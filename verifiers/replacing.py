"""Put new values into an answer's text, and leave every other byte of it as it was."""

from collections.abc import Iterable

import orjson

from verifiers.auditor import AskedField


def replaced(answer_text: str, values: Iterable[tuple[AskedField, str]]) -> str:
    """Put each field's new JSON value in the place of its old one; a field that was left out comes last."""
    text, known = answer_text, list(values)
    there = [(field.leaf, raw) for field, raw in known if field.leaf is not None]
    for leaf, raw in sorted(there, key=lambda pair: pair[0].start, reverse=True):
        text = text[: leaf.start] + raw + text[leaf.end :]
    for field, raw in known:
        if field.leaf is None:
            text = _added(text, field.path, raw)
    return text


def _added(text: str, name: str, raw: str) -> str:
    body = text.rstrip()[:-1].rstrip()
    comma = "" if body.endswith("{") else ", "
    return f"{body}{comma}{orjson.dumps(name).decode()}: {raw}}}"
