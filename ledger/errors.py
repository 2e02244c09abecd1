"""Every way the ledger can refuse or fail.

LedgerError
|-- MoneyError              an amount that is no amount
|-- PriceError              a price that is missing, ambiguous or malformed
|-- LedgerUnavailableError  nothing new can be written: no space, a failed commit, shut down
|-- LedgerBusyError         another process writes this ledger
`-- LedgerCorruptError      the file is not a ledger, or one from a newer Steelyard
"""


class LedgerError(Exception):
    """The root of the ledger's errors."""


class MoneyError(LedgerError):
    """An amount that cannot be read as money."""


class PriceError(LedgerError):
    """A price that is missing, ambiguous or malformed. An unknown price is never zero."""


class LedgerUnavailableError(LedgerError):
    """The ledger takes no new work now."""


class LedgerBusyError(LedgerError):
    """Another process has this ledger open for writing."""


class LedgerCorruptError(LedgerError):
    """The file is not a ledger that this version can read."""
