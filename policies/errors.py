"""Every way a policy or configuration file can be wrong.

PolicyError              the root; `file` and `line` say where
|-- DocumentError        not YAML that we read: syntax, duplicate keys, aliases, size
`-- RuleError            YAML, but not a rule: unknown key, unknown model, negative money
"""


class PolicyError(Exception):
    """A file is wrong at one place. str() is "FILE line N: what; what to write instead"."""

    def __init__(self, message: str, file: str, line: int | None) -> None:
        """Say `message` of `line`, or of the whole file or folder where that is None."""
        super().__init__(f"{file} line {line}: {message}" if line is not None else f"{file}: {message}")
        self.message = message
        self.file = file
        self.line = line


class DocumentError(PolicyError):
    """The file is not YAML that we read."""


class RuleError(PolicyError):
    """The file is YAML, but says something that is no rule."""
