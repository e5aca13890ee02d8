"""Waiting for what is wanted of a core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hypercore.core import Hypercore
from hypercore.errors import Closed, RequestTimeout
from hypercore.ids import encode_id
from hypercore.replication import Replicator, Want


async def is_set_within(event: asyncio.Event, timeout: float | None) -> bool:
    """Wait until an event is set, and return False if it is not after ``timeout`` seconds.

    Up to Python 3.11 asyncio.wait_for forgets that it was cancelled if what it waits for happens in the same
    turn of the loop: whoever cancelled would wait for what never ends.
    """
    is_late = False

    def give_up() -> None:
        nonlocal is_late
        is_late = not event.is_set()
        event.set()

    timer = None if timeout is None else asyncio.get_running_loop().call_later(timeout, give_up)
    try:
        await event.wait()
    finally:
        if timer is not None:
            timer.cancel()
    return not is_late


async def wait(
    core: Hypercore,
    begin: Callable[[Callable[[], None]], Want],
    timeout: float | None,
    what: str,
    told: Callable[[], None] = lambda: None,
) -> None:
    """Wait until a want is over; it may take ``timeout`` seconds from each sign of progress to the next.

    ``told`` is called after each of them.

    Raises:
        Closed: the core was closed.
        RequestTimeout: there was no progress.
        Whatever the want fails with.
    """
    woken = asyncio.Event()
    want = begin(woken.set)
    replicator = Replicator.of(core.state)
    replicator.add(want)

    def look() -> None:
        # Without a connection nobody else tells.
        if core.closed and not want.is_done:
            replicator.give_up(want)
            want.finish(Closed(f"core {encode_id(replicator.core.key)} is closed"))

    stop = core.on_change(look)
    try:
        while not want.is_done:
            woken.clear()
            if not await is_set_within(woken, timeout) and not want.is_done:
                raise RequestTimeout(f"core {encode_id(replicator.core.key)}: {what} in {timeout} s")
            told()
    finally:
        stop()
        if not want.is_done:
            replicator.give_up(want)
    if want.error is not None:
        raise want.error
