"""Every way that a check's own input can be wrong. A wrong answer is a finding, never an exception.

VerifierError
|-- SchemaError   the schema that was asked for cannot be used
|-- MarkError     one of our own keywords in it is misspelt or misplaced
`-- NonceError    an auditor's question was to be fenced with a nonce that could be guessed
"""


class VerifierError(Exception):
    """The root of this package's errors."""


class SchemaError(VerifierError):
    """The schema cannot be used."""


class MarkError(VerifierError):
    """One of our own keywords makes no sense where it stands."""


class NonceError(VerifierError):
    """A question's nonce is too short, or not hex."""
