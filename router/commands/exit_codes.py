"""What the commands' exit codes mean, and how an error reaches a person: one sentence, no traceback.

0  done
1  nothing found, or at least one document could not be answered
2  wrong usage: an option, a file or a configuration that cannot be read
3  the gateway or a model cannot be reached, started or written to
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.errors import LedgerError
from local_model.errors import LocalModelError
from policies.errors import PolicyError
from router.errors import GatewayError
from router.providers.local.engine import EngineError

DONE, NOTHING, USAGE, UNREACHABLE = 0, 1, 2, 3


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """End the program with a sentence on stderr for every error that we expect."""
    try:
        yield
    except PolicyError as error:
        _end(str(error), USAGE)
    except (GatewayError, LedgerError, LocalModelError, EngineError) as error:
        _end(str(error), UNREACHABLE)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has enough; Python would complain at exit
        raise SystemExit(DONE) from None


def _end(message: str, code: int) -> None:
    sys.stderr.write(f"steelyard: {message}\n")
    raise SystemExit(code)
