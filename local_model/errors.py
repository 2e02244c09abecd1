"""Every way that running a model on this machine can fail.

LocalModelError
|-- SettingsError     the engine's settings make no sense
|-- WeightsError      weights cannot be had, or are not what they should be
|   `-- ConfigError   a checkpoint's config.json says something that this runtime does not do
|-- CacheError        a sequence's state cannot do what it was asked to
|-- NoNativeStepError the native step cannot be built here, or what was built cannot be used
`-- GrammarError      a schema or an expression that answers cannot be held to
"""


class LocalModelError(Exception):
    """The root of this package's errors."""


class SettingsError(LocalModelError):
    """The engine's settings make no sense."""


class WeightsError(LocalModelError):
    """Weights cannot be had, or are not what they should be."""


class ConfigError(WeightsError):
    """A checkpoint's config.json says something that this runtime does not do."""


class CacheError(LocalModelError):
    """A sequence's state cannot do what it was asked to."""


class GrammarError(LocalModelError):
    """A schema or an expression that answers cannot be held to."""


class NoNativeStepError(LocalModelError):
    """The native step cannot be built here, or what was built cannot be used."""
