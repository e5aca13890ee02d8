"""Watching something that changes with a core: what it was, and what it is now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hypercore.core import Hypercore
from hypercore.errors import Closed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """What is watched as it is now, and as it was when a change was last seen."""

    current: T
    previous: T


class Watcher(Generic[T]):
    """Sees whether something changed: with ``poll`` at any time, or as an async iterator that waits for it.

    Several changes of the core between two looks are one. It is a context manager; closing it, or the core,
    ends the iteration.

    Args:
        core: what it watches.
        look: returns what is watched as it is now.
        differs: whether two looks, the newer one first, are not the same.
    """

    def __init__(self, core: Hypercore, look: Callable[[], T], differs: Callable[[T, T], bool]) -> None:
        self._core = core
        self._look = look
        self._differs = differs
        self._seen = look()
        self._changed = True
        self._waiting: set[asyncio.Event] = set()
        self._end = core.on_change(self._wake)
        self._closed = False

    def poll(self) -> Change[T] | None:
        """Return what changed since the last change that was seen, None if nothing did.

        Raises:
            Closed: the watcher, or the core, is closed.
            HypercoreError: what is watched cannot be read; it is looked at again the next time.
        """
        if self._closed:
            raise Closed("the watcher is closed")
        if self._core.closed:
            raise Closed("the core that is watched is closed")
        if not self._changed:
            return None
        change = Change(self._look(), self._seen)
        differs = self._differs(change.current, change.previous)
        self._seen = change.current
        self._changed = False
        return change if differs else None

    def close(self) -> None:
        """End it; whoever waits for a change is told. Closing twice is fine."""
        if not self._closed:
            self._closed = True
            self._end()
            self._wake()

    def __enter__(self) -> Watcher[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Watcher[T]:
        return self

    async def __anext__(self) -> Change[T]:
        while not (self._closed or self._core.closed):
            change = self.poll()
            if change is not None:
                return change
            woken = asyncio.Event()  # each wait has its own: the next may be in another loop
            self._waiting.add(woken)
            try:
                await woken.wait()
            finally:
                self._waiting.remove(woken)
        raise StopAsyncIteration

    def _wake(self) -> None:
        self._changed = True
        for woken in self._waiting:
            woken.set()
