"""Every way that a check's own input can be wrong. A wrong answer is a finding, never an exception.

VerifierError
|-- SchemaError   the schema that was asked for cannot be used
`-- MarkError     one of our own keywords in it is misspelt or misplaced
"""


class VerifierError(Exception):
    """The root of this package's errors."""


class SchemaError(VerifierError):
    """The schema cannot be used."""


class MarkError(VerifierError):
    """One of our own keywords makes no sense where it stands."""
