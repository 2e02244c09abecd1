"""What is about a large document runs in a thread, what is about a small one at once."""

import asyncio
import threading

import pytest

from router.off_loop import INLINE_CHARS_MAX, meanwhile, off_loop


@pytest.mark.parametrize(
    ("chars", "is_here"), [(INLINE_CHARS_MAX, True), (INLINE_CHARS_MAX + 1, False)], ids=["small", "large"]
)
async def test_the_size_decides_where_work_is_done(chars: int, is_here: bool) -> None:
    thread = await off_loop(chars, threading.get_ident)
    assert (thread == threading.get_ident()) is is_here


async def test_what_work_raises_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        await off_loop(INLINE_CHARS_MAX + 1, divmod, 1, 0)


@pytest.mark.parametrize(
    ("chars", "is_done"), [(INLINE_CHARS_MAX, False), (INLINE_CHARS_MAX + 1, True)], ids=["small", "large"]
)
async def test_a_large_document_is_read_while_something_else_is_waited_for(
    chars: int, *, is_done: bool
) -> None:
    threads: list[int] = []
    began = threading.Event()

    def work() -> None:
        threads.append(threading.get_ident())
        began.set()

    async with meanwhile(chars, work):
        if is_done:
            assert await asyncio.to_thread(began.wait, 30)
    assert [thread != threading.get_ident() for thread in threads] == [True] * is_done


async def test_who_fails_meanwhile_fails_after_the_work_has_ended() -> None:
    ended = threading.Event()
    with pytest.raises(ZeroDivisionError):
        async with meanwhile(INLINE_CHARS_MAX + 1, ended.set):
            divmod(1, 0)
    assert ended.is_set()
