"""A document as one answer's checks and audit look at it: indexed once, and each value looked for once.

The checks, the auditor's question, its corrections and the check of what goes out all need the same
index, which costs more than the rest of them together.
"""

from verifiers.answer import LeafValue
from verifiers.captions import Captions
from verifiers.checks.support import Supported, check_support
from verifiers.document import STEPS_MAX, Document
from verifiers.labels import Label


class Indexed:
    """A document, its captions, and where it supports which value. Nothing is read before it is asked for."""

    def __init__(self, text: str) -> None:
        self.document = Document(text)
        self.captions = Captions(self.document)
        self._supported: dict[tuple[str, str, Label], Supported] = {}

    def support(self, leaf: LeafValue, label: Label) -> Supported:
        """What `check_support` says of a value; what was not looked for since the steps were used up is forgotten."""
        key = (leaf.path, leaf.raw, label)
        found = self._supported.get(key)
        if found is None:
            found = check_support(self.document, leaf, label)
            if not self.document.is_spent:
                self._supported[key] = found
        return found

    def renew(self) -> None:
        """Give a further stage (a question, a correction) the share of steps that each of them has."""
        self.document.steps_left = STEPS_MAX
