"""Memory that runs out, as an error with a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from local_model.errors import WeightsError

_TORCH_SAYS = ("allocate memory", "out of memory")


@contextmanager
def memory_for(what: str) -> Iterator[None]:
    """Raise WeightsError, with `what` there was no memory for, in place of Python's and torch's own errors."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not any(word in str(error) for word in _TORCH_SAYS):
            raise
        raise WeightsError(
            f"{what}: there is no memory left for it; `steelyard local inspect` says what a checkpoint needs"
        ) from error
