"""Long work on values, in a thread, so that it delays nobody: checks and questions about a large document."""

import asyncio
from collections.abc import Callable
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
