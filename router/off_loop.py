"""Long work on values, in a thread, so that it delays nobody: checks and questions about a large document."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

INLINE_CHARS_MAX = 8_000
"""What is about a larger document goes to a thread; at this size a check takes a few milliseconds."""
P = ParamSpec("P")
T = TypeVar("T")


async def off_loop(chars: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `work`, which is about `chars` characters: here if they are few, else in a thread."""
    if chars <= INLINE_CHARS_MAX:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)


@asynccontextmanager
async def meanwhile(chars: int, work: Callable[[], object]) -> AsyncIterator[None]:
    """Call `work`, which is about `chars` characters, in a thread while the body waits for something else.

    The body ends when both have. Of few characters nothing is done: `work` must be what would else be done later.
    """
    if chars <= INLINE_CHARS_MAX:
        yield
        return
    begun = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        yield
    finally:
        await begun
