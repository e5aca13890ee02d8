"""What the application wants of a core that is not stored here."""

from __future__ import annotations

from collections.abc import Callable

from hypercore.core import CoreState
from hypercore.core.changes import Change


class Want:
    """Something that is wanted until it is there, fails, or is given up.

    Attributes:
        error: why it failed.
        is_done: whether it is over, in whatever way.
        on_change: called when there is something new of it.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self.error: Exception | None = None
        self.is_done = False
        self.on_change = on_change

    def finish(self, error: Exception | None = None) -> None:
        """End it, and tell who waits; ending it twice is fine."""
        if not self.is_done:
            self.is_done = True
            self.error = error
            self.on_change()


class Download(Want):
    """The blocks from ``start`` up to, not including, ``end``.

    Args:
        core: whose blocks they are.
        start: the first block.
        end: the one behind the last; None follows the core as it grows, and has no end.
        linear: whether they are asked for in their order, from every peer.
        on_change: called when blocks of it arrive, and at its end.

    Attributes:
        blocks: how many of its blocks are here.
        bytes: how many bytes of it arrived since it began.
        generation: changes whenever blocks that were asked for have to be asked for again.
    """

    def __init__(
        self,
        core: CoreState,
        start: int,
        end: int | None,
        *,
        linear: bool = False,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(on_change)
        self._core = core
        self.start = start
        self.end = end
        self.linear = linear
        self.generation = 0
        self.bytes = 0
        self.blocks = self._count()
        self._check()

    @property
    def stop(self) -> int:
        """The block behind the last that is wanted now."""
        length = self._core.tree.length
        return length if self.end is None else min(self.end, length)

    @property
    def total(self) -> int:
        """How many blocks it has; one without an end has those of the core as it is now."""
        return max((self._core.tree.length if self.end is None else self.end) - self.start, 0)

    def changed(self, change: Change) -> None:
        """Take note of a change of the core."""
        if change.removed:
            self.blocks = self._count()
            self.generation += 1
        else:
            added = sum(
                max(min(end, self.total + self.start) - max(start, self.start), 0)
                for start, end in change.stored
            )
            if not added:
                return
            self.blocks += added
        self._check()
        if not self.is_done:
            self.on_change()

    def _check(self) -> None:
        # Blocks that come twice would be counted twice: the core has the last word.
        if self.end is not None and self.blocks >= self.total:
            self.blocks = self._count()
            if self.blocks >= self.total:
                self.finish()

    def _count(self) -> int:
        """Return how many of its blocks are stored."""
        count, stop = 0, self.stop
        for start, end in self._core.stored_ranges(self.start):
            if start >= stop:
                break
            count += min(end, stop) - max(start, self.start)
        return count


class Block(Want):
    """One block, before all others."""

    def __init__(self, index: int, on_change: Callable[[], None] = lambda: None) -> None:
        super().__init__(on_change)
        self.index = index


class Seek(Want):
    """The tree nodes that lead to a byte offset, ``padding`` bytes of every block not counted."""

    def __init__(self, offset: int, padding: int, on_change: Callable[[], None] = lambda: None) -> None:
        super().__init__(on_change)
        self.offset = offset
        self.padding = padding


class Update(Want):
    """The longest length that the peers there are can prove.

    Attributes:
        before: fork and length when it was asked for.
    """

    def __init__(self, before: tuple[int, int], on_change: Callable[[], None] = lambda: None) -> None:
        super().__init__(on_change)
        self.before = before
