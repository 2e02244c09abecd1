"""What is about a large document runs in a thread, what is about a small one at once."""

import threading

import pytest

from router.off_loop import INLINE_CHARS_MAX, off_loop


@pytest.mark.parametrize(
    ("chars", "is_here"), [(INLINE_CHARS_MAX, True), (INLINE_CHARS_MAX + 1, False)], ids=["small", "large"]
)
async def test_the_size_decides_where_work_is_done(chars: int, is_here: bool) -> None:
    thread = await off_loop(chars, threading.get_ident)
    assert (thread == threading.get_ident()) is is_here


async def test_what_work_raises_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        await off_loop(INLINE_CHARS_MAX + 1, divmod, 1, 0)
