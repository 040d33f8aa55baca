"""How does work go on beside the requests, and end with the service?

After a database was killed under load, a task was seen that had lost its cancellation and went on, and who
had told it to end waited for ever. So a task is told again, and where nothing helps the process ends.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager

import structlog

log = structlog.get_logger(__name__)

#: A worker that is told to end gives its jobs two seconds; only then it is told again.
_GRACE_SECONDS = 10.0
_AGAIN_SECONDS = 1.0
_TOLD_AGAIN = 10
#: What sysexits.h calls an internal software error.
_EX_SOFTWARE = 70


@asynccontextmanager
async def beside(*works: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Do these works while the block runs; each is cancelled and waited for at its end."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        await _end(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def until_one_ends(*works: Coroutine[object, object, None]) -> None:
    """Run these side by side until the first ends, then end the others; raises what that one raised.

    Where one cannot be ended the process ends, and whoever looks after it starts it anew.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(tasks)
    for task in ended:
        task.result()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    if not tasks:
        return
    for wait in (_GRACE_SECONDS, *[_AGAIN_SECONDS] * _TOLD_AGAIN):
        for task in tasks:
            task.cancel()
        _, running = await asyncio.wait(tasks, timeout=wait)
        if not running:
            for task in tasks:
                # What is raised on the way out matters no more, and asyncio asks that somebody looks.
                if not task.cancelled():
                    task.exception()
            return
    log.critical("work in the background does not end, so the process does")
    os._exit(_EX_SOFTWARE)
