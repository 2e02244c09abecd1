"""Compare an answer with gold: exact after SROIE's normalisation, which folds case and spaces."""

from collections.abc import Mapping

from verifiers.json_types import JsonValue


def same_value(answer: JsonValue, gold: JsonValue) -> bool:
    """Whether an answer's value is the gold one, case and white space aside."""
    if isinstance(answer, str) and isinstance(gold, str):
        return normalised(answer) == normalised(gold)
    return answer == gold and isinstance(answer, bool) == isinstance(gold, bool)


def grade(answer: JsonValue, gold: Mapping[str, JsonValue]) -> dict[str, bool]:
    """Each gold field: whether the answer has it right. A missing field is wrong."""
    values = answer if isinstance(answer, dict) else {}
    return {name: name in values and _grade(values[name], value) for name, value in gold.items()}


def normalised(text: str) -> str:
    """Fold case, and drop all white space."""
    return "".join(text.split()).casefold()


def _grade(answer: JsonValue, gold: JsonValue) -> bool:
    if isinstance(gold, list):
        return (
            isinstance(answer, list)
            and len(answer) == len(gold)
            and all(_grade(one, other) for one, other in zip(answer, gold, strict=True))
        )
    if isinstance(gold, dict):
        return isinstance(answer, dict) and all(
            name in answer and _grade(answer[name], value) for name, value in gold.items()
        )
    return same_value(answer, gold)
