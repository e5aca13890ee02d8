"""Where the cores of a connection come from: all of a Corestore, or one Hypercore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hypercore.core import CoreState, Hypercore
from hypercore.corestore import StoreObserver


class Source(Protocol):
    """The cores that a connection may exchange; a Corestore is one."""

    def open_quietly(self, discovery_key: bytes) -> Hypercore | None:
        """Open a core for a peer; None if it is not there."""

    def cores_in_use(self) -> list[CoreState]:
        """Return the cores that the application has open."""

    def observe(self, observer: StoreObserver) -> Callable[[], None]:
        """Tell an observer which cores are opened and closed; the returned function ends it."""


class SingleCore:
    """A Source of one core alone; whatever else is asked for is not there."""

    def __init__(self, core: Hypercore) -> None:
        self._core = core

    def open_quietly(self, discovery_key: bytes) -> Hypercore | None:
        """Return a session on the core, if it is that one."""
        return self._core.session() if discovery_key == self._core.discovery_key else None

    def cores_in_use(self) -> list[CoreState]:
        """Return the core."""
        return [] if self._core.closed else [self._core.state]

    def observe(self, observer: StoreObserver) -> Callable[[], None]:
        """Tell an observer when the core closes: to it, that is all there is.

        Other objects on the core may still be used, with other connections.
        """
        state = self._core.state

        def look() -> None:
            if self._core.closed:
                if not state.objects:
                    observer.core_closed(state)
                observer.store_closed()

        return self._core.on_change(look)
