"""An asyncio event loop for experiments: they are not asynchronous, and preparation and run share it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class EventLoop:
    """An event loop that runs while ``run`` does, and that nothing survives; made by ``event_loop``.

    asyncio.Runner, of Python 3.11, would be it, but for one thing: asyncio only logs what a callback raises.
    Here whatever is raised in the loop, such as by the signal of pytest-timeout, ends the run.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._on_error)
        self._task: asyncio.Task[Any] | None = None
        self._error: BaseException | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end and return its result; one that is cut short is cancelled.

        Raises:
            Whatever it raises, or anything else in the loop since the last run.
        """
        self._task = task = self._loop.create_task(work)
        try:
            return self._loop.run_until_complete(task)
        finally:
            self._task = None
            if not task.done():  # Ctrl-C, or a timeout while nothing else was going on
                self._loop.run_until_complete(_cancel({task}))
            if self._error is not None:
                error, self._error = self._error, None
                raise error

    def close(self) -> None:
        """Cancel all that still runs, wait for its end, and close the loop."""
        self._loop.set_exception_handler(None)
        try:
            self._loop.run_until_complete(_cancel(asyncio.all_tasks(self._loop)))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    def _on_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Keep the first error, and let the run end."""
        if self._error is None:
            self._error = context.get("exception") or RuntimeError(context["message"])
        if self._task is not None:
            self._task.cancel()


async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def event_loop() -> Iterator[EventLoop]:
    """Give an event loop; at the end nothing of what ran in it is left."""
    loop = EventLoop()
    try:
        yield loop
    finally:
        loop.close()
