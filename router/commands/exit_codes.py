"""What the commands' exit codes mean, and how an error reaches a person: one sentence, no traceback.

0  done
1  nothing found, or at least one document came out otherwise than it should
2  wrong usage: an option, a file or a configuration that cannot be read
3  the gateway, a model or a data file cannot be reached, started or written to

Whoever reads our output may go away (`| head`): that ends a command with 0 and without a word.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.errors import LedgerError, MoneyError, PriceError
from local_model.errors import LocalModelError
from policies.errors import PolicyError
from router.commands.tables import quiet_pipe
from router.errors import GatewayError, InvalidRequestError, NotFoundError
from router.providers.local.engine import EngineError

DONE, NOTHING, USAGE, UNREACHABLE = 0, 1, 2, 3


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """End the program with a sentence on stderr for every error that we expect."""
    try:
        with quiet_pipe():
            yield
    except (PolicyError, InvalidRequestError, MoneyError, PriceError) as error:
        _end(str(error), USAGE)
    except NotFoundError as error:
        _end(str(error), NOTHING)
    except (GatewayError, LedgerError, LocalModelError, EngineError) as error:
        _end(str(error), UNREACHABLE)
    except OSError as error:
        place = f"{error.filename}: " if error.filename is not None else ""
        _end(f"{place}{error.strerror or type(error).__name__}", UNREACHABLE)


def _end(message: str, code: int) -> None:
    sys.stderr.write(f"steelyard: {message}\n")
    raise SystemExit(code)
