"""A document as one answer's checks and audit look at it: indexed once, and each value looked for once.

The checks, the auditor's question, its corrections and the check of what goes out all need the same
index, which costs more than the rest of them together.
"""

from collections.abc import Iterator

from verifiers.answer import LeafValue
from verifiers.captions import Captions
from verifiers.checks.completeness import check_completeness
from verifiers.checks.nature import check_nature
from verifiers.checks.rivals import check_rivals
from verifiers.checks.support import Supported, check_support
from verifiers.document import STEPS_MAX, Document
from verifiers.labels import Label
from verifiers.verdict import Finding


class Indexed:
    """A document, its captions, and where it supports which value. Nothing is read before it is asked for."""

    def __init__(self, text: str) -> None:
        self.document = Document(text)
        self.captions = Captions(self.document)
        self._supported: dict[tuple[str, str, Label], Supported] = {}
        self._findings: dict[tuple[str, str, Label], tuple[Finding, ...]] = {}

    def read(self) -> None:
        """Read all that most answers need: it takes longest, and can be done before there is an answer."""
        document, captions = self.document, self.captions
        _ = (document.words.positions, document.amounts, document.dates, document.line_of(0))
        _ = (captions.amounts, captions.dates, captions.paid)

    def support(self, leaf: LeafValue, label: Label) -> Supported:
        """What `check_support` says of a value; what was not looked for since the steps were used up is forgotten."""
        key = (leaf.path, leaf.raw, label)
        found = self._supported.get(key)
        if found is None:
            found = check_support(self.document, leaf, label)
            if not self.document.is_spent:
                self._supported[key] = found
        return found

    def findings(self, leaf: LeafValue, label: Label) -> tuple[Finding, ...]:
        """What the document and its label say of a value, whatever else the answer holds. Kept, as `support` is."""
        key = (leaf.path, leaf.raw, label)
        found = self._findings.get(key)
        if found is None:
            found = tuple(self._found(leaf, label))
            if not self.document.is_spent:
                self._findings[key] = found
        return found

    def _found(self, leaf: LeafValue, label: Label) -> Iterator[Finding]:
        supported = self.support(leaf, label)
        yield supported.finding
        if (nature := check_nature(leaf, label)) is not None:
            yield nature
        if supported.places and not label.is_chosen:
            rivals = check_rivals(self.captions, leaf, supported.places, label)
            completeness = check_completeness(self.document, leaf, supported.places, label)
            yield from (finding for finding in (rivals, completeness) if finding is not None)

    def renew(self) -> None:
        """Give a further stage (a question, a correction) the share of steps that each of them has."""
        self.document.steps_left = STEPS_MAX
