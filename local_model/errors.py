"""Every way that running a model on this machine can fail.

LocalModelError
|-- SettingsError   the engine's settings make no sense
`-- WeightsError    weights cannot be had, or are not what they should be
"""


class LocalModelError(Exception):
    """The root of this package's errors."""


class SettingsError(LocalModelError):
    """The engine's settings make no sense."""


class WeightsError(LocalModelError):
    """Weights cannot be had, or are not what they should be."""
