"""Check: nothing was left empty or out for which the document has a value.

An empty value is right where the document shows nothing for the field. An answer in which all that
is required is empty says nothing, and never passes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from verifiers.answer import Answer, LeafValue
from verifiers.candidates import find_candidate, find_items
from verifiers.captions import Captions
from verifiers.document import is_blank
from verifiers.found import Placed
from verifiers.labels import NO_LABEL, Label
from verifiers.verdict import Finding, Outcome

CHECK = "omission"
CANDIDATE_STEPS = 300


def check_omissions(labels: Mapping[str, Label], answer: Answer, captions: Captions) -> list[Finding]:
    """Fail once for every field that was left empty or out although the document shows a value.

    Fields within an array are not looked at: of which item a value of the document is, is not known.
    """
    if any(not path or path.startswith("[") for path in _paths(answer)):
        return _of_array(labels, answer, captions)
    holds = {part for leaf in answer.leaves if not _is_empty(leaf) for part in _parts(leaf.path)}
    required = [
        path for path, label in labels.items() if _is_top(path) and label.is_required and not label.is_chosen
    ]
    says_nothing = holds.isdisjoint(required) and (
        len(required) > 1 or not all(labels[path].is_nullable for path in required)
    )
    findings = [
        finding
        for path in _empty(answer)
        if (finding := _of_empty(path, labels.get(path, NO_LABEL), answer, captions)) is not None
    ]
    findings += _left_out(labels, answer, captions)
    if says_nothing:
        said = {finding.field for finding in findings if finding.outcome is Outcome.FAILED}
        findings += [
            _all_empty(path) for path in _empty(answer) if path not in said and _top(path) in required
        ]
    return findings


def _of_array(labels: Mapping[str, Label], answer: Answer, captions: Captions) -> list[Finding]:
    """An answer that is no object can only be an empty list of items."""
    if "" not in answer.empty_arrays or not any(path.startswith("[]") for path in labels):
        return []
    place = find_items(captions, Label(None, ("items",)))
    return [] if place is None else [_left_empty("", place, captions)]


def _of_empty(path: str, label: Label, answer: Answer, captions: Captions) -> Finding | None:
    if label.is_chosen or "[" in path:
        return None
    is_list = path in answer.empty_arrays
    return _shown(path, label, captions, find_items if is_list else find_candidate)


def _shown(
    path: str, label: Label, captions: Captions, find: Callable[[Captions, Label], Placed | None]
) -> Finding | None:
    """Fail where the document shows a value, or where that could not be looked for in all of it.

    A field that may be null is not doubted for the document's length alone.
    """
    if not captions.document.spend(CANDIDATE_STEPS):
        reason = (
            f"what the document shows for {path} was not looked for: the answer is larger than a check may be"
        )
        return Finding(CHECK, path, Outcome.FAILED, "omission.bound", reason)
    place = find(captions, label)
    if place is not None:
        return _left_empty(path, place, captions)
    if captions.are_whole:
        return None
    outcome = Outcome.ABSTAINED if label.is_nullable else Outcome.FAILED
    reason = f"a value for {path} was looked for only in the first part of a document of this length"
    return Finding(CHECK, path, outcome, "omission.bound", reason)


def _left_out(labels: Mapping[str, Label], answer: Answer, captions: Captions) -> Iterator[Finding]:
    """Of fields that are not there at all, though the object is that should hold them."""
    there = {part for path in _paths(answer) for part in _parts(path)}
    objects = {"", *answer.empty_objects, *(part.rpartition(".")[0] for part in there)}
    for path, label in labels.items():
        if "[" in path or path in there or path.rpartition(".")[0] not in objects:
            continue
        if label.is_required:
            reason = f"the answer leaves out {path}, which its schema requires"
            yield Finding(CHECK, path, Outcome.FAILED, "omission.left_out", reason)
        elif not label.is_alternative and not label.is_chosen:
            finding = _shown(path, replace(label, is_nullable=True), captions, find_candidate)
            if finding is not None and finding.outcome is Outcome.FAILED:
                yield finding


def _left_empty(path: str, place: Placed, captions: Captions) -> Finding:
    reason = f"{path or 'the answer'} is left empty, and the document shows what may be its value"
    return Finding(
        CHECK, path, Outcome.FAILED, "omission.left_empty", reason, captions.document.evidence(place)
    )


def _all_empty(path: str) -> Finding:
    reason = f"{path} is empty, as is everything else that the schema requires"
    return Finding(CHECK, path, Outcome.FAILED, "omission.all_empty", reason)


def _is_empty(leaf: LeafValue) -> bool:
    return leaf.value is None or (isinstance(leaf.value, str) and is_blank(leaf.value))


def _empty(answer: Answer) -> Iterator[str]:
    yield from (leaf.path for leaf in answer.leaves if _is_empty(leaf))
    yield from answer.empty_arrays
    yield from answer.empty_objects


def _paths(answer: Answer) -> Iterator[str]:
    yield from (leaf.path for leaf in answer.leaves)
    yield from answer.empty_arrays
    yield from (path for path in answer.empty_objects if path)


def _parts(path: str) -> Iterator[str]:
    """The path and those of all that holds it."""
    while path:
        yield path
        path = path[: max(path.rfind("."), path.rfind("["), 0)]


def _top(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def _is_top(path: str) -> bool:
    return "." not in path and "[" not in path
