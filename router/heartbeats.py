"""Keep a caller's connection alive while its streamed answer is still being checked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from router.reply import AnswerHead, Reply

FIRST_S = 3.0
"""Quick answers go out without a heartbeat, with all their headers."""
EVERY_S = 5.0


@asynccontextmanager
async def heartbeats(reply: Reply, head: AnswerHead) -> AsyncIterator[None]:
    """Send heartbeats for as long as the block lasts, once it has lasted a while."""
    beating = asyncio.create_task(_beat(reply, head))
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def _beat(reply: Reply, head: AnswerHead) -> None:
    rest_s = FIRST_S
    while not reply.client_left:
        await asyncio.sleep(rest_s)
        await reply.heartbeat(head)
        rest_s = EVERY_S
